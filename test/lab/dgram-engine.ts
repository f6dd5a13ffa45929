// An engine on plain node:dgram sockets that answers pings in memory: our end in tests against other WireGuards.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { systemClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import type { Batch, Link, SendResult } from '../../core/contract/link.ts';
import { createEngine } from '../../core/dataplane/create-engine.ts';
import type { Engine } from '../../core/dataplane/engine.ts';
import type { Timings } from '../../core/dataplane/timings.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { createNodeAead } from '../../system/aead-node.ts';
import { primitives } from '../../system/crypto.ts';
import { answerEcho, decodeEcho, encodeEcho } from './icmp.ts';
import { until } from './waiting.ts';

const MEMORY_BYTES = 1 << 20;

export class DgramLink implements Link {
  readonly id: string;
  readonly transport = 'udp';
  readonly traits = { reliable: false, ordered: false, relayed: false };
  readonly remote: Endpoint;
  readonly local = null;
  readonly mtu = 1500;
  /** Copies of all that was sent. */
  readonly sent: Buffer[] = [];
  readonly #socket: Socket;

  constructor(socket: Socket, remote: Endpoint) {
    this.#socket = socket;
    this.remote = remote;
    this.id = `udp ${socket.address().port} ${remote.address}:${remote.port}`;
  }

  send(batch: Batch): SendResult {
    for (let at = 0; at < batch.length; at += batch.segment) {
      const end = batch.offset + Math.min(at + batch.segment, batch.length);
      this.resend(Buffer.from(batch.bytes.slice(batch.offset + at, end)));
    }
    return 'sent';
  }

  /** A datagram as it is, the engine unasked. */
  resend(datagram: Buffer): void {
    this.sent.push(datagram);
    this.#socket.send(datagram, this.remote.port, this.remote.address);
  }

  close(): void {
    // The socket is the test's.
  }
}

export class DgramEngine {
  readonly engine: Engine;
  readonly counters = new Counters();
  readonly keys = primitives.dhKeyPair();
  /** Copies of all that came, and by which link. */
  readonly received: { link: DgramLink; datagram: Buffer }[] = [];
  readonly replies = new Set<number>();
  requestsAnswered = 0;
  followsRoaming = true;
  readonly #address: string;
  readonly #sockets: Socket[] = [];
  readonly #links = new Map<string, DgramLink>();
  readonly #paths = new Map<string, Link>();

  constructor(address: string, timings: Partial<Timings> = {}) {
    this.#address = address;
    let used = 0;
    this.engine = createEngine({
      aead: createNodeAead(new Uint8Array(MEMORY_BYTES)),
      allocate: bytes => (used += bytes) - bytes,
      primitives,
      clock: systemClock,
      random: systemRandom,
      counters: this.counters,
      log: silentLog,
      localStatic: this.keys,
      mtu: 1420,
      timings,
      timestampFloor: { load: () => 0, save: () => undefined },
      deliver: (bytes, offset, length) => this.#deliver(bytes.slice(offset, offset + length)),
      events: {
        heard: (peer, link) => {
          if (this.followsRoaming) this.setPath(peer, link);
        },
        needsPath: () => undefined,
        needsRoute: () => undefined,
        sessionChanged: () => undefined,
        unknownPeer: () => undefined,
        told: () => undefined,
        notMine: () => undefined,
      },
    });
  }

  get publicKey(): string {
    return Buffer.from(this.keys.publicKey).toString('base64');
  }

  count(name: string): number {
    return this.counters.counter(name).value;
  }

  pathOf(peer: string): Link | undefined {
    return this.#paths.get(peer);
  }

  setPath(peer: string, link: Link): void {
    this.#paths.set(peer, link);
    this.engine.setPath(peer, link);
  }

  /** A socket of its own; what arrives there is handed to the engine. */
  async open(): Promise<Socket> {
    const socket = createSocket('udp4');
    this.#sockets.push(socket);
    socket.on('message', (datagram, from) => {
      const link = this.link(socket, { family: 4, address: from.address, port: from.port });
      this.received.push({ link, datagram });
      this.hand(link, datagram);
    });
    socket.bind(0);
    await once(socket, 'listening');
    return socket;
  }

  hand(link: DgramLink, datagram: Buffer): void {
    this.engine.inbound(link, {
      bytes: datagram,
      offset: 0,
      length: datagram.length,
      segment: datagram.length,
    });
    this.engine.flush();
  }

  /** The link by that socket to that place: always the same object. */
  link(socket: Socket, remote: Endpoint): DgramLink {
    const made = new DgramLink(socket, remote);
    const known = this.#links.get(made.id) ?? made;
    this.#links.set(made.id, known);
    return known;
  }

  /** Resolves when the echo has come back; throws after 7 s: one repeated handshake is allowed for. */
  async ping(destination: string, sequence: number): Promise<void> {
    this.#out(encodeEcho({ kind: 'request', source: this.#address, destination, sequence }));
    await until(`the echo ${sequence} from ${destination}`, 7000, () => this.replies.has(sequence));
  }

  close(): void {
    this.engine.close();
    for (const socket of this.#sockets) socket.close();
  }

  #deliver(packet: Uint8Array): void {
    const echo = decodeEcho(packet);
    if (echo?.kind === 'reply') this.replies.add(echo.sequence);
    if (echo?.kind !== 'request') return;
    this.requestsAnswered++;
    this.#out(answerEcho(packet));
  }

  #out(packet: Uint8Array): void {
    this.engine.outbound(packet, 0, packet.length);
    this.engine.flush();
  }
}
