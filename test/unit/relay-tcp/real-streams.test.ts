// The plugin over the core's own connections, on loopback: the same as in memory, with real handshakes, sockets and bytes.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { systemClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { systemRandom } from '../../../base/random.ts';
import type { Batch, Link } from '../../../core/contract/link.ts';
import type { NetworkRoute, NetworkWords, TransportPlugin } from '../../../core/contract/plugin.ts';
import { Streams } from '../../../core/streams/streams.ts';
import { createPlugin } from '../../../plugins/relay-tcp/index.ts';
import type { Endpoint } from '../../../protocol/address.ts';
import type { TcpPlace } from '../../../protocol/location/messages.ts';
import { primitives } from '../../../system/crypto.ts';
import { lendReads } from '../../../system/tcp-reading.ts';
import { makeIdentity, nodeOf, serverControl } from '../control/made-up.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { noHome, noLinks, noSignals } from '../../support/no-streams.ts';
import { NetworkNews } from './stage.ts';

const never = new AbortController().signal;

interface Box {
  readonly streams: Streams;
  readonly place: TcpPlace;
  readonly peer: { readonly node: string; readonly name: string; readonly ip6: string };
  readonly heard: { readonly link: Link; readonly text: string }[];
  readonly counters: Counters;
  readonly words: Words;
  readonly plugin: TransportPlugin;
  /** Where connections to it arrive. */
  readonly sockets: Set<Socket>;
}

/** What the location server would say. */
class Words implements NetworkWords {
  readonly routes = new Map<string, NetworkRoute>();
  inUse: readonly string[] = [];
  #told: Parameters<NetworkWords['onRelays']>[0] = () => undefined;

  async route(to: { readonly address: string } | { readonly node: string }): Promise<NetworkRoute> {
    const found = this.routes.get('node' in to ? to.node : to.address);
    if (found === undefined) throw new Error('NODE_UNKNOWN');
    return found;
  }

  onRelays(told: Parameters<NetworkWords['onRelays']>[0]): () => void {
    this.#told = told;
    return () => undefined;
  }

  tell({ relays }: Parameters<NetworkWords['tell']>[0]): void {
    if (relays !== undefined) this.inUse = relays.map(({ state }) => state);
  }

  say(...keep: readonly Box[]): void {
    this.#told({ keep: keep.map(({ place }) => place), measure: [] });
  }
}

async function box(t: Test, name: string, ip4: string): Promise<Box> {
  const identity = await makeIdentity();
  const node = nodeOf(identity, name, ip4);
  const counters = new Counters();
  const streams = new Streams({
    ...{ clock: systemClock, counters, log: silentLog, primitives },
    node: identity.id,
    control: identity.control,
    serverKey: serverControl.publicKey,
    self: () => node,
    doubt: () => null,
    heardOf: () => undefined,
    lendReads,
    connect: to => connected(to),
  });
  streams.setAddress(node.record.ip6);
  const heard: { link: Link; text: string }[] = [];
  streams.events = {
    wireguard(link, { bytes, offset, length }) {
      heard.push({ link, text: Buffer.from(bytes.subarray(offset + 4, offset + length)).toString() });
    },
    stun() {},
    sent() {},
    turnEnded() {},
    closed() {},
  };
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    streams.accept(socket);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const words = new Words();
  const plugin = createPlugin({
    settings: { serve: true },
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
    primitives,
    counters: counters.scope('plugins.relay-tcp'),
    store: memoryStore(),
    signal: never,
    stun: new NetworkNews(),
    streams,
    network: words,
    home: noHome,
    signals: noSignals,
    links: noLinks,
  });
  await plugin.start(never);
  t.teardown(async () => {
    await plugin.stop();
    streams.close();
    server.close();
  });
  const place = { node, places: [{ family: 4, address: '127.0.0.1', port }] } as const;
  const { id, ip6 } = node.record;
  return { streams, place, peer: { node: id, name, ip6 }, heard, counters, words, plugin, sockets };
}

const connected = (to: Endpoint): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(to.port, to.address, () => resolve(socket));
    socket.once('error', reject);
  });

/** Laid out as WireGuard's data messages. */
function datagram(text: string): Batch {
  const bytes = Buffer.concat([Buffer.from([4, 0, 0, 0]), Buffer.from(text.padEnd(40))]);
  return { bytes, offset: 0, length: bytes.length, segment: bytes.length };
}

const texts = ({ heard }: Box): string[] => heard.map(({ text }) => text.trim());

const connections = ({ streams }: Box): number => [...streams.all].length;

async function until(what: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 500 && !what(); tries++) await new Promise(resolve => setTimeout(resolve, 10));
  return what();
}

t.test('V9, V11: two nodes that keep the same relay reach each other through it', async t => {
  const relay = await box(t, 'relay', '10.77.0.1');
  const [a, b] = [await box(t, 'a', '10.77.0.2'), await box(t, 'b', '10.77.0.3')];
  for (const node of [a, b]) node.words.say(relay);
  t.ok(await until(() => a.plugin.candidates().length + b.plugin.candidates().length === 2));
  t.ok(await until(() => connections(relay) === 2));
  t.same(a.words.inUse, ['kept']);
  const [way] = a.plugin.ownWays?.(b.peer) ?? [];
  t.match(way, { transport: 'relay-tcp', traits: { relayed: true } });
  for (let at = 0; at < 1_000; at++) way?.send(datagram(`${at}`));
  t.ok(await until(() => b.heard.length === 1_000));
  t.same(
    texts(b),
    Array.from({ length: 1_000 }, (_, at) => `${at}`),
    'all, in order',
  );
  b.heard[0]?.link.send(datagram('back'));
  t.ok(await until(() => texts(a).includes('back')));
  const forwarded = relay.counters.snapshot()['plugins.relay-tcp.forwarded.frames'];
  t.equal(forwarded, 1_001, 'by the relay');
});

t.test('V11: a route over two relays, where none is reached by both ends', async t => {
  const [first, second] = [await box(t, 'first', '10.77.0.1'), await box(t, 'second', '10.77.0.4')];
  const [a, b] = [await box(t, 'a', '10.77.0.2'), await box(t, 'b', '10.77.0.3')];
  a.words.say(first);
  b.words.say(second);
  t.ok(await until(() => a.words.inUse[0] === 'kept' && b.words.inUse[0] === 'kept'));
  t.ok(await until(() => connections(first) + connections(second) === 2));
  first.words.routes.set(b.peer.ip6, { node: b.place.node, tcp: [], relays: [second.place] });
  const [way] = a.plugin.ownWays?.(b.peer) ?? [];
  for (const text of ['one', 'two', 'three']) way?.send(datagram(text));
  t.ok(await until(() => b.heard.length === 3));
  t.same(texts(b), ['one', 'two', 'three'], 'those that waited for the route, too');
  second.words.routes.set(a.peer.ip6, { node: a.place.node, tcp: [], relays: [first.place] });
  b.heard[0]?.link.send(datagram('back'));
  t.ok(await until(() => texts(a).includes('back')));
});

t.test('V9: a relay that hangs up is connected to again, and traffic goes on', async t => {
  const relay = await box(t, 'relay', '10.77.0.1');
  const [a, b] = [await box(t, 'a', '10.77.0.2'), await box(t, 'b', '10.77.0.3')];
  for (const node of [a, b]) node.words.say(relay);
  t.ok(await until(() => a.plugin.candidates().length + b.plugin.candidates().length === 2));
  t.ok(await until(() => connections(relay) === 2));
  for (const socket of relay.sockets) socket.destroy();
  t.ok(await until(() => a.words.inUse[0] === 'failed'), 'it is told');
  t.ok(await until(() => a.plugin.candidates().length + b.plugin.candidates().length === 2));
  t.ok(await until(() => connections(relay) === 2));
  t.same(a.words.inUse, ['kept']);
  const [way] = a.plugin.ownWays?.(b.peer) ?? [];
  way?.send(datagram('again'));
  t.ok(await until(() => texts(b).includes('again')));
});
