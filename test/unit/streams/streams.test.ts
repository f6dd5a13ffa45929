// Streams between real nodes' keys over real sockets on loopback: who is let in, what a frame may claim, and both ways of use:
// straight to the other end, and through a third node (V10, V11).
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import t from 'tap';
import { systemClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import type { Batch, Link } from '../../../core/contract/link.ts';
import type { Stream } from '../../../core/contract/plugin.ts';
import { Streams } from '../../../core/streams/streams.ts';
import type { Endpoint } from '../../../protocol/address.ts';
import type { SignedNode } from '../../../protocol/location/messages.ts';
import { startNoise } from '../../../protocol/noise/handshake-state.ts';
import { FRAME_HEAD, latinOf, writeHead } from '../../../protocol/stream/frame.ts';
import { openStream, StreamMessages } from '../../../protocol/stream/handshake.ts';
import { addressOf } from '../../../core/streams/node-stream.ts';
import { primitives } from '../../../system/crypto.ts';
import { lendReads } from '../../../system/tcp-reading.ts';
import { makeIdentity, nodeOf, serverControl } from '../control/made-up.ts';

const never = new AbortController().signal;

interface Box {
  readonly streams: Streams;
  readonly node: SignedNode;
  readonly counters: Counters;
  readonly at: Endpoint;
  /** `wireguard FROM: bytes`, by link id. */
  readonly heard: string[];
  readonly links: Link[];
  readonly secret: Parameters<typeof openStream>[0]['localStatic'];
}

async function box(t: Tap, name: string, ip4: string, options: { doubt?: string } = {}): Promise<Box> {
  const identity = await makeIdentity();
  const node = nodeOf(identity, name, ip4);
  const counters = new Counters();
  const streams = new Streams({
    ...{ clock: systemClock, counters, log: silentLog, primitives },
    node: identity.id,
    control: identity.control,
    serverKey: serverControl.publicKey,
    self: () => node,
    doubt: () => options.doubt ?? null,
    connect: to => connected(to),
    heardOf: () => undefined,
    lendReads,
  });
  streams.setAddress(node.record.ip6);
  const heard: string[] = [];
  const links: Link[] = [];
  streams.events = {
    wireguard(link: Link, { bytes, offset, length, segment }: Batch) {
      links.push(link);
      heard.push(
        `${link.id} ${Buffer.from(bytes.subarray(offset + 4, offset + length)).toString('latin1')} ${segment}`,
      );
    },
    stun() {},
    sent() {},
    turnEnded() {},
    closed: link => void heard.push(`closed ${link.id}`),
  };
  const server = createServer(socket => streams.accept(socket));
  const port = await listening(server);
  t.teardown(() => {
    streams.close();
    server.close();
  });
  const at = { family: 4, address: '127.0.0.1', port } as const;
  return { streams, node, counters, at, heard, links, secret: identity.control };
}

type Tap = { teardown(end: () => unknown): unknown };

const connected = (to: Endpoint): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(to.port, to.address, () => resolve(socket));
    socket.once('error', reject);
  });

const listening = (server: Server): Promise<number> =>
  new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

/** A datagram that looks like WireGuard's. */
function datagram(text: string): Batch {
  const bytes = new Uint8Array(40);
  bytes[0] = 4;
  bytes.set(new TextEncoder().encode(text), 4);
  return { bytes, offset: 0, length: bytes.length, segment: bytes.length };
}

const until = async (what: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 300 && !what(); tries++) await new Promise(resolve => setTimeout(resolve, 10));
};
const peerOf = ({ node: { record } }: Box) => ({ node: record.id, name: record.name, ip6: record.ip6 });
const open = (from: Box, to: Box): Promise<Stream> =>
  from.streams.open({ node: to.node, places: [to.at] }, never);

t.test('V10: what is sent to the other end of a stream comes by plain TCP, both ways', async t => {
  const [one, other] = [await box(t, 'one', '10.77.0.2'), await box(t, 'other', '10.77.0.3')];
  const stream = await open(one, other);
  const link = stream.link(peerOf(other));
  t.equal(link.transport, 'tcp');
  t.notOk(link.traits.relayed);
  t.equal(link.send(datagram('hello')), 'sent');
  await until(() => other.heard.length > 0);
  t.match(other.heard, [/^tcp .* hello/]);
  t.equal(other.links[0]?.send(datagram('there')), 'sent');
  await until(() => one.heard.length > 0);
  t.match(one.heard, [/^tcp .* there/]);
  t.equal(await open(one, other), stream, 'one stream for each node');
  await until(() => stream.rttMs !== null);
  t.ok(stream.rttMs !== null, 'its round trip is measured');
});

t.test('V11: a frame for another node goes to whoever forwards, and on to its destination', async t => {
  const [sender, relay, receiver] = [
    await box(t, 'sender', '10.77.0.2'),
    await box(t, 'relay', '10.77.0.1'),
    await box(t, 'receiver', '10.77.0.3'),
  ];
  relay.streams.serve((from, frame) => {
    const to = relay.streams.find(latinOf(frame.subarray(28, FRAME_HEAD)));
    if (to === null) from.refuse(frame);
    else to.forward(frame);
  });
  await open(receiver, relay);
  const link = (await open(sender, relay)).link(peerOf(receiver));
  t.equal(link.transport, 'relay-tcp');
  t.ok(link.traits.relayed);
  link.send(datagram('through'));
  await until(() => receiver.heard.length > 0);
  t.match(receiver.heard, [/^relay-tcp .* through/]);
  t.equal(receiver.links[0]?.via, 'relay');
  receiver.links[0]?.send(datagram('back'));
  await until(() => sender.heard.length > 0);
  t.match(sender.heard, [/^relay-tcp .* back/]);
  const nobody = await box(t, 'nobody', '10.77.0.9');
  const lost = (await open(sender, relay)).link(peerOf(nobody));
  lost.send(datagram('lost'));
  await until(() => sender.heard.includes(`closed ${lost.id}`));
  t.ok(sender.heard.includes(`closed ${lost.id}`), 'a destination that is not to be had is told');
});

t.test('both ends connect at the same moment: one stream stays, and it works', async t => {
  const [one, other] = [await box(t, 'one', '10.77.0.2'), await box(t, 'other', '10.77.0.3')];
  await Promise.all([open(one, other), open(other, one)]);
  await new Promise(resolve => setTimeout(resolve, 200));
  t.equal([...one.streams.all].length, 1);
  t.equal([...other.streams.all].length, 1);
  const [left] = one.streams.all;
  const [right] = other.streams.all;
  t.not(left?.isOurs, right?.isOurs, 'the same one at both ends');
  left?.link(peerOf(other)).send(datagram('crossed'));
  await until(() => other.heard.length > 0);
  t.match(other.heard, [/crossed/]);
});

t.test('who is not let in: another key, no member, nobody, an older beginning once more', async t => {
  const [one, other] = [await box(t, 'one', '10.77.0.2'), await box(t, 'other', '10.77.0.3')];
  const strict = await box(t, 'strict', '10.77.0.4', { doubt: 'peer.removed' });
  await t.rejects(open(one, strict), { code: 'STREAM_REFUSED' });
  await t.rejects(
    one.streams.open({ node: other.node, places: [strict.at] }, never),
    { code: 'STREAM_REFUSED' },
    'another node answers there',
  );
  await t.rejects(
    one.streams.open({ node: other.node, places: [{ family: 4, address: '127.0.0.1', port: 1 }] }, never),
    { code: 'STREAM_UNREACHABLE' },
  );
  const keys = { startNoise, primitives, localStatic: one.secret };
  const key = new Uint8Array(Buffer.from(other.node.record.controlKey, 'base64url'));
  const nobody = openStream(keys, key, { v: 1, forwards: false });
  const borrowed = openStream(keys, key, { v: 1, forwards: false, node: strict.node });
  const again = openStream(keys, key, { v: 1, forwards: false, node: one.node });
  for (const opening of [nobody, borrowed, again]) {
    const socket = await connected(other.at);
    socket.on('error', () => undefined);
    socket.write(opening.first);
    // The third message is missing, or what follows it was recorded elsewhere.
    socket.write(Uint8Array.from([0, 21, ...new Uint8Array(21)]));
    await new Promise(resolve => socket.once('close', resolve).resume());
  }
  t.equal([...other.streams.all].length, 0);
  t.equal(other.counters.snapshot()['refused'], 3);
});

t.test('the location server looks whether the door answers, and is told by its key alone', async t => {
  const { counters, node, at, streams } = await box(t, 'one', '10.77.0.2');
  const key = new Uint8Array(Buffer.from(node.record.controlKey, 'base64url'));
  const opening = openStream({ startNoise, primitives, localStatic: serverControl }, key, {
    v: 1,
    forwards: false,
  });
  const socket = await connected(at);
  const messages = new StreamMessages(false);
  socket.write(opening.first);
  for await (const bytes of socket as AsyncIterable<Uint8Array>) {
    messages.add(bytes);
    const message = messages.next();
    if (!message.ok || message.value === null) continue;
    const finished = opening.finish(message.value);
    t.ok(finished.ok);
    if (finished.ok) socket.write(finished.value.third);
  }
  t.equal(counters.snapshot()['door-checks'], 1);
  t.equal([...streams.all].length, 0);
});

t.test('frames that claim what they must not are dropped and counted', async t => {
  const other = await box(t, 'other', '10.77.0.3');
  const mallory = await makeIdentity();
  const node = nodeOf(mallory, 'mallory', '10.77.0.66');
  const key = new Uint8Array(Buffer.from(other.node.record.controlKey, 'base64url'));
  const keys = { startNoise, primitives, localStatic: mallory.control };
  const opening = openStream(keys, key, { v: 1, forwards: false, node });
  const socket = await connected(other.at);
  const messages = new StreamMessages(false);
  socket.write(opening.first);
  const finished = await new Promise<Uint8Array>(resolve =>
    socket.on('data', (bytes: Uint8Array) => {
      messages.add(bytes);
      const message = messages.next();
      if (message.ok && message.value !== null) {
        const done = opening.finish(message.value);
        if (done.ok) resolve(done.value.third);
      }
    }),
  );
  socket.write(finished);
  const self = addressOf(node.record.ip6);
  const to = addressOf(other.node.record.ip6);
  const frame = (number: number, source: Uint8Array, text: string): Uint8Array => {
    const { bytes, length, segment } = datagram(text);
    const whole = new Uint8Array(FRAME_HEAD + length);
    writeHead(whole, 0, { kind: 'data', hops: 3, segment, length, number }, source, to);
    whole.set(bytes, FRAME_HEAD);
    return whole;
  };
  socket.write(frame(1, self, 'fine'));
  socket.write(frame(1, self, 'again'));
  socket.write(frame(2, to, 'not mine'));
  socket.write(frame(3, self, 'fine too'));
  await until(() => other.heard.length >= 2);
  t.match(other.heard, [/ fine/, / fine too/]);
  t.match(other.counters.snapshot(), { 'frame.replayed': 1, 'frame.source': 1 });
  const closed = new Promise(resolve => socket.once('close', resolve));
  socket.write(new Uint8Array(FRAME_HEAD).fill(7));
  await closed;
  t.match(other.counters.snapshot(), { 'frame.kind': 1 }, 'what is no frame ends the stream');
});

t.test('a stream that begins with what is no frame never stands, and takes no other one’s place', async t => {
  const [one, other] = [await box(t, 'one', '10.77.0.2'), await box(t, 'other', '10.77.0.3')];
  const standing = await open(one, other);
  const key = new Uint8Array(Buffer.from(other.node.record.controlKey, 'base64url'));
  const keys = { startNoise, primitives, localStatic: one.secret };
  const opening = openStream(keys, key, { v: 1, forwards: false, node: one.node });
  const socket = await connected(other.at);
  const messages = new StreamMessages(false);
  socket.write(opening.first);
  socket.on('data', (bytes: Uint8Array) => {
    messages.add(bytes);
    const message = messages.next();
    const done = message.ok && message.value !== null ? opening.finish(message.value) : null;
    // What follows comes in one piece with the last message of the beginning.
    if (done?.ok === true) socket.write(Buffer.concat([done.value.third, Buffer.alloc(FRAME_HEAD, 7)]));
  });
  await new Promise(resolve => socket.once('close', resolve));
  await new Promise(resolve => setTimeout(resolve, 50));
  t.notOk(
    [...other.streams.all].some(({ isClosed }) => isClosed),
    'none that is closed is left',
  );
  const again = await open(one, other);
  t.notOk(again.isClosed);
  again.link(peerOf(other)).send(datagram('still'));
  await until(() => other.heard.some(text => text.includes('still')));
  t.match(other.heard.at(-1), / still/);
  t.ok(standing !== again || !standing.isClosed);
});

t.test('who begins or ends to forward tells it on the streams that stand', async t => {
  const [one, other] = [await box(t, 'one', '10.77.0.2'), await box(t, 'other', '10.77.0.3')];
  await open(one, other);
  const forwards = (): boolean => [...other.streams.all].some(stream => stream.forwards);
  t.notOk(forwards());
  const end = one.streams.serve(() => undefined);
  await until(forwards);
  t.ok(forwards(), 'from now on');
  end();
  await until(() => !forwards());
  t.notOk(forwards(), 'no longer');
});

t.test('a reader that takes nothing costs no memory, however often it asks', async t => {
  const { at, node, counters, streams } = await box(t, 'one', '10.77.0.2');
  const mallory = await makeIdentity();
  const asks = nodeOf(mallory, 'mallory', '10.77.0.66');
  const key = new Uint8Array(Buffer.from(node.record.controlKey, 'base64url'));
  const opening = openStream({ startNoise, primitives, localStatic: mallory.control }, key, {
    ...{ v: 1, forwards: false, node: asks },
  });
  const socket = await connected(at);
  const messages = new StreamMessages(false);
  socket.write(opening.first);
  await new Promise<void>(resolve =>
    socket.on('data', (bytes: Uint8Array) => {
      messages.add(bytes);
      const message = messages.next();
      const done = message.ok && message.value !== null ? opening.finish(message.value) : null;
      if (done?.ok !== true) return;
      socket.write(done.value.third);
      resolve();
    }),
  );
  socket.pause();
  const self = addressOf(asks.record.ip6);
  for (let number = 1; number <= 200_000; number++) {
    const frame = Buffer.alloc(FRAME_HEAD);
    writeHead(frame, 0, { kind: 'ping', hops: 1, segment: 0, length: 0, number }, self, self);
    socket.write(frame);
  }
  await until(() => socket.writableLength === 0);
  const [stream] = streams.all;
  t.ok((stream?.backlog ?? 0) < 512 * 1024, `${stream?.backlog} bytes wait`);
  t.equal(counters.snapshot()['frame.replayed'] ?? 0, 0);
  socket.destroy();
});

t.test('who was put out of the network is not connected to either', async t => {
  const one = await box(t, 'one', '10.77.0.2', { doubt: 'peer.removed' });
  const other = await box(t, 'other', '10.77.0.3');
  await t.rejects(open(one, other), { code: 'STREAM_REFUSED' });
});
