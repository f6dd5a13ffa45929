// What a path carries, as it is found: the machine alone against a line that keeps all its secrets, then whole path finders
// on the simulated network.
import t from 'tap';
import { PathMtu, SMALL } from '../../../core/paths/path-mtu.ts';
import { SimWorld, type SimNode } from './sim-node.ts';

const WANTED = 1433;
const ASSUMED = 1452;
const STEP_MS = 10;

/** A line that carries datagrams up to `carries`, and answers after `rttMs`. */
class Line {
  readonly mtu: PathMtu;
  now = 0;
  heardAt: number | null = 0;
  asked: number[] = [];
  carries: number;
  rttMs: number;
  isAlive = true;
  /** Which of the padded probes are lost whatever their size, counted from 0. */
  readonly lost = new Set<number>();
  sends = false;
  #names = 0;
  #onTheWay: { at: number; name: string }[] = [];

  constructor(carries: number, rttMs = 40, family: 4 | 6 = 4) {
    this.carries = carries;
    this.rttMs = rttMs;
    this.mtu = new PathMtu(family, WANTED, ASSUMED);
    this.mtu.begin(0);
  }

  run(ms: number): this {
    for (const end = this.now + ms; this.now < end; this.now += STEP_MS) this.#step();
    return this;
  }

  /** Until nobody asks any more; the ms that took. */
  settle(): number {
    const begun = this.now;
    while (this.mtu.isSearching) this.run(STEP_MS);
    return this.now - begun;
  }

  #step(): void {
    const { mtu, now } = this;
    if (this.sends) mtu.sent(now);
    if (this.sends && this.isAlive) this.heardAt = now;
    for (const { name } of this.#take()) {
      this.heardAt = now;
      mtu.answered(name, now);
    }
    for (const size of mtu.tick(now, { srttMs: this.rttMs, heardAt: this.heardAt })) this.#ask(size);
  }

  #take(): { name: string }[] {
    const arrived = this.#onTheWay.filter(({ at }) => at <= this.now);
    this.#onTheWay = this.#onTheWay.filter(({ at }) => at > this.now);
    return arrived;
  }

  #ask(size: number): void {
    const name = String(this.#names++);
    if (size !== SMALL) this.mtu.asked(name, size);
    const isLost = this.lost.has(this.asked.length);
    this.asked.push(size);
    if (this.isAlive && !isLost && size <= this.carries)
      this.#onTheWay.push({ at: this.now + this.rttMs, name });
  }
}

t.test('the ordinary line costs one probe', t => {
  const line = new Line(1472);
  t.equal(line.settle(), 50);
  t.same(line.asked, [1436]);
  t.match(line.mtu, { size: 1436, isProbed: true });
  t.end();
});

t.test('whatever a line carries is found within 8 bytes, and never too much', t => {
  for (const family of [4, 6] as const)
    for (let outer = 1280; outer <= 1500; outer++) {
      const carries = outer - (family === 4 ? 28 : 48);
      const line = new Line(carries, 40, family);
      const took = line.settle();
      const { size } = line.mtu;
      if (size > carries || size < Math.min(carries - 8, 1436) || took > 4_000)
        t.fail(`IPv${family}, MTU ${outer}: ${size} of ${carries} found after ${took} ms`);
    }
  t.end();
});

const FOUND: readonly { says: string; outer: number; family: 4 | 6; size: number }[] = [
  { says: 'PPPoE', outer: 1492, family: 4, size: 1436 },
  { says: 'PPPoE, IPv6 outside', outer: 1492, family: 6, size: 1436 },
  { says: '6in4, IPv6 outside', outer: 1480, family: 6, size: 1432 },
  { says: 'DS-Lite', outer: 1460, family: 4, size: 1432 },
  { says: "another WireGuard's card", outer: 1420, family: 4, size: 1392 },
  { says: 'the least of IPv6', outer: 1280, family: 6, size: 1232 },
  { says: 'less than anybody asks for', outer: 1000, family: 4, size: 1252 },
];
for (const { says, outer, family, size } of FOUND)
  t.test(`${says}: ${outer} outside`, t => {
    const line = new Line(outer - (family === 4 ? 28 : 48), 40, family);
    const took = line.settle();
    t.equal(line.mtu.size, size);
    t.comment(`${line.asked.length} probes, ${took} ms`);
    t.ok(line.asked.length <= 48, `${line.asked.length} probes`);
    t.end();
  });

t.test('two lost probes change nothing, three in a row do', t => {
  const lucky = new Line(1472);
  lucky.lost.add(0).add(1);
  lucky.settle();
  t.equal(lucky.mtu.size, 1436);
  const unlucky = new Line(1392);
  unlucky.settle();
  t.equal(unlucky.mtu.size, 1392);
  t.end();
});

t.test('until it is known, the assumed size stands; a silent path says nothing of sizes', t => {
  const line = new Line(1472);
  line.isAlive = false;
  line.heardAt = -1;
  line.run(60_000);
  t.match(line.mtu, { size: 1436, isProbed: false });
  t.ok(line.asked.length < 60, `${line.asked.length} probes in a minute of silence`);
  line.isAlive = true;
  line.run(65_000);
  t.match(line.mtu, { size: 1436, isProbed: true, isSearching: false });
  t.end();
});

t.test('a path that dies in the middle of a search is not said to be small', t => {
  const line = new Line(1392);
  line.run(300);
  line.isAlive = false;
  line.run(100_000);
  t.ok(line.mtu.size >= 1392, String(line.mtu.size));
  t.end();
});

t.test('a line that shrinks under data is found out by the doubt, within two seconds', t => {
  const line = new Line(1472);
  line.settle();
  line.run(60_000);
  line.carries = 1392;
  line.mtu.sent(line.now);
  line.mtu.doubted(line.now);
  const took = line.settle();
  t.equal(line.mtu.size, 1392);
  t.ok(took < 2_500, `${took} ms`);
  t.end();
});

t.test(
  'and without a doubt at the next confirmation, one probe in 30 s while data flows, none while idle',
  t => {
    const line = new Line(1472);
    line.settle();
    line.run(600_000);
    t.equal(line.asked.length, 1, 'an idle line is not asked');
    line.sends = true;
    line.run(300_000);
    t.ok(line.asked.length >= 10 && line.asked.length <= 11, `${line.asked.length} probes in 5 min`);
    line.carries = 1392;
    line.run(35_000);
    t.equal(line.mtu.size, 1392);
    t.end();
  },
);

t.test('a small line is asked for more every 10 min, and does not dip meanwhile', t => {
  const line = new Line(1386);
  line.settle();
  t.equal(line.mtu.size, 1384);
  line.sends = true;
  for (let second = 0; second < 700; second++) {
    line.run(1_000);
    if (line.mtu.size < 1384) t.fail(`${line.mtu.size} after ${second} s`);
  }
  line.carries = 1472;
  line.run(601_000);
  t.equal(line.mtu.size, 1436, 'and grows as the line does');
  t.end();
});

t.test('what the budget keeps back counts as nothing', t => {
  const mtu = new PathMtu(4, WANTED, ASSUMED);
  mtu.begin(0);
  for (let now = 0; now < 10_000; now += STEP_MS) mtu.tick(now, { srttMs: 40, heardAt: now });
  t.match(mtu, { size: 1436, isProbed: false, isSearching: true });
  t.end();
});

t.test('an answer of a round that is over is none of ours', t => {
  const line = new Line(1472);
  line.settle();
  t.notOk(line.mtu.answered('0', line.now));
  t.end();
});

function carried(from: SimNode, to: SimNode): number {
  const at = from.linkTo(to)?.replace('udp ', '').split(':') ?? [];
  return from.transport.link({ family: 4, address: at[0] ?? '', port: Number(at[1]) })?.mtu ?? 0;
}

async function met(mtu: number): Promise<{ world: SimWorld; a: SimNode; b: SimNode }> {
  const world = new SimWorld(1);
  t.teardown(() => world.stop());
  world.network.mtu = mtu;
  world.network.carriesFragments = false;
  const [a, b] = [world.home('prc'), world.home('prcnp')];
  world.acquaint(a, b);
  await world.run(1_000);
  a.send(b);
  await world.until(() => a.stateOf(b) === 'direct' && b.stateOf(a) === 'direct', 20_000);
  await world.run(5_000);
  return { world, a, b };
}

t.test('both ends find what their path carries, and their links say so', async t => {
  const { a, b } = await met(1420);
  t.equal(carried(a, b), 1392);
  t.equal(carried(b, a), 1392);
  t.match(a.paths.why(b.id)?.lines.join('\n'), /carries packets of up to 1359 bytes/);
});

t.test('the ordinary path costs one padded probe an end', async t => {
  const { a, b } = await met(1500);
  t.equal(carried(a, b), 1436);
  t.equal(a.count('paths.probe.size-sent'), 1);
  t.equal(b.count('paths.probe.size-sent'), 1);
});

t.test('a path that shrinks under data goes on, smaller, and is never distrusted for it', async t => {
  const { world, a, b } = await met(1500);
  const stop = a.stream(b, 100);
  await world.run(60_000);
  const used = a.used.length;
  world.network.mtu = 1420;
  const took = await world.until(() => carried(a, b) <= 1392, 20_000);
  t.comment(`${took} ms`);
  t.ok(took < 5_000, `${took} ms: nobody answers this stream, and that is a doubt`);
  await world.run(5_000);
  t.equal(carried(a, b), 1392);
  t.equal(a.used.length, used, 'the same path all along');
  stop();
});
