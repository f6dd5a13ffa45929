// Runs one scenario of the system part as a process of its own in private namespaces: nothing it does is seen outside,
// and nothing of it survives its end.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DoorKind } from '../../../system/doors.ts';
import { loadTuntap } from '../../../system/tuntap/addon.ts';

const SCENARIOS = fileURLToPath(new URL('scenarios.js', import.meta.url));
const PREPARE =
  'mkdir -p /run/netns; mount -t tmpfs none /run/netns; mount -t sysfs none /sys; ip link set lo up; exec "$@"';
const WRAPPER = [
  ...[
    '--pdeathsig',
    'KILL',
    'unshare',
    '--net',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ],
  ...['bash', '-c', PREPARE, 'scenario'],
];

export interface Outcome {
  readonly status: number | null;
  /** What the scenario found, as it printed it. */
  readonly found: Readonly<Record<string, unknown>>;
  readonly stderr: string;
}

/** `before`: commands that run inside, ahead of the scenario (`setpriv …` to take rights away). */
export function runScenario(name: string, before: readonly string[] = [], door: DoorKind = 'koffi'): Outcome {
  const run = spawnSync('setpriv', [...WRAPPER, ...before, process.execPath, SCENARIOS, name], {
    encoding: 'utf8',
    env: { ...process.env, GINNEL_DOOR: door },
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  const lines = run.stdout.trim().split('\n');
  const last = lines[lines.length - 1] ?? '';
  const found = last.startsWith('{') ? (JSON.parse(last) as Record<string, unknown>) : {};
  return { status: run.status, found, stderr: run.stderr };
}

export const whyNotHere = (): string | false =>
  process.getuid?.() === 0 ? false : 'network namespaces need root';

/** Why a door cannot be tested here; false: it can. */
export function whyNoDoor(door: DoorKind): string | false {
  if (door === 'koffi') return whyNotHere();
  try {
    loadTuntap();
    return whyNotHere();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
