// A relay's quotas on the real thing: a node over its share is slowed, and those within theirs feel nothing of it.
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { Beat } from './beating.ts';
import type { BeatOptions } from './beating.ts';
import { now } from './flow.ts';
import type { Box } from './homes.ts';
import { RelayLab } from './relayed.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const MBIT = 1_000_000 / 8;
const SHARE_MBIT = 4;
const SETTLE_MS = 1500;
const WATCH_MS = process.env['GINNEL_LONG'] === '1' ? 20_000 : 5000;
/** Payloads; on the line of the relay each is about a tenth more. */
const FLOOD: BeatOptions = { perSecond: 1500, bytes: 1000 };
const MODEST: BeatOptions = { perSecond: 100, bytes: 1000 };

const it = await RelayLab.start({
  homes: ['sym', 'sym', 'sym', 'sym'],
  relays: 1,
  chosen: { relays: { plugins: { 'relay-tcp': { 'node-bandwidth': SHARE_MBIT } } } },
});
t.teardown(() => it.stop());
const [a, b, c, d] = it.homes as [Box, Box, Box, Box];

t.test('a node that floods gets its share, and another keeps its rate', async t => {
  await it.meetByRelay(a, b);
  await it.meetByRelay(c, d);
  const modest = await Beat.start(c, d, MODEST);
  const alone = await rateOf(modest, MODEST);
  const flood = await Beat.start(a, b, FLOOD);
  await pause(SETTLE_MS);
  const since = now();
  const [flooding, beside] = await Promise.all([rateOf(flood, FLOOD), rateOf(modest, MODEST)]);
  const gap = modest.longestGap(since);
  t.comment(
    `Mbit/s of payload: flood ${mbit(FLOOD.perSecond! * FLOOD.bytes!)} sent, ${mbit(flooding)} arrived (share ${SHARE_MBIT}); ` +
      `modest ${mbit(alone)} alone, ${mbit(beside)} beside it; its longest gap ${gap} ms`,
  );
  t.ok(flooding < SHARE_MBIT * MBIT * 1.1, 'the flood is slowed to its share');
  t.ok(flooding > SHARE_MBIT * MBIT * 0.5, 'and gets it');
  t.ok(beside > alone * 0.95 && gap < 500, 'the other one feels nothing of it', { alone, beside, gap });
  const beats = { flood: await flood.stop(), modest: await modest.stop() };
  for (const { twice, altered } of Object.values(beats)) t.same([twice, altered], [[], 0]);
  t.ok(beats.modest.received > beats.modest.sent * 0.99, 'nor loses anything', beats);
});

/** Bytes of payload a second. */
async function rateOf(beat: Beat, { bytes = 0 }: BeatOptions): Promise<number> {
  const since = now();
  await pause(WATCH_MS);
  return (beat.count(since, since + WATCH_MS) * bytes * 1000) / WATCH_MS;
}

const mbit = (bytesPerSecond: number): string => (bytesPerSecond / MBIT).toFixed(2);
