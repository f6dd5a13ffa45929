// Where other nodes' relays are: what peers may cause the location server to be asked.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { GinnelError } from '../../../base/errors.ts';
import type { NetworkRoute } from '../../../core/contract/plugin.ts';
import { Places } from '../../../plugins/relay-tcp/places.ts';
import { MemoryNetwork } from '../../support/memory-streams.ts';

function bench() {
  const clock = new ManualClock();
  const network = new MemoryNetwork(clock);
  const [relay, peer, other] = ['relay', 'peer', 'other'].map(name => network.node(name));
  const asked: string[] = [];
  const route = (to: object): Promise<NetworkRoute> => {
    const id = String(Reflect.get(to, 'node'));
    asked.push(id);
    const found = network.nodes.get(id);
    if (found === undefined) return Promise.reject(new GinnelError('NODE_UNKNOWN', 'nobody'));
    const tcp = found === relay ? [relay.endpoint] : [];
    return Promise.resolve({ node: found.signed, tcp, relays: [] });
  };
  return { clock, asked, places: new Places(clock, { route }), relay: relay!, peer: peer!, other: other! };
}

t.test('a peer that names ever other relays causes few look-ups, and takes nobody else’s', async t => {
  const { clock, asked, places, relay, peer, other } = bench();
  for (let at = 0; at < 200; at++) t.equal(await places.of(`invented ${at}`, peer.node), null);
  t.ok(asked.length <= 20, `${asked.length} look-ups`);
  t.same((await places.of(relay.node, other.node))?.places, [relay.endpoint]);
  const before = asked.length;
  clock.advance(10_000);
  for (let at = 0; at < 200; at++) await places.of(`invented again ${at}`, peer.node);
  t.ok(asked.length > before, 'later it may ask again');
  t.ok(asked.length - before <= 20);
});

t.test('many peers together cause no more than two look-ups a second', async t => {
  const { clock, asked, places } = bench();
  for (let at = 0; at < 100; at++) {
    await places.of(`invented ${at}`, `peer ${at}`);
    clock.advance(100);
  }
  t.ok(asked.length <= 40, `${asked.length} look-ups in ten seconds`);
});

t.test('a relay that nobody knew is not looked for again at once', async t => {
  const { clock, asked, places, peer } = bench();
  for (let at = 0; at < 4; at++) t.equal(await places.of('nobody', peer.node), null);
  t.equal(asked.length, 2, 'the peer, and the relay itself');
  clock.advance(10_000);
  t.equal(await places.of('nobody', peer.node), null);
  t.equal(asked.length, 4);
});

t.test('several that ask for the same peer at once are one question', async t => {
  const { asked, places, relay, peer } = bench();
  const found = await Promise.all([1, 2, 3].map(() => places.of(relay.node, peer.node)));
  t.same(
    found.map(place => place?.places),
    [1, 2, 3].map(() => [relay.endpoint]),
  );
  t.same(asked, [peer.node, relay.node]);
});
