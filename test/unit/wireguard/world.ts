// Two or more engines joined in memory: links that keep what is sent until a test lets it go, a clock moved by hand.
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { seededRandom } from '../../../base/random.ts';
import type { AeadName } from '../../../core/dataplane/aead.ts';
import type { Batch, Link, SendResult } from '../../../core/contract/link.ts';
import { createEngine } from '../../../core/dataplane/create-engine.ts';
import type { Engine, PeerConfig } from '../../../core/dataplane/engine.ts';
import type { Timings } from '../../../core/dataplane/timings.ts';
import type { Endpoint } from '../../../protocol/address.ts';
import { createNodeAead } from '../../../system/aead-node.ts';
import { primitives } from '../../../system/crypto.ts';

const MEMORY_BYTES = 2 << 20;
const ROOM = 64;

/** One direction-pair of a wire: `send` here arrives at `other`'s engine when the world is pumped. */
export class WireLink implements Link {
  readonly id: string;
  readonly transport = 'memory';
  readonly traits = { reliable: false, ordered: false, relayed: false };
  readonly remote: Endpoint | null;
  readonly local = null;
  mtu = 1500;
  answer: SendResult = 'sent';
  /** Datagrams that wait, in order; a test may take, copy or reorder them. */
  queue: Uint8Array[] = [];
  /** The batches as they were sent: segments each. */
  batches: number[] = [];

  constructor(id: string, remote: Endpoint | null) {
    this.id = id;
    this.remote = remote;
  }

  send(batch: Batch): SendResult {
    if (this.answer !== 'sent') return this.answer;
    const before = this.queue.length;
    for (let at = 0; at < batch.length; at += batch.segment) {
      const end = batch.offset + Math.min(at + batch.segment, batch.length);
      this.queue.push(batch.bytes.slice(batch.offset + at, end));
    }
    this.batches.push(this.queue.length - before);
    return 'sent';
  }

  close(): void {
    this.answer = 'closed';
  }
}

export interface NodeOptions {
  readonly address: string;
  readonly timings?: Partial<Timings>;
  readonly floor?: { value: number };
  readonly secret?: Uint8Array;
  readonly overlay?: readonly string[];
  readonly keepaliveMs?: number;
  readonly presharedKey?: Uint8Array;
  readonly isGinnel?: boolean;
  readonly fastCiphers?: readonly AeadName[];
  /** Does its card take super-packets? Default: no. */
  readonly superPackets?: boolean;
}

/** An engine and all that it told. */
export class Node {
  readonly address: string;
  readonly keys: { readonly publicKey: Uint8Array; readonly id: string };
  readonly counters = new Counters();
  readonly engine: Engine;
  readonly delivered: Uint8Array[] = [];
  readonly heard: { peer: string; link: Link }[] = [];
  readonly changes: string[] = [];
  readonly pathsWanted: string[] = [];
  readonly routesWanted: string[] = [];
  readonly strangers: { publicKey: Uint8Array; link: Link; initiation: Uint8Array }[] = [];
  readonly told: { peer: string; body: Uint8Array }[] = [];
  readonly foreign: Uint8Array[] = [];
  readonly options: NodeOptions;
  readonly floorSaved: number[] = [];
  /** The engine's; the last page of it is the test's. */
  readonly memory = new Uint8Array(MEMORY_BYTES);

  constructor(clock: ManualClock, seed: number, options: NodeOptions) {
    const localStatic = primitives.dhKeyPair(options.secret);
    const { memory } = this;
    let used = 0;
    this.options = options;
    this.address = options.address;
    this.keys = {
      publicKey: localStatic.publicKey,
      id: Buffer.from(localStatic.publicKey).toString('base64'),
    };
    this.engine = createEngine({
      aead: createNodeAead(memory),
      allocate: bytes => (used += bytes) - bytes,
      primitives,
      clock,
      random: seededRandom(seed),
      counters: this.counters,
      log: silentLog,
      localStatic,
      mtu: 1420,
      overlay: options.overlay ?? ['10.77.0.0/16', 'fd77::/16'],
      ...(options.timings === undefined ? {} : { timings: options.timings }),
      ...(options.fastCiphers === undefined ? {} : { fastCiphers: options.fastCiphers }),
      superPackets: () => (options.superPackets === true ? { tcp: true, udp: true } : null),
      timestampFloor: {
        load: () => options.floor?.value ?? 0,
        save: wallMs => {
          this.floorSaved.push(wallMs);
          if (options.floor !== undefined) options.floor.value = wallMs;
        },
      },
      deliver: (bytes, offset, length) => void this.delivered.push(bytes.slice(offset, offset + length)),
      events: {
        heard: (peer, link) => void this.heard.push({ peer, link }),
        needsPath: peer => void this.pathsWanted.push(peer),
        needsRoute: destination => void this.routesWanted.push(destination),
        sessionChanged: (_, established) => void this.changes.push(established ? 'up' : 'down'),
        unknownPeer: (publicKey, link, initiation) =>
          void this.strangers.push({ publicKey, link, initiation }),
        told: (peer, body) => void this.told.push({ peer, body }),
        notMine: (_, batch) =>
          void this.foreign.push(batch.bytes.slice(batch.offset, batch.offset + batch.length)),
      },
    });
  }

  config(allowedIps = [`${this.address}/32`]): PeerConfig {
    const { presharedKey, keepaliveMs, isGinnel = false } = this.options;
    return {
      id: this.keys.id,
      publicKey: this.keys.publicKey,
      allowedIps,
      keepaliveMs: keepaliveMs ?? 0,
      isGinnel,
      ...(presharedKey === undefined ? {} : { presharedKey }),
    };
  }

  /** An IPv4 packet to the network, as the TUN would hand it over; leaves at once. */
  say(destination: string, text = 'hello', source = this.address): void {
    this.layUp(destination, text, source);
    this.engine.flush();
  }

  layUp(destination: string, text = 'hello', source = this.address): void {
    const packet = ipv4(source, destination, text);
    const room = new Uint8Array(packet.length + 2 * ROOM);
    room.set(packet, ROOM);
    this.engine.outbound(room, ROOM, packet.length);
  }

  count(name: string): number {
    return this.counters.counter(name).value;
  }

  /** The texts of what was delivered. */
  get texts(): string[] {
    return this.delivered.map(packet => Buffer.from(packet.subarray(20)).toString());
  }
}

/** A wire between two nodes: `there` is a's link towards b, `back` is b's towards a. */
export interface Wire {
  readonly there: WireLink;
  readonly back: WireLink;
}

export class World {
  readonly clock: ManualClock;
  readonly #wires: { link: WireLink; to: Node; arrivesBy: WireLink }[] = [];
  #seed = 1;

  constructor(wallMs?: number) {
    this.clock = new ManualClock(wallMs);
  }

  node(options: NodeOptions): Node {
    return new Node(this.clock, this.#seed++, options);
  }

  wire(a: Node, b: Node, name = 'wire', port = 1000): Wire {
    const wire = {
      there: new WireLink(`${name} there`, { family: 4, address: '192.0.2.2', port }),
      back: new WireLink(`${name} back`, { family: 4, address: '192.0.2.1', port }),
    };
    this.#wires.push({ link: wire.there, to: b, arrivesBy: wire.back });
    this.#wires.push({ link: wire.back, to: a, arrivesBy: wire.there });
    return wire;
  }

  /** a and b know each other and have a path. */
  joined(a: Node, b: Node, name?: string, port?: number): Wire {
    const wire = this.wire(a, b, name, port);
    a.engine.setPeer(b.config());
    b.engine.setPeer(a.config());
    a.engine.setPath(b.keys.id, wire.there);
    b.engine.setPath(a.keys.id, wire.back);
    return wire;
  }

  /** Lets everything through until nothing is on the way. */
  pump(): void {
    for (let moved = true; moved;) {
      moved = false;
      for (const { link, to, arrivesBy } of this.#wires) {
        for (const datagram of link.queue.splice(0)) {
          moved = true;
          receive(to, arrivesBy, datagram);
        }
      }
    }
  }

  /** Time passes in steps, with everything let through after each. */
  pass(ms: number, stepMs = 100): void {
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(stepMs, left));
      this.pump();
    }
  }
}

export function receive(node: Node, link: Link, datagram: Uint8Array): void {
  node.engine.inbound(link, {
    bytes: datagram,
    offset: 0,
    length: datagram.length,
    segment: datagram.length,
  });
  node.engine.flush();
}

export function ipv4(source: string, destination: string, text: string): Uint8Array {
  const payload = Buffer.from(text);
  const packet = new Uint8Array(20 + payload.length);
  packet[0] = 0x45;
  packet[2] = packet.length >> 8;
  packet[3] = packet.length & 0xff;
  packet[8] = 64;
  packet[9] = 253;
  packet.set(source.split('.').map(Number), 12);
  packet.set(destination.split('.').map(Number), 16);
  packet.set(payload, 20);
  return packet;
}

/** A pair with a session up. */
export function established(
  world: World,
  first: Partial<NodeOptions> = {},
  second: Partial<NodeOptions> = {},
): { a: Node; b: Node; wire: Wire } {
  const a = world.node({ address: '10.77.0.1', ...first });
  const b = world.node({ address: '10.77.0.2', ...second });
  const wire = world.joined(a, b);
  a.say(b.address, 'first');
  world.pump();
  return { a, b, wire };
}
