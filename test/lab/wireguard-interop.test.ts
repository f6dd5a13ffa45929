// Our session against Debian's wireguard-go. GINNEL_LONG=1 adds the renewal that wireguard-go starts of itself, at 120 s.
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import type { Timings } from '../../core/dataplane/timings.ts';
import { DgramEngine, type DgramLink } from './dgram-engine.ts';
import { layCable, StockWireguard } from './stock-wireguard.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url, { tools: { 'wireguard-go': 'wireguard-go', wg: 'wireguard-tools' } });

const OURS = '10.77.0.1';
const THEIRS = '10.77.0.2';
const TYPE_DATA = 4;
const stock = layCable();
let made = 0;

interface Interop {
  readonly us: DgramEngine;
  readonly them: StockWireguard;
  readonly link: DgramLink;
}

async function interop(
  t: Test,
  options: { timings?: Partial<Timings>; weBegin: boolean; presharedKey?: Uint8Array },
): Promise<Interop> {
  const us = new DgramEngine(OURS, options.timings);
  const them = new StockWireguard(stock, `wg${made++}`);
  t.teardown(() => {
    us.close();
    return them.stop();
  });
  const socket = await us.open();
  const { presharedKey } = options;
  const port = options.weBegin ? undefined : socket.address().port;
  await them.start(THEIRS, { publicKey: us.publicKey, allowedIp: `${OURS}/32`, presharedKey, port });
  const link = us.link(socket, them.endpoint);
  us.engine.setPeer({
    id: them.publicKey,
    publicKey: Buffer.from(them.publicKey, 'base64'),
    allowedIps: [`${THEIRS}/32`],
    keepaliveMs: 0,
    ...(presharedKey === undefined ? {} : { presharedKey }),
  });
  if (options.weBegin) us.setPath(them.publicKey, link);
  return { us, them, link };
}

t.test('we shake hands with wireguard-go, and its kernel answers our ping', async t => {
  const { us, them } = await interop(t, { weBegin: true });
  await us.ping(THEIRS, 1);
  t.equal(us.count('handshake.responses-received'), 1);
  t.not(await them.show('latest-handshakes'), '0');
});

t.test('wireguard-go shakes hands with us, and we answer its ping', async t => {
  const { us, them } = await interop(t, { weBegin: false });
  t.equal(await them.ping(OURS), 1);
  t.equal(us.count('handshake.responses-sent'), 1);
  t.equal(us.requestsAnswered, 1);
});

t.test('the same with a pre-shared key, in both roles', async t => {
  for (const weBegin of [true, false]) {
    const { us, them } = await interop(t, { weBegin, presharedKey: randomBytes(32) });
    if (weBegin) await us.ping(THEIRS, 1);
    t.equal(await them.ping(OURS), 1);
    await them.stop();
  }
});

t.test('we renew the session while its pings go on, and none is lost', async t => {
  const timings = { rekeyAfterMs: 1000, rekeyTimeoutMs: 500, rekeyJitterMs: 1 };
  const { us, them } = await interop(t, { weBegin: true, timings });
  await us.ping(THEIRS, 1);
  t.equal(await them.ping(OURS, 20), 20);
  t.ok(
    us.count('handshake.responses-received') >= 3,
    `${us.count('handshake.responses-received')} handshakes`,
  );
});

t.test('roaming: wireguard-go follows us to another port, and we follow it', async t => {
  const { us, them } = await interop(t, { weBegin: true });
  await us.ping(THEIRS, 1);
  const socket = await us.open();
  us.setPath(them.publicKey, us.link(socket, them.endpoint));
  await us.ping(THEIRS, 2);
  t.equal((await them.show('endpoints')).split(':')[1], String(socket.address().port));
  await them.moveToAnotherPort();
  t.equal(await them.ping(OURS), 1);
  t.equal(us.pathOf(them.publicKey), us.link(socket, them.endpoint));
  t.equal(us.count('handshake.initiations-sent'), 1, 'all in one session');
});

t.test('a replayed message is refused, by wireguard-go and by us', async t => {
  const { us, them, link } = await interop(t, { weBegin: true });
  await us.ping(THEIRS, 1);
  const request = link.sent.findLast(datagram => datagram[0] === TYPE_DATA)!;
  const initiation = link.sent[0]!;
  const before = await them.packetsReceived();
  const answers = us.received.length;
  link.resend(request);
  link.resend(initiation);
  await us.ping(THEIRS, 2);
  t.equal(await them.packetsReceived(), before + 1, 'the kernel saw the new ping alone');
  t.equal(us.received.length, answers + 1, 'and only that was answered');
  const answer = us.received.at(-1)!;
  us.hand(answer.link, answer.datagram);
  t.equal(us.count('in.replay'), 1);
});

const long = process.env['GINNEL_LONG'] === '1' ? false : 'takes 130 s: GINNEL_LONG=1';
t.test(
  'wireguard-go renews the session after 120 s, and no ping is lost',
  { skip: long, timeout: 180_000 },
  async t => {
    const { us, them } = await interop(t, { weBegin: false });
    t.equal(await them.ping(OURS, 650), 650);
    await until('the renewal', 5000, () => us.count('handshake.responses-sent') >= 2);
    t.ok(us.count('handshake.responses-sent') >= 2);
  },
);
