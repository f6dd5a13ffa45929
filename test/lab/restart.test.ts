// The daemon of a box is restarted while others talk with it: how long nothing gets through, and that connections stand.
import { createInterface } from 'node:readline';
import t from 'tap';
import { Flow, now } from './flow.ts';
import { startServer } from './ginnel.ts';
import { joinAll, meet, type Box } from './homes.ts';
import type { Place } from './place.ts';
import { buildLab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const PINGS_PER_SECOND = 100;
const BOUND_MS = 30_000;

const lab = await buildLab({ homes: [{ kind: 'prcnp' }, { kind: 'prc' }], delayMs: 20 });
t.teardown(() => lab.stop());
const server = await startServer(lab);
const [a, b] = await joinAll(lab, server);
if (a === undefined || b === undefined) throw new TypeError('two homes were asked for');

/** Answers to 100 pings a second, by the kernel's ping. */
class Pings {
  readonly #arrivals: number[] = [];
  readonly stop: () => void;

  constructor(from: Place, ip: string) {
    const child = from.spawn('ping', ['-n', '-i', String(1 / PINGS_PER_SECOND), ip], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new TypeError('no standard output');
    createInterface({ input: child.stdout }).on('line', line => {
      if (line.includes('bytes from')) this.#arrivals.push(now());
    });
    this.stop = () => void child.kill('SIGINT');
  }

  /** The longest time without an answer since then, once they come again. */
  async gapSince(sinceMs: number): Promise<number> {
    await until('pings to be answered again', BOUND_MS, () => this.#steadySince() > sinceMs + 1000);
    const times = this.#arrivals.filter(at => at >= sinceMs);
    const before = this.#arrivals.findLast(at => at < sinceMs) ?? sinceMs;
    return Math.max(...times.map((at, index) => at - (times[index - 1] ?? before)));
  }

  /** The end of the last second in which at least half of all pings were answered, from now back. */
  #steadySince(): number {
    const last = this.#arrivals.at(-1) ?? 0;
    const within = this.#arrivals.filter(at => at > last - 1000).length;
    return within > PINGS_PER_SECOND / 2 ? last : 0;
  }
}

async function gapOf(box: Box, other: Box, restart: () => Promise<void>): Promise<number> {
  const pings = new Pings(other.home.host, box.ip);
  try {
    await pings.gapSince(now());
    const since = now();
    await restart();
    return await pings.gapSince(since);
  } finally {
    pings.stop();
  }
}

t.test('SIGTERM and start: pings come again, a TCP connection from before goes on', async t => {
  await meet(a, b);
  const flow = await Flow.start(b.home.host, a.home.host, a.ip);
  t.teardown(() => flow.stop());
  await flow.longestPause(now(), BOUND_MS);
  const since = now();
  const marks: number[] = [];
  const gap = await gapOf(a, b, async () => {
    t.equal(await a.node.stop('SIGTERM'), 0);
    marks.push(now() - since);
    await a.node.start();
    marks.push(now() - since);
  });
  const pause = await flow.longestPause(since, BOUND_MS);
  t.comment(`gap of pings: ${gap} ms; the TCP stream stood still for ${pause} ms; marks ${marks.join(' ')}`);
  t.ok(gap < BOUND_MS);
  t.ok(flow.isWhole, 'it is the same TCP connection all along');
});
