// Who is out of the network: believed by the server's signature alone, kept through restarts, and what follows for peers.
import t from 'tap';
import type { Test } from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import type { SignedNode, Standing } from '../../../protocol/location/messages.ts';
import { signStanding } from '../../../protocol/location/signed.ts';
import { PeerBook } from '../../../core/peers/peer-book.ts';
import { Standings } from '../../../core/peers/standings.ts';
import { primitives } from '../../../system/crypto.ts';
import {
  makeIdentity,
  MemoryStore,
  network,
  nodeOf,
  NOW,
  serverIdentity,
  serverSeed,
} from '../control/made-up.ts';

const [self, attic, cellar] = [await makeIdentity(), await makeIdentity(), await makeIdentity()];

const word = (state: Standing['state'], at: number, seed = serverSeed): Standing =>
  signStanding(primitives, seed, { v: 1, network, id: attic.id, state, at });

interface Bench {
  readonly standings: Standings;
  readonly book: PeerBook;
  readonly counters: Counters;
  readonly told: string[];
  readonly stores: { readonly peers: MemoryStore; readonly standings: MemoryStore };
  kept(): Promise<void>;
}

const freshStores = (): Bench['stores'] => ({ peers: new MemoryStore(), standings: new MemoryStore() });

async function open(stores = freshStores()): Promise<Bench> {
  const counters = new Counters();
  const told: string[] = [];
  const shared = { primitives, counters, log: silentLog, network, serverIdentity };
  const joined: { book?: PeerBook } = {};
  const standings = await Standings.open({
    ...shared,
    store: stores.standings,
    news: ({ id }, from) => {
      told.push(`news from a ${from}`);
      joined.book?.judge(id);
    },
  });
  const clock = new ManualClock(NOW);
  const book = await PeerBook.open({
    ...{ ...shared, clock, standings },
    store: stores.peers,
    nowMs: () => clock.wallMs(),
    self: self.id,
    localStatic: self.control,
    events: {
      forgotten: peer => void told.push(`forgotten ${peer.node.record.name}`),
      returned: peer => void told.push(`returned ${peer.node.record.name}`),
    },
  });
  joined.book = book;
  const kept = async (): Promise<void> => {
    await book.flush();
    await standings.flush();
  };
  return { standings, book, counters, told, stores, kept };
}

const verdict = (book: PeerBook, node: SignedNode): string => {
  const result = book.accept(node);
  return result.ok ? 'accepted' : result.code;
};

t.test("V3: only the server's own signature, over this network, puts a peer out", async t => {
  const { standings, book, counters } = await open();
  book.accept(nodeOf(attic, 'attic', '10.77.0.3'));
  const forged = word('removed', NOW + 1, primitives.randomBytes(32));
  const elsewhere = signStanding(primitives, serverSeed, {
    ...{ v: 1, id: attic.id, state: 'removed', at: NOW + 1 },
    network: 'AAAAAAAAAAAAAAAAAAAAAA',
  });
  for (const item of [forged, elsewhere, { ...word('removed', NOW), at: NOW + 2 }, {}, null, 'removed'])
    t.equal(standings.hear(item), 'refused');
  t.equal(counters.snapshot()['standings.refused'], 6);
  t.ok(book.byId(attic.id), 'still there');
});

t.test(
  'V3: a removed peer is forgotten at once and refused whoever vouches for it, after a restart too',
  async t => {
    const bench = await open();
    const node = nodeOf(attic, 'attic', '10.77.0.3');
    bench.book.accept(node);
    bench.book.accept(nodeOf(cellar, 'cellar', '10.77.0.4'));
    await bench.kept();
    t.equal(bench.standings.hear(word('removed', NOW + 5)), 'new');
    t.same(bench.told, ['news from a node', 'forgotten attic']);
    t.equal(bench.book.find('attic'), null);
    t.equal(bench.book.byAddress('10.77.0.3'), null);
    t.equal(verdict(bench.book, node), 'peer.removed');
    t.equal(bench.counters.snapshot()['peers.refused.peer.removed'], 1);
    t.equal(bench.standings.hear(word('removed', NOW + 5)), 'known');
    t.equal(bench.standings.learn(word('member', NOW + 4)), 'known', 'an older word does not bring it back');
    await bench.kept();

    const again = await open(bench.stores);
    t.equal(verdict(again.book, node), 'peer.removed');
    t.equal(verdict(again.book, nodeOf(attic, 'attic', '10.77.0.3', { generation: 9 })), 'peer.removed');
    t.equal(again.book.size, 1, 'cellar is still known');
    t.equal(bench.stores.peers.values.has(attic.id), false);
  },
);

t.test('V3: let in anew, with a later assignment, it is accepted, and its keys may be others', async t => {
  const { standings, book } = await open();
  book.accept(nodeOf(attic, 'attic', '10.77.0.3'));
  standings.learn(word('removed', NOW + 5));
  t.equal(verdict(book, nodeOf(attic, 'attic', '10.77.0.3', {}, NOW + 5)), 'peer.removed', 'not later');
  const { wireguardKey } = await makeIdentity();
  t.equal(verdict(book, nodeOf(attic, 'attic', '10.77.0.5', { wireguardKey }, NOW + 6)), 'accepted');
  standings.learn(word('disabled', NOW + 7));
  t.equal(book.find('attic'), null, 'and it can be put out again');
});

t.test(
  'V3: a disabled peer is kept apart, its handshakes known, and comes back as it was',
  async (t: Test) => {
    const bench = await open();
    const node = nodeOf(attic, 'attic', '10.77.0.3');
    bench.book.accept(node);
    bench.book.noteGood(attic.id, {
      transport: 'udp',
      remote: { family: 4, address: '192.0.2.7', port: 4444 },
      localPort: 1,
    });
    bench.standings.learn(word('disabled', NOW + 5));
    t.equal(bench.book.find('attic'), null);
    t.equal(verdict(bench.book, node), 'peer.disabled');
    t.equal(verdict(bench.book, nodeOf(attic, 'attic', '10.77.0.3', {}, NOW + 99)), 'peer.disabled');
    t.ok(bench.book.isKeptOut(attic.wireguardKey));
    await bench.kept();

    const again = await open(bench.stores);
    t.equal(again.book.find('attic'), null, 'after a restart too');
    t.ok(again.book.isKeptOut(attic.wireguardKey));
    again.standings.hear(word('member', NOW + 6));
    t.same(again.told, ['news from a node', 'returned attic']);
    t.equal(again.book.find('attic')?.goodEndpoints.length, 1);
    t.notOk(again.book.isKeptOut(attic.wireguardKey));
  },
);

t.test('V3: a disabled peer whose address went to another meanwhile does not take it back', async t => {
  const { standings, book, told } = await open();
  book.accept(nodeOf(attic, 'attic', '10.77.0.3'));
  standings.learn(word('disabled', NOW + 5));
  book.accept(nodeOf(cellar, 'cellar', '10.77.0.3', {}, NOW + 6));
  standings.learn(word('member', NOW + 7));
  t.equal(book.byAddress('10.77.0.3')?.node.record.name, 'cellar');
  t.equal(book.find('attic'), null);
  t.notOk(told.includes('returned attic'));
});

t.test(
  'V3: what was kept and is not the word of this server is left out, and a full disk is counted',
  async t => {
    const stores = freshStores();
    await stores.standings.put(attic.id, word('removed', 1, primitives.randomBytes(32)));
    stores.standings.full = true;
    const { standings, counters } = await open(stores);
    t.equal(standings.of(attic.id), null);
    t.equal(counters.snapshot()['standings.unreadable'], 1);
    t.equal(standings.learn(word('removed', 2)), 'new');
    await standings.flush();
    t.equal(counters.snapshot()['standings.unwritten'], 1);
    t.equal(standings.of(attic.id)?.at, 2, 'it holds in this run all the same');
  },
);
