// Transactions with STUN servers, the sockets for measuring, and the UDP keep-alive to the location server.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { seededRandom } from '../../../base/random.ts';
import { Budget, BUDGET } from '../../../core/paths/budget.ts';
import { ServerKeepAlive } from '../../../core/paths/keep-alive.ts';
import { StunTransactions, type SignedAsk } from '../../../core/paths/stun-transactions.ts';
import type { Endpoint } from '../../../protocol/address.ts';
import { toBase64Url } from '../../../protocol/base64.ts';
import { writeXorMappedAddress } from '../../../protocol/stun/attributes.ts';
import { decodeStun, encodeStun, type DecodedStun } from '../../../protocol/stun/codec.ts';
import { verifyIntegritySha256 } from '../../../protocol/stun/integrity.ts';
import { primitives } from '../../../system/crypto.ts';
import { SimWorld } from './sim-node.ts';

const SERVER: Endpoint = { family: 4, address: '203.0.113.1', port: 3478 };
const MAPPED: Endpoint = { family: 4, address: '198.51.100.1', port: 4444 };

function rig(limits = BUDGET) {
  const clock = new ManualClock();
  const counters = new Counters();
  const budget = new Budget(counters, 0, limits);
  const transactions = new StunTransactions({ clock, random: seededRandom(1), primitives, budget, counters });
  const sent: { at: number; message: DecodedStun }[] = [];
  const sender = {
    send: (_to: Endpoint, bytes: Uint8Array) => {
      const message = decodeStun(bytes);
      if (message.ok) sent.push({ at: clock.monotonicMs(), message: message.value });
      return true;
    },
    local: () => ({ ...MAPPED, address: '192.168.1.2' }),
  };
  return { clock, counters, transactions, sent, sender };
}

function answerTo({ transactionId }: DecodedStun): DecodedStun {
  const attributes = [writeXorMappedAddress(MAPPED, transactionId)];
  const decoded = decodeStun(encodeStun({ class: 'success', method: 1, transactionId, attributes }));
  if (!decoded.ok) throw new Error(decoded.code);
  return decoded.value;
}

t.test('RFC 8489 6.2.1: requests leave at 0, 500, 1500 ms, and time out', async t => {
  const { clock, transactions, sent, sender } = rig();
  const outcome = transactions.transact(sender, { to: SERVER, attributes: [] });
  clock.advance(5_000);
  t.same(await outcome, { ok: false, code: 'timeout' });
  t.same(
    sent.map(({ at }) => at),
    [0, 500, 1500],
  );
  t.equal(new Set(sent.map(({ message }) => toBase64Url(message.transactionId))).size, 1, 'one transaction');
});

t.test('with the round trip known a lost request is repeated sooner', async t => {
  const { clock, transactions, sent, sender } = rig();
  const first = transactions.transact(sender, { to: SERVER, attributes: [] });
  clock.advance(40);
  t.ok(transactions.received(answerTo(sent[0]!.message), SERVER));
  t.match(await first, { ok: true, rttMs: 40 });
  const second = transactions.transact(sender, { to: SERVER, attributes: [] });
  clock.advance(200);
  t.same(
    sent.map(({ at }) => at),
    [0, 40, 170],
  );
  transactions.abort();
  t.same(await second, { ok: false, code: 'aborted' });
});

t.test('an answer from elsewhere counts only where that was asked for', async t => {
  const { transactions, sent, sender, counters } = rig();
  const elsewhere = { ...SERVER, address: '203.0.113.2' };
  const strict = transactions.transact(sender, { to: SERVER, attributes: [] });
  t.notOk(transactions.received(answerTo(sent[0]!.message), elsewhere));
  t.equal(counters.snapshot()['stun.wrong-source'], 1);
  const loose = transactions.transact(sender, { to: SERVER, attributes: [], anySource: true });
  t.ok(transactions.received(answerTo(sent[1]!.message), elsewhere));
  t.match(await loose, { ok: true, from: elsewhere });
  t.notOk(transactions.received(answerTo(sent[1]!.message), elsewhere), 'once only');
  transactions.abort();
  await strict;
});

t.test('the budget and an abort end a transaction', async t => {
  const { transactions, sender } = rig({ ...BUDGET, node: { perSecond: 1, burst: 1 } });
  const stop = new AbortController();
  const first = transactions.transact(sender, { to: SERVER, attributes: [] }, stop.signal);
  t.same(await transactions.transact(sender, { to: SERVER, attributes: [] }), { ok: false, code: 'budget' });
  stop.abort();
  t.same(await first, { ok: false, code: 'aborted' });
  t.same(await transactions.transact(sender, { to: SERVER, attributes: [] }, stop.signal), {
    ok: false,
    code: 'aborted',
  });
});

t.test(
  'a fresh socket has a mapping of its own, the main one keeps its own; closing ends what was asked',
  async t => {
    const world = new SimWorld(1);
    t.teardown(() => world.stop());
    const node = world.home('prcnp');
    await world.run(200);
    const { stun } = node.paths;
    const ask = { to: stun.servers()[0]!.endpoint, attributes: [] };
    const fresh = await stun.fresh(4);
    const asked = Promise.all([stun.main(4)!.transact(ask), fresh.transact(ask)]);
    await world.run(100);
    const [main, other] = await asked;
    t.ok(main.ok && other.ok);
    t.not(stun.main(4)?.localPort, fresh.localPort);
    const unanswered = fresh.transact({ ...ask, to: { ...ask.to, port: 9 } });
    fresh.close();
    t.same(await unanswered, { ok: false, code: 'aborted' });
    t.equal(stun.main(6), null);
  },
);

t.test(
  'P1: the UDP keep-alive proves the log-in, keeps its interval, and notices another mapped address',
  async t => {
    const clock = new ManualClock();
    const key = primitives.randomBytes(32);
    const asked: SignedAsk[] = [];
    const changes: Endpoint[] = [];
    const keepAlive = new ServerKeepAlive({
      clock,
      random: seededRandom(1),
      ask: ask => {
        asked.push(ask);
        return Promise.resolve({ ok: false, code: 'timeout' });
      },
      intervalMs: () => 25_000,
      mappedChanged: mapped => changes.push(mapped),
    });
    keepAlive.start([SERVER], `${'u'.repeat(16)}.${toBase64Url(key)}`);
    clock.advance(100_000);
    t.ok(asked.length >= 5 && asked.length <= 6, `${asked.length} in 100 s`);
    t.same(asked[0]?.integrityKey, key);
    keepAlive.seen(MAPPED);
    keepAlive.seen(MAPPED);
    t.equal(changes.length, 0);
    keepAlive.seen({ ...MAPPED, port: 5555 });
    t.equal(changes.length, 1);
    keepAlive.stop();
    const before = asked.length;
    clock.advance(100_000);
    t.equal(asked.length, before);
  },
);

t.test('P1: connected by IPv6, it is kept alive over IPv4 too, and noticed by either family', async t => {
  const clock = new ManualClock();
  const asked: string[] = [];
  const changes: Endpoint[] = [];
  const six: Endpoint = { family: 6, address: '2001:db8::1', port: 3478 };
  const keepAlive = new ServerKeepAlive({
    clock,
    random: seededRandom(1),
    ask: ({ to }) => {
      asked.push(to.address);
      return Promise.resolve({ ok: false, code: 'aborted' });
    },
    intervalMs: () => 25_000,
    mappedChanged: mapped => changes.push(mapped),
  });
  keepAlive.start([six, SERVER], `${'u'.repeat(16)}.${toBase64Url(primitives.randomBytes(32))}`);
  t.same(asked, ['2001:db8::1', '203.0.113.1']);
  keepAlive.seen(MAPPED);
  keepAlive.seen({ ...six, port: 1 });
  keepAlive.seen(MAPPED);
  t.same(changes, []);
  keepAlive.seen({ ...MAPPED, port: 5555 });
  keepAlive.seen({ ...six, port: 2 });
  t.same(
    changes.map(({ port }) => port),
    [5555, 2],
  );
  keepAlive.stop();
});

t.test("P1: what the keep-alive sends verifies under the log-in's key", t => {
  const { transactions, sent, sender } = rig();
  const integrityKey = primitives.randomBytes(32);
  void transactions.transact(sender, { to: SERVER, attributes: [], integrityKey });
  t.ok(verifyIntegritySha256(sent[0]!.message, integrityKey, primitives, 32));
  t.notOk(verifyIntegritySha256(sent[0]!.message, primitives.randomBytes(32), primitives, 32));
  transactions.abort();
  t.end();
});
