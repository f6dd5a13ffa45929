// V13: what carries a flow is lost: the relay ends, stops, or is cut off; two relays one after the other; the direct path.
// The flow goes on by what was kept warm, within the times that are promised.
import t, { type Test } from 'tap';
import { Beat } from './beating.ts';
import { whoCarries } from './carried.ts';
import { now } from './flow.ts';
import { meet } from './homes.ts';
import type { Box } from './homes.ts';
import { RelayLab } from './relayed.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const KILLED_MS = 1000;
const SILENT_MS = 3000;
const WATCH_MS = 4000;
const BOUND_MS = 30_000;

const it = await RelayLab.start({ homes: ['sym', 'sym', 'prc', 'prc'], relays: 3 });
t.teardown(() => it.stop());
const [a, b, c, d] = it.homes as [Box, Box, Box, Box];

interface Loss {
  readonly how: string;
  readonly boundMs: number;
  readonly lose: (relay: Box) => Promise<unknown>;
  readonly restore: (relay: Box) => Promise<unknown>;
}

const KILL: Loss = {
  how: 'killed with -9',
  boundMs: KILLED_MS,
  lose: ({ node }) => node.stop('SIGKILL'),
  restore: ({ node }) => node.start(),
};
const LOSSES: readonly Loss[] = [
  {
    how: 'stopped (SIGSTOP)',
    boundMs: SILENT_MS,
    lose: ({ node }) => Promise.resolve(process.kill(node.pid ?? 0, 'SIGSTOP')),
    restore: ({ node }) => Promise.resolve(process.kill(node.pid ?? 0, 'SIGCONT')),
  },
  {
    how: 'cut off, silently',
    boundMs: SILENT_MS,
    lose: ({ home }) => it.trouble.silent(home, true),
    restore: ({ home }) => it.trouble.silent(home, false),
  },
];

for (const loss of [...LOSSES, KILL])
  t.test(`V13: the relay is ${loss.how}: a flow goes on within ${loss.boundMs} ms`, async t => {
    await bothKeepTwo();
    await it.meetByRelay(a, b);
    const beat = await Beat.start(a, b);
    const relay = await loses(t, beat, loss);
    await tells(t, beat);
    await loss.restore(relay);
  });

t.test('V13: two relays, one after the other', async t => {
  await bothKeepTwo();
  await it.meetByRelay(a, b);
  const beat = await Beat.start(a, b);
  const first = await loses(t, beat, KILL);
  const since = now();
  await bothKeepTwo();
  t.comment(`two relays again after ${now() - since} ms`);
  const second = await loses(t, beat, KILL);
  t.not(second, first);
  await tells(t, beat);
  for (const relay of [first, second]) await KILL.restore(relay);
});

t.test('V13: the direct path is lost: on by a relay', async t => {
  for (const box of [c, d]) await it.keeps(box, 2);
  await meet(c, d);
  const beat = await Beat.start(c, d);
  const since = now();
  await it.trouble.noUdp(c.home, d.home, true);
  const gap = await beat.gapAfter(since, WATCH_MS, BOUND_MS);
  t.ok(gap < SILENT_MS, `a gap of ${gap} ms`);
  await until('both to say so', BOUND_MS, async () => {
    const ends = await Promise.all([c.node.peer(d.node.name), d.node.peer(c.node.name)]);
    return ends.every(end => end?.state === 'relayed');
  });
  const from = { place: c.node.place, home: c.home };
  t.match(await whoCarries(it.lab, from, d, it.names), { by: 'relay' }, 'by the kernel');
  await tells(t, beat);
  await it.trouble.noUdp(c.home, d.home, false);
});

/** The relay that `a` sends to goes; answers it. */
async function loses(t: Test, beat: Beat, { how, boundMs, lose }: Loss): Promise<Box> {
  const relay = await until('a relay in use', BOUND_MS, () => it.relayBetween(a, b));
  const since = now();
  await lose(relay);
  const gap = await beat.gapAfter(since, WATCH_MS, BOUND_MS);
  t.ok(gap < boundMs, `${relay.node.name} ${how}: a gap of ${gap} ms`);
  t.not(await it.relayBetween(a, b), relay, 'and another carries it');
  return relay;
}

async function tells(t: Test, beat: Beat): Promise<void> {
  const beats = await beat.stop();
  t.comment(`${beats.received} of ${beats.sent} arrived`);
  t.same([beats.twice, beats.altered], [[], 0], 'none twice, none altered');
}

async function bothKeepTwo(): Promise<void> {
  for (const box of [a, b]) await it.keeps(box, 2);
}
