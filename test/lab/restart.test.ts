// The daemon of a box is restarted while others talk with it: how long nothing gets through, and that connections stand.
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
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
const [a, b] = bothOf(await joinAll(lab, server));

function bothOf([one, other]: readonly Box[]): readonly [Box, Box] {
  if (one === undefined || other === undefined) throw new TypeError('two homes were asked for');
  return [one, other];
}

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

/** The stream from `b` to `a` and the pings, over a restart of `a`. */
async function measured(t: Test, how: string, restart: () => Promise<void>): Promise<number> {
  await meet(a, b);
  const flow = await Flow.start(b.home.host, a.home.host, a.ip);
  t.teardown(() => flow.stop());
  await flow.longestPause(now(), BOUND_MS);
  const since = now();
  const gap = await gapOf(a, b, restart);
  const pause = await flow.longestPause(since, BOUND_MS);
  t.comment(`${how}: no ping answered for ${gap} ms; the TCP stream stood still for ${pause} ms`);
  t.ok(gap < BOUND_MS && pause < BOUND_MS, 'it flows again');
  t.ok(flow.isWhole, 'it is the same TCP connection all along');
  flow.stop();
  return gap;
}

t.test('SIGTERM and start: pings come again, a TCP connection from before goes on', async t => {
  await measured(t, 'SIGTERM, start', async () => {
    t.equal(await a.node.stop('SIGTERM'), 0);
    await a.node.start();
  });
});

t.test('ginnel restart: the card and its routes stay all along', async t => {
  const before = await a.home.host.exec('ip -j -4 addr show ginnel0');
  let successor = 0;
  t.teardown(() => successor > 0 && process.kill(successor, 'SIGKILL'));
  await measured(t, 'ginnel restart', async () => {
    const watch = a.home.host.exec('timeout 20 ip monitor link address route', { mayFail: true });
    const done = await a.node.ginnel(['restart', '--json']);
    t.equal(done.code, 0, done.stderr);
    successor = (JSON.parse(done.stdout) as { pid: number }).pid;
    t.match(await a.node.api('GET', '/v1/health'), { pid: successor, roles: { node: 'up' } });
    t.notMatch((await watch).stdout, /Deleted .*ginnel0/, 'nothing of it was ever taken away');
  });
  const after = await a.home.host.exec('ip -j -4 addr show ginnel0');
  t.equal(indexOf(after.stdout), indexOf(before.stdout), 'it is the same card');
  process.kill(successor, 'SIGTERM');
  await until('the card to go', BOUND_MS, async () => {
    const { code } = await a.home.host.exec('ip link show ginnel0', { mayFail: true });
    return code !== 0;
  });
  successor = 0;
});

const indexOf = (json: string): unknown => (JSON.parse(json) as { ifindex: number }[])[0]?.ifindex;
