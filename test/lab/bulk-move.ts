// Much data from one place to another by virtual addresses (bulk.ts at each end), and what is wrong with what arrived.
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endOf, type Place } from './place.ts';
import { until } from './waiting.ts';

const BULK = fileURLToPath(new URL('./bulk.js', import.meta.url));
const PORT = 5003;
const START_MS = 10_000;
/** IPv6 and UDP headers. */
const HEADERS = 48;
const QUIET_MS = 300;

export interface BulkOptions {
  readonly from: Place;
  readonly to: Place;
  /** The receiver's. */
  readonly ip: string;
  readonly bytes: number;
  readonly seed: number;
  readonly timeoutMs: number;
}

export interface BulkMoved {
  /** Datagrams; null: a stream. */
  readonly sent: number | null;
  readonly received: number;
  readonly problems: readonly string[];
}

interface Line {
  readonly ready?: boolean;
  readonly bytes?: number;
  readonly sha256?: string;
  readonly sent?: number;
  readonly last?: number;
  readonly received?: number;
  readonly twice?: number;
  readonly wrong?: number;
}

/** A program at one end, and the lines that it says. */
class Talker {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  onLine: (line: Line) => void = () => undefined;

  constructor(place: Place, args: readonly string[]) {
    this.child = place.spawn(process.execPath, [BULK, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.child.stdin?.on('error', () => undefined);
    if (this.child.stdout === null) throw new TypeError('no standard output');
    createInterface({ input: this.child.stdout }).on('line', text => {
      const line = JSON.parse(text) as Line;
      // How far it has come is said often: only the newest is kept.
      if (line.last === undefined) this.lines.push(line);
      this.onLine(line);
    });
  }

  say(text: string): void {
    this.child.stdin?.write(`${text}\n`);
  }

  /** The line of that number. Throws an Error where none came by the deadline, or the program ended without it. */
  async line(index: number, what: string, timeoutMs: number): Promise<Line> {
    let ended = false;
    void endOf(this.child)
      .then(() => pause(QUIET_MS))
      .then(() => (ended = true));
    return until(what, timeoutMs, () => {
      if (ended && this.lines.length <= index) throw new Error(`no ${what}: the program ended`);
      return this.lines[index] ?? null;
    });
  }
}

/** Throws an Error where it does not come through in time. */
export async function moveStream(options: BulkOptions): Promise<BulkMoved> {
  const { from, to, ip, bytes, seed, timeoutMs } = options;
  return between(
    new Talker(to, ['tcp-receive', ip, String(PORT)]),
    () => new Talker(from, ['tcp-send', ip, String(PORT), String(bytes), String(seed)]),
    async (receiver, sender) => {
      const [sent, received] = await Promise.all([
        sender.line(0, 'stream to be sent', timeoutMs),
        receiver.line(1, 'stream to arrive', timeoutMs),
      ]);
      const isEqual = sent.sha256 === received.sha256 && received.bytes === bytes;
      const problems = isEqual ? [] : [`${received.bytes ?? 0} of ${bytes} bytes came, or other ones`];
      return { sent: null, received: received.bytes ?? 0, problems };
    },
  );
}

/** `received`: different ones that are bit-equal to one sent. `mtu`: of the card they leave by. */
export async function moveDatagrams(options: BulkOptions & { readonly mtu: number }): Promise<BulkMoved> {
  const { from, to, ip, bytes, seed, timeoutMs, mtu } = options;
  const plan = [String(seed), String(mtu - HEADERS)];
  return between(
    new Talker(to, ['udp-receive', ip, String(PORT), ...plan]),
    () => new Talker(from, ['udp-send', ip, String(PORT), String(bytes), ...plan]),
    async (receiver, sender) => {
      receiver.onLine = ({ last }) => last !== undefined && sender.say(String(last));
      const { sent = 0 } = await sender.line(0, 'datagrams to be sent', timeoutMs);
      const { received = 0, twice = 0, wrong = 0 } = await lastWord(receiver);
      const problems = [
        ...(twice > 0 ? [`${twice} datagrams came twice`] : []),
        ...(wrong > 0 ? [`${wrong} datagrams came that nobody sent`] : []),
      ];
      return { sent, received, problems };
    },
  );
}

/** Asks until the count no longer grows. */
async function lastWord(receiver: Talker): Promise<Line> {
  for (let before = -1; ;) {
    await pause(QUIET_MS);
    const index = receiver.lines.length;
    receiver.say('how many?');
    const line = await receiver.line(index, 'count', START_MS);
    if (line.received === before) return line;
    before = line.received ?? 0;
  }
}

async function between<T>(
  receiver: Talker,
  begin: () => Talker,
  act: (receiver: Talker, sender: Talker) => Promise<T>,
): Promise<T> {
  const children = [receiver.child];
  try {
    await receiver.line(0, 'receiver', START_MS);
    const sender = begin();
    children.push(sender.child);
    return await act(receiver, sender);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map(endOf));
  }
}
