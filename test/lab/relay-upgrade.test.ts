// From a relay to a direct path and back, under a running TCP transfer and a beat of datagrams: nothing is lost to the
// application, nothing comes twice, and no gap is felt.
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Beat } from './beating.ts';
import { snapshot } from './carried.ts';
import { now } from './flow.ts';
import type { Box } from './homes.ts';
import { moveFile } from './moving.ts';
import { RelayLab } from './relayed.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

/** On a machine that two labs share; by itself a move costs some 60 ms. */
const FELT_MS = 290;
const BOUND_MS = 20_000;
const STAY_MS = 2000;
const ROUNDS = process.env['GINNEL_LONG'] === '1' ? 10 : 1;
const BYTES_A_SECOND = 1_500_000;
const MEGABYTES = 10 * ROUNDS + 5;

const it = await RelayLab.start({
  homes: ['prc', 'prcnp'],
  relays: 2,
  chosen: { homes: { settings: { upgrade: false } } },
});
t.teardown(() => it.stop());
const [a, b] = it.homes as [Box, Box];

t.test(
  'V13: relay → direct → relay under a running transfer: nobody notices',
  { timeout: 300_000 },
  async t => {
    await it.meetByRelay(a, b);
    const beat = await Beat.start(a, b);
    const moving = moveFile(a, b, MEGABYTES, BYTES_A_SECOND);
    await stays(t, 'relayed');
    for (let round = 1; round <= ROUNDS; round++)
      for (const upgrade of [true, false]) {
        const since = now();
        for (const { node } of [a, b]) await node.choose({ settings: { upgrade } });
        const state = upgrade ? 'direct' : 'relayed';
        await until(`both to go ${state}`, BOUND_MS, () => bothSay(state));
        t.comment(`${state} after ${now() - since} ms`);
        await stays(t, state);
        const gap = beat.longestGap(since);
        t.comment(`to ${state}: the longest gap is ${gap} ms`);
        t.ok(gap <= FELT_MS, `to ${state}: the longest gap is ${gap} ms`);
      }
    const moved = await moving;
    t.ok(moved.equal, `${MEGABYTES} MB arrive as they were sent`, moved);
    const beats = await beat.stop();
    t.same([beats.twice, beats.altered], [[], 0], 'no datagram twice, none altered');
    t.equal(beats.received, beats.sent, 'and none lost');
  },
);

async function bothSay(state: 'direct' | 'relayed'): Promise<boolean> {
  const ends = await Promise.all([a.node.peer(b.node.name), b.node.peer(a.node.name)]);
  return ends.every(end => end?.state === state);
}

/** For a while, and it is so by the kernel's counters on the lines of the relays. */
async function stays(t: Test, state: 'direct' | 'relayed'): Promise<void> {
  const before = await snapshot(it.lab);
  await pause(STAY_MS);
  const after = await snapshot(it.lab);
  const grew = (box: Box): number => after.wan.get(box.home)! - before.wan.get(box.home)!;
  const [line, relays] = [grew(b), it.relays.map(grew)];
  const most = Math.max(...relays);
  // A relay takes and gives each byte.
  const isSo = state === 'relayed' ? most > line : most < line / 10;
  t.ok(isSo, `${state}, by the kernel`, { line, relays });
  t.ok(line > (BYTES_A_SECOND * STAY_MS) / 2000, 'and it is the transfer that crosses the line', { line });
}
