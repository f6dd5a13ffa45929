// A relay that does evil to what it forwards: nothing worse than loss comes of it, and the nodes leave it. The evil is done
// between the nodes and an honest relay. GINNEL_LONG=1 does each mischief by itself.
import t, { type Test } from 'tap';
import { Beat } from './beating.ts';
import { now } from './flow.ts';
import type { Box } from './homes.ts';
import { MISCHIEFS } from './hostile-relay.ts';
import type { Mischief } from './hostile-relay.ts';
import { moveFile } from './moving.ts';
import { RelayLab } from './relayed.ts';
import { Twin, TWIN_PORT } from './twin.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const LEFT_MS = 10_000;
const BOUND_MS = 30_000;
const MEGABYTES = 2;
/** What these add or swap is refused or put right at the far end, and nothing is missing: nobody needs to leave. */
const HARMLESS: readonly Mischief[] = ['replays', 're-orders', 'invents'];
/** For every run of the tests. */
const SAMPLE: readonly Mischief[] = ['alters', 'picks', 'replays'];
const chosen = process.env['GINNEL_LONG'] === '1' ? MISCHIEFS : SAMPLE;

const it = await RelayLab.start({ homes: ['sym', 'sym'], relays: 2 });
t.teardown(() => it.stop());
const [a, b] = it.homes as [Box, Box];
const twins = new Map(
  await Promise.all(it.relays.map(async relay => [relay, await Twin.start(relay)] as const)),
);
await untilAllPassBy();

for (const mischief of chosen)
  t.test(`V11: a relay that ${mischief}: ${whatComes(mischief)}`, async t => {
    await it.meetByRelay(a, b);
    const beat = await Beat.start(a, b);
    const relay = await until('a relay in use', BOUND_MS, () => it.relayBetween(a, b));
    const moving = moveFile(a, b, MEGABYTES);
    const since = now();
    twinOf(relay).does(mischief);
    if (!HARMLESS.includes(mischief)) await left(t, relay, since);
    const moved = await moving;
    t.ok(moved.equal, `${MEGABYTES} MB over TCP arrive as they were sent`, moved);
    const gap = await beat.gapAfter(since, LEFT_MS / 2, BOUND_MS);
    t.comment(`${mischief}: ${await twinOf(relay).stops()} frames; the longest gap ${gap} ms`);
    const beats = await beat.stop();
    t.same([beats.twice, beats.altered], [[], 0], 'no datagram twice, none altered');
    t.comment(`${beats.received} of ${beats.sent} datagrams arrived`);
    if (HARMLESS.includes(mischief))
      t.ok(gap < 1000 && beats.received > beats.sent * 0.9, 'and few are lost');
  });

function whatComes(mischief: Mischief): string {
  return HARMLESS.includes(mischief) ? 'nothing comes of it' : 'loss at most, and it is left within 10 s';
}

async function left(t: Test, relay: Box, since: number): Promise<void> {
  await until('both ends to leave it', BOUND_MS, async () => {
    const ways = await Promise.all([it.relayBetween(a, b), it.relayBetween(b, a)]);
    return ways.every(way => way !== null && way !== relay);
  });
  const took = now() - since;
  t.ok(took < LEFT_MS, `both ends left it after ${took} ms`);
}

function twinOf(relay: Box): Twin {
  const twin = twins.get(relay);
  if (twin === undefined) throw new TypeError(`no twin of ${relay.node.name}`);
  return twin;
}

/** Until each home is connected with each relay again, through the twins. */
async function untilAllPassBy(): Promise<void> {
  for (const { node, home } of it.relays)
    await node.explained(
      until('the homes to come by the twin', BOUND_MS, async () => {
        const connections = await home.host.connections();
        const passing = connections.filter(({ local }) => local.endsWith(`:${TWIN_PORT}`));
        return it.homes.every(box =>
          passing.some(({ remote }) => remote.startsWith(`${box.home.outerAddress}:`)),
        );
      }),
    );
}
