// Runs one scenario of the system part as a process of its own in private namespaces: nothing it does is seen outside,
// and nothing of it survives its end.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

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
export function runScenario(name: string, before: readonly string[] = []): Outcome {
  const run = spawnSync('setpriv', [...WRAPPER, ...before, process.execPath, SCENARIOS, name], {
    encoding: 'utf8',
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
