// Puts a test, or a script such as the demo, into private network, mount and process namespaces of its own, so that
// names can repeat in labs that run at once, no packet leaves the machine, and nothing survives a kill.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const INSIDE = 'GINNEL_LAB_INSIDE';

/** Room for files inside a lab; in memory, and gone with it however it ends. */
export const LAB_FOLDER = '/run/ginnel-lab';

/** What a lab calls, and the Debian package it is in. */
export const LAB_TOOLS: Readonly<Record<string, string>> = {
  bash: 'bash',
  setpriv: 'util-linux',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  flock: 'util-linux',
  ip: 'iproute2',
  nft: 'nftables',
  conntrack: 'conntrack',
  ping: 'iputils-ping',
};

/** Two at most on one machine: the kernel's CPU time is shared, and a starved lab measures the other one. */
const TAKE_A_PLACE = `
while :; do
  for place in 0 1; do
    exec 9>"$LAB_LOCKS/ginnel-lab-$place.lock" || exit 70
    flock --nonblock 9 && break 2
  done
  waited=$((waited + 1))
  [ "$waited" = 20 ] && [ -n "$LAB_TELLS" ] && echo 'Two other labs run on this machine: waiting for one to end.' >&2
  sleep 0.1
done
exec unshare --net --mount --pid --fork --kill-child --mount-proc bash -c "$LAB_INNER" lab "$@"`;

/** This bash is process 1 inside: it gathers orphans, and holds the place until it ends. */
const INNER = `
mkdir -p /run/netns ${LAB_FOLDER} &&
mount -t tmpfs none /run/netns && mount -t tmpfs none ${LAB_FOLDER} && mount -t sysfs none /sys &&
ip link set lo up || exit 70
"$@"
exit $?`;

export interface LabEntry {
  /** How to say that there can be no lab here; the process ends after it. Default: TAP's skip of the whole file. */
  readonly refuse?: (reason: string) => never;
  /** Further tools needed: name to Debian package. */
  readonly tools?: Readonly<Record<string, string>>;
  /** Open files or ports of outside that the lab gets as its numbers 3, 4, … */
  readonly hands?: readonly number[];
}

/**
 * Call first in a test file: `enterLab(import.meta.url)`. Outside a lab it runs the file again inside one, hands on
 * standard streams, arguments and exit code, and never returns; inside it returns.
 */
export function enterLab(moduleUrl: string, entry: LabEntry = {}): void {
  if (process.env[INSIDE] === '1') return;
  const reason = whyNoLab({ ...LAB_TOOLS, ...entry.tools });
  if (reason !== null) (entry.refuse ?? skipFile)(reason);
  const command = [process.execPath, ...process.execArgv, fileURLToPath(moduleUrl), ...process.argv.slice(2)];
  // setpriv's death signal outlives each exec: whoever kills this process, even with -9, takes the lab with it.
  const { status, signal } = spawnSync(
    'setpriv',
    ['--pdeathsig', 'KILL', 'bash', '-c', TAKE_A_PLACE, 'lab', ...command],
    {
      stdio: ['inherit', 'inherit', 'inherit', ...(entry.hands ?? [])],
      env: {
        ...process.env,
        ...{ [INSIDE]: '1', LAB_LOCKS: tmpdir(), LAB_INNER: INNER },
        // A test file waits in silence: somebody else reads what it writes.
        LAB_TELLS: entry.refuse === undefined ? '' : '1',
      },
    },
  );
  process.exit(status ?? (signal === 'SIGKILL' ? 137 : 1));
}

/** Null: a lab can be built here. Otherwise the reason in a sentence. */
export function whyNoLab(tools: Readonly<Record<string, string>> = LAB_TOOLS): string | null {
  if (process.platform !== 'linux') return 'The lab needs Linux: it is made of kernel namespaces.';
  if (process.getuid?.() !== 0) return 'The lab needs root: it makes network namespaces.';
  const missing = Object.entries(tools).filter(([tool]) => !isInstalled(tool));
  if (missing.length === 0) return null;
  const packages = [...new Set(missing.map(([, name]) => name))].join(' ');
  return `The lab lacks ${missing.map(([tool]) => tool).join(', ')}: apt-get install ${packages}.`;
}

function isInstalled(tool: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some(folder => isExecutable(join(folder, tool)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** TAP's skip of a whole file; ends the process. */
export function skipFile(reason: string): never {
  process.stdout.write(`TAP version 14\n1..0 # SKIP ${reason}\n`);
  process.exit(0);
}
