// The node's side: relays that are kept, measured and reported, and ways through them.
import t from 'tap';
import { GinnelError } from '../../../base/errors.ts';
import type { Candidate } from '../../../core/contract/candidate.ts';
import type { MemoryNode } from '../../support/memory-streams.ts';
import { batchOf, started, type Stage } from './stage.ts';

const signal = (): AbortSignal => new AbortController().signal;

/** The box and so many relays. */
async function withRelays(count: number): Promise<{ s: Stage; relays: MemoryNode[] }> {
  const s = await started();
  const relays = Array.from({ length: count }, (_, at) => s.network.node(`r${at + 1}`));
  for (const relay of relays) relay.isRelay = true;
  return { s, relays };
}

const connected = (box: MemoryNode): string[] => [...box.streams].map(({ name }) => name).sort();
const relayCandidate = (relay: MemoryNode): Candidate => ({
  kind: 'relay',
  transport: 'relay-tcp',
  endpoint: relay.endpoint,
  relay: relay.node,
  foundBy: 'relay-tcp',
});

t.test('V9: a connection to each relay that the server names is opened, kept and reported', async t => {
  const { s, relays } = await withRelays(3);
  t.match(s.plugin.report(), { state: 'ready', code: '' }, 'none named: it forwards itself');
  let changes = 0;
  s.plugin.onChange(() => changes++);
  s.words.say(relays.slice(0, 2));
  await s.pass(100);
  t.same(connected(s.box), ['r1', 'r2']);
  t.same(s.words.inUse, ['r1 kept', 'r2 kept']);
  t.ok(changes >= 2);
  t.same(
    s.plugin.candidates(),
    relays.slice(0, 2).map(relay => relayCandidate(relay)),
  );
  await s.pass(1_500);
  t.same(
    s.words.facts.relays?.map(({ rttMs }) => rttMs),
    [2, 2],
    'the round trip follows',
  );
  const tells = s.words.inUseTold;
  await s.pass(120_000);
  t.equal(s.words.inUseTold, tells, 'nothing new, nothing told');
  t.match(s.plugin.report().facts, { relays: [{ name: 'r1', state: 'kept', rttMs: 2 }, { name: 'r2' }] });
});

t.test('V9: a relay that is lost is reported at once, and opened again after 1 s, 2 s … 60 s', async t => {
  const { s, relays } = await withRelays(2);
  s.words.say(relays);
  await s.pass(1_500);
  const [first] = relays as [MemoryNode];
  first.crash();
  t.same(s.words.inUse, ['r1 failed', 'r2 kept'], 'within the same turn');
  t.match(s.plugin.report(), { state: 'limited', code: 'RELAY_ONLY_ONE' });
  t.same(
    s.plugin.candidates().map(({ relay }) => relay),
    [relays[1]?.node],
  );
  const opened = s.box.opened;
  await s.pass(10_000);
  t.ok(s.box.opened - opened >= 2 && s.box.opened - opened <= 5, `${s.box.opened - opened} tries in 10 s`);
  await s.pass(600_000);
  const before = s.box.opened;
  await s.pass(600_000);
  t.ok(s.box.opened - before >= 9 && s.box.opened - before <= 21, `${s.box.opened - before} in 10 min`);
  first.isReachable = true;
  await s.pass(61_000);
  t.same(s.words.inUse, ['r1 kept', 'r2 kept']);
  t.equal(s.count('relays.lost'), 1);
  t.match(s.plugin.report(), { state: 'ready' });
});

t.test('V9: told anew, or on another network, whoever failed is tried at once', async t => {
  const { s, relays } = await withRelays(2);
  for (const relay of relays) relay.isReachable = false;
  s.words.say(relays);
  await s.pass(300_000);
  t.match(s.plugin.report(), { state: 'limited', code: 'RELAY_UNREACHABLE' });
  t.same(s.words.inUse, ['r1 failed', 'r2 failed']);
  for (const relay of relays) relay.isReachable = true;
  s.news.change();
  await s.pass(50);
  t.same(s.words.inUse, ['r1 kept', 'r2 kept']);
  for (const relay of relays) relay.crash();
  await s.pass(300_000);
  for (const relay of relays) relay.isReachable = true;
  s.words.say(relays);
  await s.pass(50);
  t.same(s.words.inUse, ['r1 kept', 'r2 kept']);
});

t.test('V9: what is no longer to be kept stays a minute more', async t => {
  const { s, relays } = await withRelays(3);
  const [r1, r2, r3] = relays as [MemoryNode, MemoryNode, MemoryNode];
  s.words.say([r1, r2]);
  await s.pass(100);
  s.words.say([r2, r3]);
  await s.pass(100);
  t.same(s.words.inUse, ['r2 kept', 'r3 kept']);
  t.same(connected(s.box), ['r1', 'r2', 'r3']);
  t.equal(s.plugin.candidates().length, 2, 'it is told to nobody any more');
  await s.pass(59_000);
  t.ok(connected(s.box).includes('r1'));
  await s.pass(2_000);
  t.same(connected(s.box), ['r2', 'r3']);
  s.words.say([r3]);
  await s.pass(30_000);
  s.words.say([r2, r3]);
  await s.pass(120_000);
  t.same(connected(s.box), ['r2', 'r3'], 'told again in time, it stays');
  t.equal(r2.streams.size, 1);
});

t.test('V9: while fewer than two can be reached, one of those to be measured stands in', async t => {
  const { s, relays } = await withRelays(3);
  const [r1, r2, r3] = relays as [MemoryNode, MemoryNode, MemoryNode];
  r2.isReachable = false;
  s.words.say([r1, r2], [r3]);
  await s.pass(3_000);
  t.same(connected(s.box), ['r1', 'r3']);
  t.same([...s.words.inUse].sort(), ['r1 kept', 'r2 failed', 'r3 kept']);
  r2.isReachable = true;
  await s.pass(130_000);
  t.same(connected(s.box), ['r1', 'r2'], 'and goes when it is not needed any more');
});

t.test(
  'relays to be measured are connected one at a time, closed again, and again after ten minutes',
  async t => {
    const { s, relays } = await withRelays(4);
    const [r1, r2, r3, r4] = relays as [MemoryNode, MemoryNode, MemoryNode, MemoryNode];
    r4.isReachable = false;
    s.words.say([r1], [r2, r3, r4]);
    await s.pass(5);
    t.ok(s.box.streams.size <= 2, 'one beside the one that is kept');
    await s.pass(10_000);
    t.same(connected(s.box), ['r1']);
    t.same(s.words.inUse, ['r1 kept', 'r2 measured', 'r3 measured', 'r4 failed']);
    t.match(s.words.facts.relays, [{}, { rttMs: 2 }, { rttMs: 2 }, { rttMs: null }]);
    const opened = s.box.opened;
    s.words.say([r1], [r2, r3, r4]);
    await s.pass(300_000);
    t.equal(s.box.opened, opened, 'not again so soon');
    await s.pass(400_000);
    t.equal(s.box.opened, opened + 3);
  },
);

t.test('a changed round trip is told within 30 s, a small change is not', async t => {
  const { s, relays } = await withRelays(2);
  s.words.say(relays);
  await s.pass(2_000);
  const tells = s.words.inUseTold;
  const stream = s.box.find(relays[0]!.address)!;
  stream.rttMs = 2.5;
  await s.pass(60_000);
  t.equal(s.words.inUseTold, tells);
  stream.rttMs = 40;
  await s.pass(31_000);
  t.equal(s.words.inUseTold, tells + 1);
  t.match(s.words.facts.relays, [{ rttMs: 40 }, { rttMs: 2 }]);
});

t.test('V9: a way to a peer through its relay: by what is kept, else by what the server knows', async t => {
  const { s, relays } = await withRelays(3);
  const [r1, r2, r3] = relays as [MemoryNode, MemoryNode, MemoryNode];
  const peer = s.network.node('peer');
  s.words.say([r1]);
  await s.pass(50);
  const kept = await s.plugin.dial(relayCandidate(r1), peer.peer, signal());
  t.match(kept.id, /peer via r1/);
  t.same(s.words.asked, []);
  s.words.routes.set(peer.node, { tcp: [], relays: [r1.place, r2.place] });
  const dialling = s.plugin.dial(relayCandidate(r2), peer.peer, signal());
  await s.pass(50);
  t.match((await dialling).id, /peer via r2/);
  t.same(s.words.asked, ['peer']);
  s.words.routes.set(r3.node, { tcp: [r3.endpoint], relays: [] });
  const third = s.plugin.dial(relayCandidate(r3), peer.peer, signal());
  await s.pass(50);
  t.match((await third).id, /peer via r3/);
  t.same(s.words.asked, ['peer', 'peer', 'r3']);
  t.equal((await s.plugin.dial(relayCandidate(r2), peer.peer, signal())).id, 'relay-tcp peer via r2');
  t.equal(s.box.opened, 3, 'the connection that stands is used again');
});

t.test(
  'connections for other nodes’ relays are closed after 90 s without use, those in use are not',
  async t => {
    const { s, relays } = await withRelays(2);
    const [r1, r2] = relays as [MemoryNode, MemoryNode];
    const peer = s.network.node('peer');
    s.words.routes.set(peer.node, { tcp: [], relays: [r1.place, r2.place] });
    const links = relays.map(relay => s.plugin.dial(relayCandidate(relay), peer.peer, signal()));
    await s.pass(100);
    const [used] = await Promise.all(links);
    for (let at = 0; at < 12; at++) {
      used?.send(batchOf(new Uint8Array(100)));
      await s.pass(10_000);
    }
    t.same(connected(s.box), ['r1']);
    await s.pass(120_000);
    t.same(connected(s.box), []);
    t.same(
      [r1, r2].map(({ streams }) => streams.size),
      [0, 0],
    );
  },
);

t.test('a dial says why it failed, and gives up when it is told to', async t => {
  const { s, relays } = await withRelays(2);
  const [r1, r2] = relays as [MemoryNode, MemoryNode];
  const peer = s.network.node('peer');
  const failure = (dialling: Promise<unknown>): Promise<unknown> =>
    dialling.then(
      () => 'no failure',
      (error: unknown) => (error instanceof GinnelError ? error.code : String(error)),
    );
  const unknown = failure(s.plugin.dial(relayCandidate(r1), peer.peer, signal()));
  await s.pass(50);
  t.equal(await unknown, 'RELAY_NOT_KNOWN');
  r2.isReachable = false;
  s.words.routes.set(peer.node, { tcp: [], relays: [r2.place] });
  const unreachable = failure(s.plugin.dial(relayCandidate(r2), peer.peer, signal()));
  await s.pass(1_500);
  t.equal(await unreachable, 'STREAM_UNREACHABLE');
  const abort = new AbortController();
  const aborted = failure(s.plugin.dial(relayCandidate(r2), peer.peer, abort.signal));
  await s.pass(100);
  abort.abort();
  await s.pass(10);
  t.equal(await aborted, 'ABORTED');
  const own = { ...relayCandidate(r1), relay: s.box.node };
  t.equal(await failure(s.plugin.dial(own, peer.peer, signal())), 'RELAY_NOT_KNOWN');
  peer.connect(s.box);
  const link = await s.plugin.dial(own, peer.peer, signal());
  t.match(link.id, /via peer/, 'whoever keeps this box as its relay is reached by that connection');
});

t.test('ways of its own: through each relay that it keeps, to anybody but that relay itself', async t => {
  const { s, relays } = await withRelays(2);
  const peer = s.network.node('peer');
  s.words.say(relays);
  await s.pass(50);
  const ids = (to: MemoryNode): string[] => (s.plugin.ownWays?.(to.peer) ?? []).map(({ id }) => id);
  t.same(ids(peer), ['relay-tcp peer via r1', 'relay-tcp peer via r2']);
  t.same(ids(relays[0]!), ['relay-tcp r1 via r2']);
  for (const relay of relays) peer.connect(relay);
  t.same(s.plugin.ownWays?.(peer.peer), s.plugin.ownWays?.(peer.peer), 'the same links each time');
});

t.test('stopped, it closes what it kept and takes back what it told', async t => {
  const { s, relays } = await withRelays(2);
  s.words.say(relays);
  await s.pass(100);
  await s.plugin.stop();
  t.same(connected(s.box), []);
  t.match(s.words.facts, { relays: [], relay: null });
  t.equal(s.words.listeners + s.box.listeners + s.news.listeners, 0);
  const opened = s.box.opened;
  await s.pass(120_000);
  t.equal(s.box.opened, opened);
});
