// One network namespace of a lab: run something in it, read what its interfaces carried.
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { readFile } from 'node:fs/promises';

export interface ExecOptions {
  /** Killed after that; default 20 s. */
  readonly timeoutMs?: number;
  /** Answer with the exit code instead of throwing; default false. */
  readonly mayFail?: boolean;
  /** For the standard input; closed after it. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface InterfaceCounters {
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly receivedPackets: number;
  readonly sentPackets: number;
  readonly receivedDropped: number;
  readonly sentDropped: number;
}

export class Place {
  readonly name: string;
  /** Its own IPv4 address; empty where it has none. */
  readonly address: string;
  /** Its own global IPv6 address; empty where it has none. */
  readonly address6: string;
  /** The interface towards the rest of the lab. */
  readonly device: string;
  readonly #children = new Set<ChildProcess>();

  constructor(name: string, device: string, address: string, address6 = '') {
    this.name = name;
    this.device = device;
    this.address = address;
    this.address6 = address6;
  }

  /** Runs a line of bash; throws an Error with its standard error when it fails. */
  exec(line: string, options: ExecOptions = {}): Promise<ExecResult> {
    const limits = {
      timeout: options.timeoutMs ?? 20_000,
      killSignal: 'SIGKILL' as const,
      maxBuffer: 1 << 26,
    };
    const env = { ...process.env, ...options.env };
    const args = ['netns', 'exec', this.name, 'bash', '-c', line];
    return new Promise((resolve, reject) => {
      const child = execFile('ip', args, { ...limits, env }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 124;
        if (code === 0 || options.mayFail === true) resolve({ code, stdout, stderr });
        else reject(new Error(`${this.name}: ${line}: exit ${code}: ${stderr.trim() || stdout.trim()}`));
      });
      // A program that ended without reading its input says so by its exit code.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.input ?? '');
    });
  }

  /** Starts a program; its process id is the program's own. Killed when the lab stops. */
  spawn(file: string, args: readonly string[] = [], options: SpawnOptions = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.name, file, ...args], options);
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** Kills what `spawn` started and waits until it is gone. */
  async killChildren(): Promise<void> {
    const gone = [...this.#children].map(child => endOf(child));
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(gone);
  }

  /** Bytes received and sent by the interface towards the lab, by the kernel's count. */
  async bytes(device = this.device): Promise<number> {
    const counters = (await this.counters())[device];
    if (counters === undefined) throw new TypeError(`${this.name} has no interface ${device}`);
    return counters.receivedBytes + counters.sentBytes;
  }

  /** The TCP connections that stand: `{ local: '192.168.1.2:4711', remote: '203.0.113.1:7443' }`, by the kernel's table. */
  async connections(): Promise<{ readonly local: string; readonly remote: string }[]> {
    const { stdout } = await this.exec('ss -Htn state established');
    const plain = (text = ''): string => text.replace(/^\[::ffff:(.*)\]/, '$1');
    return stdout
      .split('\n')
      .filter(line => line !== '')
      .map(line => line.trim().split(/\s+/))
      .map(([, , local, remote]) => ({ local: plain(local), remote: plain(remote) }));
  }

  /** The kernel's counters of each interface. */
  async counters(): Promise<Record<string, InterfaceCounters>> {
    const { stdout } = await this.exec('cat /proc/net/dev');
    const rows = stdout.split('\n').filter(line => line.includes(':'));
    return Object.fromEntries(rows.map(parseRow));
  }
}

/** User and system seconds that a process has used. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function endOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode ?? -1);
  return new Promise(resolve => {
    child.once('exit', code => resolve(code ?? -1));
    child.once('error', () => resolve(-1));
  });
}

function parseRow(row: string): [string, InterfaceCounters] {
  const [name = '', counts = ''] = row.split(':');
  const numbers = counts.trim().split(/\s+/).map(Number);
  const at = (index: number) => numbers[index] ?? 0;
  return [
    name.trim(),
    {
      receivedBytes: at(0),
      receivedPackets: at(1),
      sentBytes: at(8),
      sentPackets: at(9),
      receivedDropped: at(3),
      sentDropped: at(11),
    },
  ];
}
