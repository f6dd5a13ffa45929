// Who says what to whom until a channel stands, and what becomes of it: with connections that the test opens and fails.
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { StreamPeer } from '../../../core/contract/plugin.ts';
import { decodeSaying, encodeSaying, type Saying } from '../../../plugins/webrtc/words.ts';
import { fakeRtc, type FakePeerConnection, type FakeRtc } from '../../support/fake-rtc.ts';
import { Signalling, startEnd, type EndOptions, type WebrtcEnd } from '../../support/webrtc-ends.ts';

const peerOf = (name: string): StreamPeer => ({ node: name.padEnd(43, '_'), name, ip6: 'fd00::2' });
/** Of a smaller id than `mia`, and of a larger one. */
const [ANNA, ZOE] = [peerOf('anna'), peerOf('zoe')];
const HOST = (address: string): string => `candidate:1 1 UDP 1 ${address} 5000 typ host`;

interface Stage {
  readonly end: WebrtcEnd;
  readonly rtc: FakeRtc;
  readonly last: () => FakePeerConnection;
  /** What it said since this was last asked. */
  readonly heard: () => Promise<Saying[]>;
  readonly dial: (peer: StreamPeer, signal?: AbortSignal) => Promise<unknown>;
  readonly hear: (from: StreamPeer, saying: Saying) => Promise<void>;
}

/** `mia`, to whom nobody answers but the test. */
async function stage(t: Test, options: EndOptions = {}): Promise<Stage> {
  const rtc = fakeRtc();
  const end = await startEnd('mia', new Signalling(), { load: rtc.load, say: () => undefined, ...options });
  t.teardown(() => end.stop());
  let told = 0;
  return {
    ...{ end, rtc },
    last: () => rtc.made.at(-1)!,
    async heard() {
      // Words are held back a little, to go together.
      await pause(60);
      const all = end.said.slice(told).map(({ words }) => decodeSaying(words) as Saying);
      told = end.said.length;
      return all;
    },
    dial: (peer, signal = new AbortController().signal) =>
      end.plugin.dial(
        {
          kind: 'host',
          transport: 'webrtc',
          endpoint: { family: 4, address: '192.0.2.9', port: 9 },
          foundBy: 'the peer',
        },
        peer,
        signal,
      ),
    async hear(from, saying) {
      end.hear(from, encodeSaying(saying));
      await pause(5);
    },
  };
}

const answerTo = ([offer]: Saying[], candidates: readonly string[] = []): Saying => {
  if (offer?.type !== 'offer') throw new Error(`no offer but ${JSON.stringify(offer)}`);
  return { type: 'answer', id: offer.id, sdp: offer.sdp, candidates };
};

t.test('the end with the smaller id offers, with the candidates that are there', async t => {
  const { dial, heard, last, hear, end } = await stage(t);
  const link = dial(ZOE);
  last().gather(HOST('192.0.2.7'));
  const said = await heard();
  t.match(said, [{ type: 'offer', candidates: [HOST('192.0.2.7')] }]);
  t.notMatch(said[0], { sdp: /192\.0\.2/ }, 'but no addresses in the description');
  last().gather(HOST('192.0.2.8'));
  t.match(await heard(), [{ type: 'candidates', candidates: [HOST('192.0.2.8')] }], 'later ones follow');
  await hear(ZOE, answerTo(said, [HOST('198.51.100.2')]));
  t.same(last().calls, ['local offer', 'remote answer actpass', 'add 198.51.100.2']);
  last().open();
  t.match(await link, { id: 'webrtc zoe_________', remote: { address: '198.51.100.1', port: 2 } });
  t.equal(end.standing.size, 1);
});

t.test('the other end asks for an offer, and answers it', async t => {
  const { dial, heard, last, hear, rtc } = await stage(t);
  const link = dial(ANNA);
  t.same(await heard(), [{ type: 'want' }]);
  t.equal(rtc.made.length, 0);
  const sdp = await descriptionOf(t);
  await hear(ANNA, { type: 'offer', id: 'anna-1234', sdp, candidates: [HOST('198.51.100.2')] });
  t.same(
    last().calls,
    ['remote offer active', 'local answer', 'add 198.51.100.2'],
    'the offering end begins DTLS',
  );
  t.match(await heard(), [{ type: 'answer', id: 'anna-1234' }]);
  last().open();
  await link;
});

t.test('whoever is wanted offers, and an offer comes unasked', async t => {
  const { hear, heard, end, last } = await stage(t);
  await hear(ZOE, { type: 'want' });
  t.match(await heard(), [{ type: 'offer' }]);
  await hear(ANNA, { type: 'offer', id: 'anna-1234', sdp: await descriptionOf(t), candidates: [] });
  t.match(await heard(), [{ type: 'answer' }]);
  last().open();
  t.equal(end.standing.size, 1, 'and stands, though nobody here dialled');
});

t.test('nonsense: offers of one that answers, answers to nothing, bad descriptions', async t => {
  const { hear, heard, rtc, end } = await stage(t);
  const sdp = await descriptionOf(t);
  await hear(ZOE, { type: 'offer', id: 'zoe-12345', sdp, candidates: [] });
  await hear(ANNA, { type: 'want' });
  await hear(ANNA, { type: 'answer', id: 'anna-1234', sdp, candidates: [HOST('198.51.100.2')] });
  t.same(await heard(), []);
  t.equal(rtc.made.length, 0);
  end.hear(ANNA, '{"v":1,"type":"nonsense"}');
  await pause(5);
  t.equal(end.counters.counter('dropped.unknown').value, 1);
  await hear(ANNA, { type: 'offer', id: 'anna-1234', sdp: 'v=0', candidates: [] });
  t.ok(
    rtc.made.every(({ isClosed }) => isClosed),
    'what offers no channel is closed',
  );
});

t.test(
  'only places that something may be sent to are used, and only addresses that may be told are told',
  async t => {
    const { dial, heard, last, hear } = await stage(t, {
      isPlace: ({ address }) => !address.startsWith('10.77.'),
      settings: { 'host-ranges': ['192.168.0.0/16', '10.0.0.0/8'] },
    });
    void dial(ZOE).catch(() => undefined);
    for (const address of ['10.77.0.1', '192.168.1.2', '192.0.2.7']) last().gather(HOST(address));
    last().gather('candidate:2 1 UDP 1 192.0.2.200 5000 typ srflx raddr 0.0.0.0 rport 0');
    const said = await heard();
    const told = said.flatMap(saying => (saying.type === 'offer' ? saying.candidates : []));
    t.same(
      told.map(line => line.split(' ')[4]),
      ['192.168.1.2', '192.0.2.200'],
      "not the overlay's, nor what the owner keeps to himself; what a server saw, always",
    );
    await hear(ZOE, answerTo(said, [HOST('10.77.0.9'), HOST('198.51.100.2'), 'nonsense']));
    t.same(last().calls.slice(2), ['add 198.51.100.2']);
  },
);

t.test('a failure early on is tried again, twice; then whoever waits hears of it', async t => {
  const { dial, rtc, end } = await stage(t);
  const link = dial(ZOE);
  for (let tries = 0; tries < 3; tries++) rtc.made.at(-1)!.fail();
  await t.rejects(link, { code: 'WEBRTC_FAILED' });
  t.equal(rtc.made.length, 3);
  t.ok(rtc.made.every(({ isClosed }) => isClosed));
  t.equal(end.counters.counter('channels.failed').value, 1);
});

t.test('whoever waits no longer hears so; the channel comes about all the same', async t => {
  const { dial, last, end } = await stage(t);
  const abort = new AbortController();
  const link = dial(ZOE, abort.signal);
  abort.abort();
  await t.rejects(link, /not waited for/);
  last().open();
  t.equal(end.standing.size, 1);
});

t.test(
  'a channel that is silent is replaced when it is wanted; the new one takes over under the same name',
  async t => {
    const { dial, last, rtc, end } = await stage(t);
    const first = dial(ZOE);
    last().open();
    const link = end.links.linkBy(((await first) as { id: string }).id)!;
    const [old] = rtc.made;
    t.equal(link.sendOwn(new Uint8Array(64).fill(4), null), 'sent');
    await pause(1_600);
    const second = dial(ZOE);
    t.equal(rtc.made.length, 2, 'it was sent to, and nothing came for long');
    rtc.made[1]!.open();
    await second;
    t.equal(link.sendOwn(new Uint8Array(64).fill(4), null), 'sent');
    t.same([old!.sent.length, rtc.made[1]!.sent.length], [1, 1], 'the same link goes by the new channel');
    t.equal(old!.isClosed, false, 'the old one goes on for a while, for the other end');
    await pause(2_100);
    t.equal(old!.isClosed, true);
    t.same(end.closed, [], 'and the core noticed nothing');
  },
);

t.test('one that answers is not replaced', async t => {
  const { dial, last, rtc, end } = await stage(t);
  const first = dial(ZOE);
  last().open();
  const link = end.links.linkBy(((await first) as { id: string }).id)!;
  link.sendOwn(new Uint8Array(64).fill(4), null);
  last().receive(Uint8Array.of(0, 64, ...new Uint8Array(64).fill(4)));
  await pause(1_600);
  await dial(ZOE);
  t.equal(rtc.made.length, 1);
});

t.test('other addresses of this box: a new connection beside the old one', async t => {
  const { dial, last, rtc, end } = await stage(t);
  void dial(ZOE);
  last().open();
  end.moved();
  t.equal(rtc.made.length, 1, 'the same addresses are no news');
  end.moved(['192.0.2.99']);
  t.equal(rtc.made.length, 2);
  t.equal(rtc.made[0]!.isClosed, false);
});

t.test('by a TURN server it is relayed, and called so; when that changes it is another link', async t => {
  const { dial, last, end } = await stage(t);
  const link = dial(ZOE);
  const direct = last().pair;
  last().pair = {
    local: { address: '203.0.113.1', port: 9, type: 'relay' },
    remote: { address: '198.51.100.1', port: 2, type: 'prflx' },
  };
  last().open();
  t.match(await link, { id: 'webrtc turn zoe_________', throughTurn: true, traits: { relayed: true } });
  last().pair = direct;
  await pause(1_100);
  t.same(
    [...end.standing].map(({ id }) => id),
    ['webrtc zoe_________'],
  );
  t.match(end.closed, [/directly now/]);
});

t.test('too much that waits is refused as busy', async t => {
  const { dial, last } = await stage(t);
  const link = dial(ZOE) as Promise<{ send(batch: object): string }>;
  last().open();
  const { send } = await link.then(one => ({ send: one.send.bind(one) }));
  const bytes = new Uint8Array(3000).fill(4);
  const batch = { bytes, offset: 0, length: 3000, segment: 1000 };
  t.equal(send(batch), 'sent');
  t.equal(last().sent.length, 1, 'the batch goes as one message');
  last().backlog = 10_000_000;
  t.equal(send(batch), 'busy');
  last().fail();
  t.equal(send(batch), 'closed');
});

t.test('its stop closes all, and lets the library go once', async t => {
  const { dial, rtc, end, hear } = await stage(t);
  const open = dial(ZOE);
  rtc.made[0]!.open();
  await open;
  const underWay = dial(peerOf('zzz'));
  await Promise.all([end.stop(), end.stop(), t.rejects(underWay, { code: 'WEBRTC_FAILED' })]);
  t.ok(rtc.made.every(({ isClosed }) => isClosed));
  t.equal(rtc.released, 1);
  t.equal(end.standing.size, 0);
  await hear(ZOE, { type: 'want' });
  t.equal(rtc.made.length, 2, 'and it hears no more');
  t.same(end.plugin.candidates(), []);
});

/** Any that is accepted. */
async function descriptionOf(t: Test): Promise<string> {
  const other = await stage(t);
  void other.dial(ZOE).catch(() => undefined);
  const [said] = await other.heard();
  return said?.type === 'offer' ? said.sdp : '';
}
