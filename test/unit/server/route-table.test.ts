// The forwarding route table as data: what it answers, whom it tells, and that it stays quiet where nothing is new.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { seededRandom } from '../../../base/random.ts';
import type { Endpoint } from '../../../protocol/address.ts';
import type { Registration, ServerMessage } from '../../../protocol/location/messages.ts';
import { doorPlaces, isNear } from '../../../server/relays/door-places.ts';
import { Doors } from '../../../server/relays/doors.ts';
import type { Door } from '../../../server/relays/doors.ts';
import type { DoorAnswer } from '../../../server/relays/door-check.ts';
import type { RelayChoice } from '../../../server/relays/facts.ts';
import { RouteTable } from '../../../server/relays/table.ts';
import { rulesWith } from '../../../protocol/ip/classify.ts';
import { Counters } from '../../../base/counters.ts';
import { madeUpNode } from '../../support/made-up-node.ts';

const registration = (more: Partial<Registration> = {}): Registration => ({
  ...{ privateAddresses: [], publicAddresses: [], tcpPorts: [], candidates: [], bandwidth: null },
  ...{ cpuLoad: 0, reachable: 'no', relay: null, region: '', relays: [] },
  ...more,
});

const OFFER = { limit: 100e6, spare: 100e6, nodes: 0, mostNodes: 512 };
const endpoint = (address: string, port = 7443): Endpoint => ({ family: 4, address, port });
const answersAt = (...addresses: string[]): Door => ({
  state: addresses.length > 0 ? 'answers' : 'closed',
  places: addresses.map(address => endpoint(address)),
});

class World {
  readonly clock = new ManualClock();
  readonly said: [to: string, message: ServerMessage][] = [];
  readonly watching = new Map<string, string[]>();
  readonly doubted: string[] = [];
  way: RelayChoice = 'balanced';
  readonly table = new RouteTable({
    ...{ clock: this.clock, random: seededRandom(1), way: () => this.way },
    signed: id => ({ ...madeUpNode(id), record: { ...madeUpNode(id).record, id } }),
    isOutside: ({ address }) => !address.startsWith('192.168.'),
    tell: (to, message) => this.said.push([to, message]),
    watchersOf: id => this.watching.get(id) ?? [],
    doubted: relay => this.doubted.push(relay),
  });

  comes(id: string, door: Door, more: Partial<Registration> = {}, isNearby = false): void {
    this.table.registered(id, registration(more), { isNear: isNearby, door });
  }

  relay(id: string, address: string, more: Partial<Registration> = {}): void {
    this.comes(id, answersAt(address), { relay: OFFER, ...more });
  }

  /** Relays that were told to it, newest message last; forgets all that was said. */
  told(to: string): string[] {
    const all = this.said.flatMap(([who, message]) =>
      who === to && message.type === 'relays'
        ? [message.keep.map(({ node }) => node.record.id).join(' ')]
        : [],
    );
    this.said.length = 0;
    return all;
  }

  relaysOf(node: string, asker = 'asker'): string {
    return this.table
      .wayTo(node, asker)
      .relays.map(place => place.node.record.id)
      .join(' ');
  }
}

t.test('V7: a door that answers is the way; without one it is the relays', t => {
  const world = new World();
  world.relay('r1', '198.51.100.1');
  world.comes('open', answersAt('203.0.113.7'));
  world.comes('shut', answersAt());
  t.same(world.table.wayTo('open', 'asker'), { tcp: [endpoint('203.0.113.7')], relays: [] });
  t.equal(world.relaysOf('shut'), 'r1');
  t.same(world.table.wayTo('shut', 'r1').relays, [], 'a relay does not go through itself');
  world.table.left('shut');
  t.same(world.table.wayTo('shut', 'asker'), { tcp: [], relays: [] }, 'whoever is away is reached by none');
  t.end();
});

t.test('V7: an address of the local network is a way for those who are on it, and no other', t => {
  const world = new World();
  world.comes('lan', answersAt('192.168.1.5'), {}, true);
  world.comes('beside', answersAt(), {}, true);
  t.same(world.table.wayTo('lan', 'beside').tcp, [endpoint('192.168.1.5')]);
  world.relay('r1', '198.51.100.1');
  t.equal(world.relaysOf('lan'), 'r1', 'somebody is outside now');
  t.same(world.table.wayTo('lan', 'r1').tcp, []);
  t.same(world.table.wayTo('lan', 'beside').tcp, [endpoint('192.168.1.5')]);
  world.comes('lan', answersAt('192.168.1.5'), { relay: OFFER }, true);
  world.comes('far', answersAt());
  t.notMatch(world.relaysOf('far'), /lan/, 'nor is it a relay for those outside');
  t.end();
});

t.test('V13: what is over is recomputed at once and told to the node and who watches it, once', t => {
  const world = new World();
  for (const [at, id] of ['r1', 'r2', 'r3'].entries()) world.relay(id, `198.51.${at}.1`);
  world.comes('box', answersAt());
  const [pair = ''] = world.told('box');
  const [first, second] = pair.split(' ');
  world.watching.set('box', ['sender']);
  world.comes('box', answersAt());
  t.same(world.said, [], 'the same again is no news');
  world.table.left(first!);
  const spare = ['r1', 'r2', 'r3'].find(id => !pair.includes(id));
  t.match(world.said, [
    [
      'box',
      { type: 'relays', keep: [{ node: { record: { id: second } } }, { node: { record: { id: spare } } }] },
    ],
    ['sender', { type: 'rerouted', node: 'box', tcp: [] }],
  ]);
  t.equal(world.said.length, 2);
  world.said.length = 0;
  world.table.forget(second!);
  t.equal(world.told('box').length, 1);
  t.equal(world.relaysOf('box'), spare);
  t.end();
});

t.test('V13: a relay that came back may be had again by who could not reach it', t => {
  const world = new World();
  world.relay('r1', '198.51.1.1');
  world.comes('box', answersAt());
  const failed = { relays: [{ node: 'r1', state: 'failed' as const, rttMs: null }] };
  world.comes('box', answersAt(), failed);
  t.same(world.doubted, ['r1']);
  t.equal(world.relaysOf('box'), 'r1', 'one that failed is better than none');
  world.relay('r2', '198.51.2.1');
  t.equal(world.relaysOf('box'), 'r2 r1');
  world.table.left('r1');
  world.relay('r1', '198.51.1.1');
  t.same([...world.table.row('box')!.failed], []);
  t.end();
});

t.test('V13: who comes back, or whose server began anew, keeps its relays', t => {
  const world = new World();
  for (const [at, id] of ['r1', 'r2', 'r3', 'r4'].entries()) world.relay(id, `198.51.${at}.1`);
  const kept = ['r4', 'r3'].map(node => ({ node, state: 'kept' as const, rttMs: 1 }));
  world.comes('box', answersAt(), { relays: kept });
  t.equal(world.relaysOf('box'), 'r4 r3');
  t.same(world.told('box'), ['r4 r3']);
  world.table.left('box');
  world.table.arrived('box');
  world.comes('box', answersAt());
  t.same(world.told('box'), ['r4 r3'], 'and is told again');
  t.equal(world.table.book.for(true).get('r4')?.firsts, 1);
  world.table.left('box');
  t.equal(world.table.book.for(true).get('r4')?.firsts, 0);
  t.end();
});

t.test('V9: two others are named to go to while the server is away', t => {
  const world = new World();
  for (let at = 0; at < 6; at++) world.relay(`r${at}`, `198.51.${at}.1`);
  world.comes('box', answersAt());
  const others = (): string[] =>
    world.said.flatMap(([, message]) =>
      message.type === 'relays' ? [message.measure.map(({ node }) => node.record.id).join(' ')] : [],
    );
  const [named = ''] = others();
  t.equal(named.split(' ').length, 2);
  const kept = world.relaysOf('box').split(' ');
  t.notOk(
    kept.some(id => named.includes(id)),
    'others than it keeps',
  );
  world.said.length = 0;
  for (let minute = 0; minute < 30; minute++) {
    world.clock.advance(60_000);
    world.comes('box', answersAt());
  }
  t.equal(world.said.length, 0, 'the same ones as long as they are there');
  world.comes('open', answersAt('203.0.113.9'));
  t.equal(world.said.length, 0, 'who needs no relay is named none');
  t.end();
});

t.test('V9: who needs no relay any more is told so', t => {
  const world = new World();
  world.relay('r1', '198.51.1.1');
  world.comes('box', answersAt());
  t.same(world.told('box'), ['r1']);
  world.table.doorSeen('box', answersAt('203.0.113.4'));
  t.same(world.told('box'), ['']);
  t.end();
});

t.test('V7: what is not known of a door yet is waited for, but not for long', t => {
  const world = new World();
  world.relay('r1', '198.51.1.1');
  world.comes('box', { state: 'checking', places: [] });
  t.same(world.told('box'), []);
  world.table.doorSeen('box', { state: 'checking', places: [] }, true);
  t.same(world.told('box'), ['r1']);
  t.end();
});

const table = rulesWith([]);
const scopes = { table: table.ok ? table.value : [], isOnLink: () => false, loopbackIsPublic: false };
const session = (address: string, proxied = false) => ({
  ...{ remote: endpoint(address, 50000), local: endpoint('203.0.113.1'), host: null, proxied },
});

t.test('V7: a door is looked for where the node may be, configured places first, four at most', t => {
  const at = (more: Partial<Registration>, from = session('198.51.100.9')): string[] =>
    doorPlaces(registration({ tcpPorts: [7443], ...more }), from, scopes).map(
      ({ address, port }) => `${address}:${port}`,
    );
  const configured = [
    { kind: 'configured', transport: 'udp', endpoint: endpoint('22.33.44.55', 4444) },
    { kind: 'host', transport: 'udp', endpoint: endpoint('192.168.0.2', 41641) },
  ];
  t.same(at({}), ['198.51.100.9:7443']);
  t.same(at({ tcpPorts: [] }), []);
  t.same(at({ candidates: configured }), ['22.33.44.55:4444', '198.51.100.9:7443', '22.33.44.55:7443']);
  const many = ['203.0.113.1', '203.0.113.2', '203.0.113.3', '203.0.113.4'].map(one => endpoint(one));
  t.equal(at({ publicAddresses: many, tcpPorts: [7443, 443] }).length, 4);
  const inside = [endpoint('192.168.1.5'), endpoint('169.254.1.1'), endpoint('127.0.0.1')];
  t.same(at({ privateAddresses: inside }), ['198.51.100.9:7443'], 'private ones are of no use from outside');
  t.same(at({ privateAddresses: inside }, session('192.168.1.5')), ['192.168.1.5:7443']);
  t.same(
    at({ privateAddresses: inside }, session('127.0.0.1')),
    ['192.168.1.5:7443'],
    'the server’s own box',
  );
  t.same(at({ publicAddresses: [many[0]!] }, session('198.51.100.9', true)), ['203.0.113.1:7443']);
  t.same(at({ privateAddresses: inside }, session('192.168.1.5', true)), [], 'a proxy proves nothing');
  t.ok(isNear(scopes, session('10.0.0.1')));
  t.notOk(isNear(scopes, session('100.64.0.1')), 'a carrier’s network is nobody’s own');
  t.end();
});

t.test(
  'V7: doors are looked at when places change and from time to time, not more often, not too many at once',
  async t => {
    const clock = new ManualClock();
    const looks: { place: Endpoint; answer: (answer: DoorAnswer) => void }[] = [];
    const changed: string[] = [];
    const doors = new Doors({
      ...{ clock, counters: new Counters(), most: 3, againMs: 10_000 },
      look: place => new Promise(answer => void looks.push({ place, answer })),
      changed: node => changed.push(node),
    });
    const answered = async (answer: DoorAnswer): Promise<void> => {
      for (const look of looks.splice(0)) look.answer(answer);
      await new Promise(resolve => setImmediate(resolve));
    };
    const subject = { controlKey: new Uint8Array(32), isRelay: true };
    const places = [1, 2].map(each => endpoint(`198.51.100.${each}`));
    doors.watch('a', { ...subject, places });
    doors.watch('b', { ...subject, places });
    t.equal(looks.length, 3, 'three at once');
    t.equal(doors.door('a').state, 'checking');
    await answered('answers');
    t.same(doors.door('a').places, places);
    await answered('silent');
    doors.watch('a', { ...subject, places });
    t.equal(looks.length, 0, 'nothing new');
    clock.advance(119_000);
    t.equal(looks.length, 0);
    clock.advance(1000);
    t.equal(looks.length, 3, 'a relay every two minutes');
    changed.length = 0;
    await answered('silent');
    t.same(changed, [], 'one lost try is no proof');
    await answered('silent');
    await answered('silent');
    await answered('silent');
    t.equal(doors.door('a').state, 'closed');
    t.ok(changed.includes('a'));
    for (let turn = 0; turn < 20; turn++) {
      doors.watch('a', { ...subject, places: [endpoint(`198.51.100.${turn + 10}`)] });
      await answered('refused');
    }
    t.equal(looks.length, 0);
    clock.advance(10_000);
    t.equal(looks.length, 1, 'who changes all the time is looked at every ten seconds');
    doors.close();
    await answered('answers');
    clock.advance(1e6);
    t.equal(looks.length, 0);
  },
);
