// The virtual card over a stay, and what a person reads of it.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { GinnelError } from '../../../base/errors.ts';
import { silentLog } from '../../../base/log.ts';
import { Card, FIRST_RETRY_MS, LAST_RETRY_MS, type Place } from '../../../core/node/card.ts';
import { startServer } from '../../support/location-server.ts';
import { WHOLE } from '../../../protocol/ip/offload.ts';
import { MadeUpCard, openNode } from './bench.ts';

const place = (ip4: string): Place => ({
  assignment: { v: 1, network: 'n', id: 'i', ip4, ip6: 'fd00::1', issued: 0, signature: '' },
  prefix4: '10.77.0.0/16',
  prefix6: 'fd00::/48',
});

function madeUp() {
  const clock = new ManualClock();
  const opened: MadeUpCard[] = [];
  const world = { fails: false, tries: 0 };
  const card = new Card({
    open(options) {
      world.tries++;
      if (world.fails) throw new GinnelError('TUN_MISSING', 'None. (TUN_MISSING)');
      const door = new MadeUpCard(`ginnel${opened.length}`, options);
      opened.push(door);
      return door;
    },
    ...{ name: 'ginnel%d', mtu: 1400, clock, counters: new Counters(), log: silentLog },
    onPacket: () => undefined,
    onTurnEnded: () => undefined,
  });
  return { clock, opened, world, card };
}

t.test('V1: the same place again leaves the card as it is; another address opens another', async t => {
  const { card, opened } = madeUp();
  card.take(place('10.77.0.2'));
  card.take(place('10.77.0.2'));
  t.equal(opened.length, 1);
  card.take(place('10.77.0.3'));
  t.same(
    opened.map(({ isOpen }) => isOpen),
    [false, true],
  );
});

t.test('a card that somebody deleted comes back', async t => {
  const { card, clock, opened } = madeUp();
  card.take(place('10.77.0.2'));
  opened[0]?.lose();
  t.match(card.problem, { code: 'TUN_LOST' });
  t.equal(card.name, '');
  t.equal(card.write(new Uint8Array(20), 0, 20, WHOLE), 'closed');
  clock.advance(FIRST_RETRY_MS);
  t.equal(card.problem, null);
  t.equal(card.name, 'ginnel1');
});

t.test('while it cannot be opened it is tried ever more rarely, and not after the end', async t => {
  const { card, clock, opened, world } = madeUp();
  card.take(place('10.77.0.2'));
  world.fails = true;
  t.throws(() => card.take(place('10.77.0.3')), { code: 'TUN_MISSING' });
  t.equal(opened[0]?.isOpen, false, 'the former one is not left with the former address');
  clock.advance(10 * LAST_RETRY_MS);
  t.ok(world.tries > 8 && world.tries < 20, `${world.tries} tries`);
  world.fails = false;
  clock.advance(LAST_RETRY_MS);
  t.equal(card.name, 'ginnel1', 'it is opened although the server says nothing new');
  opened[1]?.lose();
  card.close();
  clock.advance(10 * LAST_RETRY_MS);
  t.equal(opened.length, 2);
});

t.test('status says that the card is gone', async t => {
  const { invite } = await startServer(t);
  const bench = await openNode(t);
  await bench.node.up({ invite: await invite() });
  bench.cards[0]?.lose();
  t.match(bench.node.status(), { tun: '', health: [{ code: 'TUN_LOST' }] });
});
