// Far ends that are not ours: werift, and (with GINNEL_LONG=1, where it is installed) Debian's Chromium, which tells an mDNS
// name in the place of its address. Either end may offer. In a place of their own: names are asked for by multicast.
import { execFileSync } from 'node:child_process';
import t, { type Test } from 'tap';
import type { StreamPeer } from '../../core/contract/plugin.ts';
import { chromium, hasChromium } from '../support/stranger-chromium.ts';
import { werift } from '../support/stranger-werift.ts';
import { Interpreter, type StrangerFactory } from '../support/stranger.ts';
import { Signalling, startEnd, type WebrtcEnd } from '../support/webrtc-ends.ts';
import { resolveLocal } from '../../plugins/webrtc/mdns.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);
t.setTimeout(180_000);

const BOUND_MS = 20_000;
/** Three datagrams of the session, as the core hands them in. */
const BATCH = Uint8Array.from({ length: 300 }, (_, index) =>
  index % 100 === 0 ? 4 : index % 100 < 4 ? 0 : index & 0xff,
);

async function talk(t: Test, begin: StrangerFactory, weOffer: boolean): Promise<void> {
  const name = weOffer ? 'zoe' : 'anna';
  const peer: StreamPeer = { node: name.padEnd(43, '_'), name, ip6: 'fd00::2' };
  const joined: { end?: WebrtcEnd; interpreter?: Interpreter } = {};
  const opened = once();
  const heard: Uint8Array[] = [];
  const stranger = await begin({
    received: bytes => void heard.push(bytes),
    opened: () => opened.resolve(),
    gathered: candidate => joined.interpreter?.gathered(candidate),
  });
  t.teardown(() => stranger.close());
  joined.interpreter = new Interpreter(stranger, peer, () => joined.end!);
  const end = await startEnd('mia', new Signalling(), {
    say: (_, words) => joined.interpreter?.hear(words),
  });
  t.teardown(() => end.stop());
  joined.end = end;
  const { signal } = new AbortController();
  const to = {
    kind: 'host',
    transport: 'webrtc',
    endpoint: { family: 4, address: '192.0.2.9', port: 9 },
    foundBy: 'the peer',
  } as const;
  const [link] = await Promise.all([within(end.plugin.dial(to, peer, signal)), within(opened.promise)]);

  const back: number[][] = [];
  end.received = (_, { bytes, offset, length, segment }) =>
    void back.push([segment, ...bytes.subarray(offset, offset + length)]);
  await until(() => {
    link.send({ bytes: BATCH, offset: 0, length: 300, segment: 100 });
    return heard.length > 0;
  });
  t.same(heard[0], Uint8Array.of(0, 100, ...BATCH), 'a batch arrives as one message');
  await until(async () => {
    await stranger.send(heard[0]!);
    return back.length > 0;
  });
  t.same(back[0], [100, ...BATCH], 'and what it sends arrives as datagrams');
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + BOUND_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('it did not come about');
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

function once(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>(settle => (resolve = settle));
  return { promise, resolve: () => resolve() };
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it took too long')), BOUND_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

for (const line of [
  'link add card type veth peer name other',
  'addr add 198.51.100.7/24 dev card',
  'link set card up',
  'link set other up',
  'route add default dev card',
])
  execFileSync('ip', line.split(' '));

t.test('werift answers our offer', t => talk(t, werift, true));
t.test('werift offers, as it is asked to', t => talk(t, werift, false));
if (process.env['GINNEL_LONG'] === '1' && hasChromium()) {
  t.test('Chromium answers our offer', { timeout: 60_000 }, t => talk(t, chromium, true));
  t.test('the name that Chromium tells is understood', { timeout: 60_000 }, async t => {
    const names: string[] = [];
    const stranger = await chromium({
      received: () => undefined,
      opened: () => undefined,
      gathered: candidate => void names.push(candidate.split(' ')[4] ?? ''),
    });
    t.teardown(() => stranger.close());
    await stranger.offer();
    await until(() => names.length > 0);
    t.match(names[0], /^[0-9a-f-]{36}\.local$/);
    t.equal(await resolveLocal(names[0]!), '198.51.100.7');
    t.equal(await resolveLocal('nobody-here.local'), null);
  });
  t.test('Chromium offers, as it is asked to', { timeout: 60_000 }, t => talk(t, chromium, false));
}
