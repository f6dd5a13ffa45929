// What a node keeps of its peers: verified, pinned, kept through restarts, with few writes.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { toBase64 } from '../../../protocol/base64.ts';
import type { SignedNode } from '../../../protocol/location/messages.ts';
import { signAssignment } from '../../../protocol/location/signed.ts';
import { PeerBook } from '../../../core/peers/peer-book.ts';
import type { PeerBookOptions } from '../../../core/peers/peer-book.ts';
import { primitives } from '../../../system/crypto.ts';
import {
  makeIdentity,
  MemoryStore,
  network,
  nodeOf,
  NOW,
  serverIdentity,
  YEAR_MS,
} from '../control/made-up.ts';

const [self, alice, bob] = [await makeIdentity(), await makeIdentity(), await makeIdentity()];
const endpoint = (port: number) => ({ family: 4, address: '192.0.2.7', port }) as const;

interface Bench {
  readonly book: PeerBook;
  readonly store: MemoryStore;
  readonly clock: ManualClock;
  readonly counters: Counters;
  readonly told: string[];
}

async function open(store = new MemoryStore(), change: Partial<PeerBookOptions> = {}): Promise<Bench> {
  const clock = new ManualClock(NOW);
  const counters = new Counters();
  const told: string[] = [];
  const book = await PeerBook.open({
    store,
    primitives,
    clock,
    counters,
    log: silentLog,
    nowMs: () => clock.wallMs(),
    network,
    serverIdentity,
    self: self.id,
    standings: { keepsOut: () => null },
    localStatic: self.control,
    events: {
      keyChanged: (known, { message }) => void told.push(`${known.node.record.name}: ${message}`),
      forgotten: peer => void told.push(`forgotten ${peer.node.record.name}`),
    },
    ...change,
  });
  return { book, store, clock, counters, told };
}

const refusal = (book: PeerBook, node: SignedNode): string => {
  const result = book.accept(node);
  return result.ok ? 'accepted' : result.code;
};

t.test('V10: a peer is found by name, virtual IP, id and WireGuard key', async t => {
  const { book } = await open();
  const node = nodeOf(alice, 'Attic-NAS', '10.77.0.3');
  t.equal(refusal(book, node), 'accepted');
  for (const what of ['attic-nas', '10.77.0.3', node.record.ip6, alice.id, alice.wireguardKey])
    t.equal(book.find(what)?.node.record.id, alice.id, what);
  t.equal(book.byAddress('10.77.0.3')?.node.record.id, alice.id);
  t.equal(book.byWireguardKey(alice.wireguardKey)?.node.record.id, alice.id);
  t.equal(book.find('cellar'), null);
  t.equal(book.byAddress('10.77.0.4'), null);
});

t.test(
  'what is not signed, not of this network, expired, or of this node itself is refused and counted',
  async t => {
    const { book, counters } = await open();
    const good = nodeOf(alice, 'alice', '10.77.0.3');
    const changed = { ...good, record: { ...good.record, name: 'eve' } };
    t.equal(refusal(book, changed), 'signed.signature');
    const otherServer = primitives.randomBytes(32);
    const forged = signAssignment(primitives, otherServer, good.assignment);
    t.equal(refusal(book, { ...good, assignment: forged }), 'signed.signature');
    t.equal(
      refusal(book, { ...good, assignment: nodeOf(alice, 'alice', '10.77.0.4').assignment }),
      'signed.mismatch',
    );
    t.equal(
      refusal(book, nodeOf(alice, 'alice', '10.77.0.3', { network: 'AAAAAAAAAAAAAAAAAAAAAA' })),
      'peer.network',
    );
    t.equal(refusal(book, nodeOf(alice, 'alice', '10.77.0.3', { ip6: 'fd00::1' })), 'signed.mismatch');
    t.equal(refusal(book, nodeOf(alice, 'alice', '10.77.0.3', { expires: NOW })), 'peer.expired');
    t.equal(refusal(book, nodeOf(self, 'self', '10.77.0.2')), 'peer.self');
    const lowOrder = toBase64(new Uint8Array(32));
    t.equal(refusal(book, nodeOf(alice, 'alice', '10.77.0.3', { wireguardKey: lowOrder })), 'peer.key');
    t.equal(book.size, 0);
    t.equal(counters.snapshot()['peers.refused.peer.self'], 1);
    t.equal(refusal(book, good), 'accepted');
  },
);

t.test(
  'the keys of a known node are pinned: a change is refused, counted and told, until it is forgotten',
  async t => {
    const { book, counters, told } = await open();
    book.accept(nodeOf(alice, 'alice', '10.77.0.3'));
    const { wireguardKey } = await makeIdentity();
    const turned = nodeOf(alice, 'alice', '10.77.0.3', { wireguardKey, generation: 9 });
    t.equal(refusal(book, turned), 'peer.key-changed');
    const { controlKey } = await makeIdentity();
    t.equal(
      refusal(book, nodeOf(alice, 'alice', '10.77.0.3', { controlKey, generation: 9 })),
      'peer.key-changed',
    );
    t.equal(book.byId(alice.id)?.node.record.wireguardKey, alice.wireguardKey);
    t.equal(counters.snapshot()['peers.refused.peer.key-changed'], 2);
    t.match(told, [/alice: alice shows another key .*PEER_KEY_CHANGED/, /alice/]);
    book.forget(alice.id);
    t.equal(refusal(book, turned), 'accepted');
  },
);

t.test('nobody else can take the WireGuard key of a known node', async t => {
  const { book } = await open();
  book.accept(nodeOf(alice, 'alice', '10.77.0.3'));
  const thief = nodeOf(bob, 'bob', '10.77.0.4', { wireguardKey: alice.wireguardKey });
  t.equal(refusal(book, thief), 'peer.key-taken');
  t.equal(book.byWireguardKey(alice.wireguardKey)?.node.record.id, alice.id);
});

t.test('a record of an older generation, or another of the same one, is refused', async t => {
  const { book } = await open();
  book.accept(nodeOf(alice, 'alice', '10.77.0.3', { generation: 5 }));
  t.equal(refusal(book, nodeOf(alice, 'old', '10.77.0.3', { generation: 4 })), 'peer.generation');
  t.equal(refusal(book, nodeOf(alice, 'twin', '10.77.0.3', { generation: 5 })), 'peer.generation');
  t.equal(refusal(book, nodeOf(alice, 'alice', '10.77.0.3', { generation: 6 }, NOW - 1)), 'peer.generation');
  t.equal(refusal(book, nodeOf(alice, 'loft', '10.77.0.8', { generation: 6 }, NOW + 1)), 'accepted');
  t.equal(book.find('loft')?.node.record.generation, 6);
  t.equal(book.byAddress('10.77.0.3'), null, 'its old address finds nobody');
});

t.test(
  'V1: an address that the server gave to another node leads there; the older word does not take it back',
  async t => {
    const { book, told } = await open();
    book.accept(nodeOf(alice, 'alice', '10.77.0.3'));
    book.accept(nodeOf(bob, 'bob', '10.77.0.3', {}, NOW + 1));
    t.equal(book.byAddress('10.77.0.3')?.node.record.name, 'bob');
    t.equal(book.byId(alice.id), null);
    t.same(told, ['forgotten alice']);
    t.equal(refusal(book, nodeOf(alice, 'alice', '10.77.0.3')), 'peer.address-taken');
    t.equal(book.byAddress('10.77.0.3')?.node.record.name, 'bob');
  },
);

t.test('V10: a restart without the server: peers, places and serials are as they were', async t => {
  const { book, store, clock } = await open();
  book.accept(nodeOf(alice, 'alice', '10.77.0.3'));
  book.noteGood(alice.id, { transport: 'udp', remote: endpoint(1), localPort: 41_641 });
  clock.advance(1_000);
  book.noteGood(alice.id, { transport: 'udp', remote: endpoint(2), localPort: 41_641 });
  book.noteCandidates(alice.id, [{ kind: 'host', transport: 'udp', endpoint: endpoint(9) }]);
  t.ok(book.admitSerial(alice.id, 100));
  await book.flush();
  const second = await open(store);
  const peer = second.book.find('alice');
  t.same(peer, book.find('alice'));
  t.same(
    peer?.goodEndpoints.map(good => good.remote.port),
    [2, 1],
    'the latest first',
  );
  t.notOk(second.book.admitSerial(alice.id, 100), 'a signal from before the restart is not taken again');
  t.ok(second.book.admitSerial(alice.id, 101));
  t.notOk(second.book.admitSerial(bob.id, 1), 'nobody knows Bob');
});

t.test('V10: where a new peer was first met outlasts a power cut two seconds later', async t => {
  const { book, store, clock } = await open();
  book.accept(nodeOf(alice, 'alice', '10.77.0.3'));
  await settled();
  book.noteGood(alice.id, { transport: 'udp', remote: endpoint(1), localPort: 41_641 });
  clock.advance(2_000);
  await settled();
  const second = await open(store);
  t.equal(second.book.find('alice')?.goodEndpoints[0]?.remote.port, 1);
});

t.test('the node runs on an expired record that it knows, in 1970 as in 2040', async t => {
  const { book, store } = await open();
  book.accept(nodeOf(alice, 'alice', '10.77.0.3'));
  await book.flush();
  for (const nowMs of [0, NOW + 20 * YEAR_MS]) {
    const later = await open(store, { nowMs: () => nowMs });
    t.equal(later.book.find('alice')?.node.record.id, alice.id);
    t.equal(refusal(later.book, nodeOf(alice, 'alice', '10.77.0.3')), 'accepted', 'the same word again');
  }
});

t.test(
  'flash is spared: a new peer is written at once, its places every 30 s at most, all at the end',
  async t => {
    const { book, store, clock } = await open();
    book.accept(nodeOf(alice, 'alice', '10.77.0.3'));
    book.accept(nodeOf(alice, 'alice', '10.77.0.3'));
    await settled();
    t.equal(store.writes, 1);
    for (let second = 0; second < 60; second++) {
      book.noteGood(alice.id, { transport: 'udp', remote: endpoint(1 + (second % 7)), localPort: 1 });
      clock.advance(1_000);
    }
    await settled();
    t.equal(store.writes, 3);
    book.noteGood(alice.id, { transport: 'udp', remote: endpoint(1), localPort: 1 });
    await book.flush();
    t.equal(store.writes, 4);
    t.equal(book.find('alice')?.goodEndpoints.length, 4, 'four places are kept');
  },
);

t.test('the book is bounded: the peer without a word for longest is forgotten', async t => {
  const { book, store, told } = await open(new MemoryStore(), { maxPeers: 2 });
  const carol = await makeIdentity();
  book.accept(nodeOf(alice, 'alice', '10.77.0.3'));
  book.accept(nodeOf(bob, 'bob', '10.77.0.4'));
  book.accept(nodeOf(alice, 'alice', '10.77.0.3'));
  book.accept(nodeOf(carol, 'carol', '10.77.0.5'));
  await book.flush();
  t.same(told, ['forgotten bob']);
  t.equal(book.byAddress('10.77.0.4'), null);
  t.same([...store.values.keys()].sort(), [alice.id, carol.id].sort());
});

t.test('a full disk is counted, and what could not be written is still known', async t => {
  const { book, store, counters } = await open();
  store.full = true;
  book.accept(nodeOf(alice, 'alice', '10.77.0.3'));
  await book.flush();
  t.equal(counters.snapshot()['peers.unwritten'], 1);
  t.ok(book.find('alice'));
  store.full = false;
  book.noteCandidates(alice.id, []);
  await book.flush();
  t.equal(store.values.size, 1, 'the next write keeps it');
});

t.test('entries that are damaged, forged or of another network are left out and counted', async t => {
  const { book, store } = await open();
  book.accept(nodeOf(alice, 'alice', '10.77.0.3'));
  book.accept(nodeOf(bob, 'bob', '10.77.0.4'));
  await book.flush();
  const kept = book.byId(bob.id)!;
  store.values.set(bob.id, { ...kept, node: { ...kept.node, record: { ...kept.node.record, name: 'eve' } } });
  store.values.set('x', { node: 1 });
  const second = await open(store);
  t.same(
    second.book.all().map(peer => peer.node.record.name),
    ['alice'],
  );
  t.equal(second.counters.snapshot()['peers.unreadable'], 2);
  const elsewhere = await open(store, { network: 'AAAAAAAAAAAAAAAAAAAAAA' });
  t.equal(elsewhere.book.size, 0);
});

/** Writes to the store in memory settle within a turn of the event loop. */
const settled = (): Promise<void> => new Promise(resolve => void setImmediate(resolve));
