// Joins the parts of the data plane behind the `Engine` face. A packet's way out: routes, sender, outbox; in: here by
// message type, then receiver or handshakes. Nothing here waits, throws on what came over a wire, or makes an object
// per packet.
import { KEY_BYTES, TYPE_DATA } from '../../protocol/wireguard/constants.ts';
import { WHOLE, type PacketOffload } from '../../protocol/ip/offload.ts';
import { MacSigner } from '../../protocol/wireguard/macs.ts';
import { messageType } from '../../protocol/wireguard/messages.ts';
import type { Batch, Link } from '../contract/link.ts';
import { countsOf } from './counts.ts';
import { Cutter, type TakePacket } from './cutter.ts';
import type { Engine, PeerConfig, PeerId, SessionStatus } from './engine.ts';
import { FastProfile } from './fast-profile.ts';
import { Handshakes } from './handshakes.ts';
import { Indices } from './indices.ts';
import { claimedLength, IPV4_DESTINATION_AT, IPV6_DESTINATION_AT, isIpv4 } from './ip-packet.ts';
import { Keypairs, type Keypair } from './keypairs.ts';
import type { EngineOptions, Setting } from './options.ts';
import { Outbox, OUTBOX_BYTES } from './outbox.ts';
import { PacketQueue, type SharedRoom } from './packet-queue.ts';
import { Peer } from './peer.ts';
import { Receiver, RECEIVER_BYTES } from './receiver.ts';
import { parsePrefix, Routes, type Prefix } from './routes.ts';
import { Sender } from './sender.ts';
import { Sessions } from './sessions.ts';
import { DEFAULT_TIMINGS } from './timings.ts';
import { WantedRoutes } from './wanted-routes.ts';
import { wordOf } from './word.ts';

/** What waits for a path or a session, a peer. */
const HELD = { packets: 64, bytes: 128 * 1024 };
/** And all peers together. */
const HELD_BYTES = 4 * 1024 * 1024;
/** After a move to another path a handshake under way is tried again there, unless it began just now. */
const INITIATION_AGAIN_MS = 200;
const OVERLAY = { overlay: true };

export function createEngine(options: EngineOptions): Engine {
  return new WireguardEngine(options);
}

class WireguardEngine implements Engine {
  readonly #setting: Setting;
  readonly #peers = new Map<PeerId, Peer>();
  readonly #routes = new Routes<Peer>();
  readonly #indices: Indices;
  readonly #outbox: Outbox;
  readonly #sessions: Sessions;
  readonly #handshakes: Handshakes;
  readonly #sender: Sender;
  readonly #fast: FastProfile;
  readonly #receiver: Receiver;
  readonly #wanted: WantedRoutes;
  readonly #cutter = new Cutter();
  readonly #heldRoom: SharedRoom = { bytesLeft: HELD_BYTES };
  /** Whose the super-packet at hand is, while it is cut. */
  #addressee: Peer | null = null;
  #overlay = new Routes<typeof OVERLAY>();
  /** The clock is read once a turn; null between turns. */
  #turnAt: number | null = null;
  /** Who was told of as heard in the batch at hand. */
  #heardPeer: Peer | null = null;
  readonly #foreign: Batch = { bytes: new Uint8Array(0), offset: 0, length: 0, segment: 0 };

  constructor(options: EngineOptions) {
    const counts = countsOf(options.counters);
    const timings = { ...DEFAULT_TIMINGS, ...options.timings };
    const fastCiphers = options.fastCiphers ?? ['chacha20-poly1305'];
    const setting: Setting = (this.#setting = { ...options, timings, counts, fastCiphers });
    const { memory } = options.aead;
    const heard = (peer: Peer, link: Link, now: number): void => this.#heard(peer, link, now);
    const closed = (link: Link): void => this.#linkClosed(link);
    this.#indices = new Indices(options.random);
    this.#outbox = new Outbox(memory, options.allocate(OUTBOX_BYTES), counts.out, closed);
    this.#sessions = new Sessions(setting, {
      initiate: (peer, now, retry) => this.#handshakes.initiate(peer, now, retry),
      keepalive: (peer, now) => this.#keepalive(peer, now),
      forgetInitiation: peer => this.#handshakes.forgetInitiation(peer),
    });
    this.#sender = new Sender(setting, this.#outbox, this.#sessions, {
      initiate: (peer, now) => this.#handshakes.initiate(peer, now),
      stockSent: (peer, keypair, now) => this.#fast.stockSent(peer, keypair, now),
    });
    this.#fast = new FastProfile({
      setting,
      indices: this.#indices,
      tell: (peer, body, now) => void this.#sender.tell(peer, wordOf(body), now),
    });
    this.#handshakes = new Handshakes(setting, this.#indices, this.#sessions, {
      peerOf: publicKey => this.#peers.get(idOf(publicKey)),
      heard,
      completed: (peer, now) => this.#sender.release(peer, now) || this.#sender.keepalive(peer, now),
      askPath: (peer, now) => this.#sender.askPath(peer, now),
      linkClosed: closed,
    });
    const base = options.allocate(RECEIVER_BYTES);
    this.#receiver = new Receiver(setting, base, this.#indices, this.#routes, this.#sessions, {
      heard,
      confirmed: (peer, now) => void this.#sender.release(peer, now),
      fastReceived: pair => this.#fast.fastReceived(pair),
      told: (peer, keypair, body) => this.#told(peer, keypair, body),
    });
    this.#wanted = new WantedRoutes(options.clock, counts.out['route-unknown'], destination => {
      setting.events.needsRoute(destination);
    });
    this.setOverlay(options.overlay ?? []);
  }

  // ---- peers

  setPeer(config: PeerConfig): boolean {
    checkPeer(config);
    const prefixes = config.allowedIps.map(prefixOf);
    let peer = this.#peers.get(config.id);
    if (peer === undefined) {
      if (!this.#talksWith(config.publicKey)) return false;
      this.#peers.set(config.id, (peer = this.#newPeer(config)));
    }
    peer.config = config;
    for (const prefix of peer.prefixes) this.#routes.delete(prefix, peer);
    for (const prefix of prefixes) this.#routes.set(prefix, peer);
    peer.prefixes = prefixes;
    if (config.keepaliveMs > 0) peer.wantsSession = true;
    this.#releaseWanted();
    return true;
  }

  removePeer(id: PeerId): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    this.#peers.delete(id);
    for (const prefix of peer.prefixes) this.#routes.delete(prefix, peer);
    this.#forget(peer);
    if (peer.established) this.#setting.events.sessionChanged(id, false);
  }

  setOverlay(prefixes: readonly string[]): void {
    const overlay = new Routes<typeof OVERLAY>();
    for (const prefix of prefixes) overlay.set(prefixOf(prefix), OVERLAY);
    this.#overlay = overlay;
  }

  setPath(id: PeerId, link: Link | null): void {
    const peer = this.#peers.get(id);
    if (peer === undefined || peer.link === link) return;
    peer.link = link;
    if (link === null) return;
    const now = this.#now();
    if (peer.usable(this.#setting.timings, now) !== null) {
      if (this.#sender.release(peer, now)) this.#outbox.flush();
    } else if (peer.wantsSession || peer.held.size > 0 || peer.initiation !== null) {
      if (now - peer.initiationSentAt >= INITIATION_AGAIN_MS) peer.initiationSentAt = -Infinity;
      this.#handshakes.initiate(peer, now);
    }
  }

  wake(id: PeerId): void {
    const peer = this.#peers.get(id);
    const now = this.#now();
    if (peer === undefined || peer.usable(this.#setting.timings, now) !== null) return;
    this.#handshakes.initiate(peer, now);
  }

  tell(id: PeerId, body: Uint8Array): boolean {
    const word = wordOf(body);
    const peer = this.#peers.get(id);
    if (peer === undefined || !this.#sender.tell(peer, word, this.#now())) return false;
    this.#outbox.flush();
    return true;
  }

  status(id: PeerId): SessionStatus | null {
    const peer = this.#peers.get(id);
    if (peer === undefined) return null;
    const { established, handshakeAt, bytesIn, bytesOut } = peer;
    const { lastReceivedAt, lastSentAt, lastPacketSentAt } = peer;
    const pair = peer.usable(this.#setting.timings, this.#now())?.sealing ?? null;
    const { cipher = null, isFast = false } = pair ?? {};
    const times = { handshakeAt, lastReceivedAt, lastSentAt, lastPacketSentAt };
    return { established, cipher, isFast, bytesIn, bytesOut, ...times };
  }

  routeUnknown(destination: string): void {
    this.#wanted.drop(destination);
  }

  close(): void {
    for (const peer of this.#peers.values()) this.#forget(peer);
    this.#peers.clear();
    this.#wanted.close();
  }

  // ---- packets

  outbound(bytes: Uint8Array, offset: number, length: number, offload: PacketOffload = WHOLE): void {
    const counts = this.#setting.counts.out;
    const claimed = claimedLength(bytes, offset, length);
    if (claimed === 0 || claimed > length) {
      counts.malformed.value++;
      return;
    }
    const v4 = isIpv4(bytes, offset);
    const at = offset + (v4 ? IPV4_DESTINATION_AT : IPV6_DESTINATION_AT);
    const peer = v4 ? this.#routes.find4(bytes, at) : this.#routes.find6(bytes, at);
    if (peer === null && (v4 ? this.#overlay.find4(bytes, at) : this.#overlay.find6(bytes, at)) === null) {
      counts['no-route'].value++;
      return;
    }
    this.#addressee = peer;
    // A super-packet is never a SYN.
    if (peer !== null && offload.segment === 0)
      this.#sender.clamp(peer, bytes, offset, length, offload.checksumStart > 0);
    const mayLeaveOpen = peer !== null && this.#sender.leavesOpen(peer, (this.#turnAt ??= this.#now()));
    const take = peer === null ? this.#holdForRoute : this.#sendOne;
    if (!this.#cutter.cut(bytes, offset, length, offload, mayLeaveOpen, take)) counts.malformed.value++;
  }

  flush(): void {
    this.#turnAt = null;
    this.#receiver.turnEnded();
    this.#outbox.flush();
  }

  inbound(link: Link, batch: Batch): void {
    const now = this.#now();
    const { bytes, length } = batch;
    const end = batch.offset + length;
    const step = batch.segment > 0 ? batch.segment : length;
    this.#heardPeer = null;
    for (let at = batch.offset; at < end; at += step) {
      const size = Math.min(step, end - at);
      const type = messageType(bytes, at, size);
      if (type === TYPE_DATA) this.#receiver.receive(link, bytes, at, size, now);
      else if (type !== 0) this.#handshakes.receive(link, type, bytes, at, size, now);
      else this.#notMine(link, bytes, at, size);
    }
    this.#heardPeer = null;
  }

  // ---- one packet out, cut where that was needed

  readonly #sendOne: TakePacket = (bytes, offset, length, isOpen) => {
    if (this.#addressee === null) return;
    this.#sender.send(this.#addressee, bytes, offset, length, isOpen, (this.#turnAt ??= this.#now()));
  };

  readonly #holdForRoute: TakePacket = (bytes, offset, length) => {
    const v4 = isIpv4(bytes, offset);
    const at = offset + (v4 ? IPV4_DESTINATION_AT : IPV6_DESTINATION_AT);
    this.#wanted.hold(bytes.subarray(at, at + (v4 ? 4 : 16)), bytes, offset, length);
  };

  // ---- what the parts tell

  #heard(peer: Peer, link: Link, now: number): void {
    if (peer === this.#heardPeer) return;
    this.#heardPeer = peer;
    this.#setting.events.heard(peer.config.id, link, now);
  }

  #told(peer: Peer, keypair: Keypair, body: Uint8Array): void {
    if (!this.#fast.isOffer(body)) this.#setting.events.told(peer.config.id, body);
    else if (keypair.session === peer.keypairs.current)
      this.#fast.heard(peer, keypair.session, body, this.#now());
  }

  #notMine(link: Link, bytes: Uint8Array, at: number, size: number): void {
    this.#setting.counts.in['not-mine'].value++;
    this.#foreign.bytes = bytes;
    this.#foreign.offset = at;
    this.#foreign.length = this.#foreign.segment = size;
    this.#setting.events.notMine(link, this.#foreign);
  }

  #keepalive(peer: Peer, now: number): void {
    this.#sender.keepalive(peer, now);
    this.#outbox.flush();
  }

  #linkClosed(link: Link): void {
    const now = this.#now();
    for (const peer of this.#peers.values()) {
      if (peer.link !== link) continue;
      peer.link = null;
      this.#sender.askPath(peer, now);
    }
  }

  #releaseWanted(): void {
    const routed = (address: Uint8Array): boolean =>
      (address.length === 4 ? this.#routes.find4(address, 0) : this.#routes.find6(address, 0)) !== null;
    this.#wanted.release(routed, (bytes, offset, length) => this.outbound(bytes, offset, length));
    this.flush();
  }

  // ---- peers, the inner side

  #newPeer(config: PeerConfig): Peer {
    const { primitives, counts } = this.#setting;
    const parts = {
      signer: new MacSigner(primitives, config.publicKey),
      keypairs: new Keypairs(keypair => {
        this.#indices.release(keypair.localIndex);
        if (keypair.profile !== null) this.#indices.release(keypair.profile.localIndex);
      }),
      held: new PacketQueue(HELD, counts.out['held-dropped'], this.#heldRoom),
    };
    return new Peer(config, parts, peer => this.#sessions.alarmsOf(peer));
  }

  #talksWith(publicKey: Uint8Array): boolean {
    const { primitives, localStatic } = this.#setting;
    if (primitives.equal(publicKey, localStatic.publicKey)) return false;
    return localStatic.diffieHellman(publicKey) !== null;
  }

  #forget(peer: Peer): void {
    peer.alarms.close();
    this.#handshakes.forgetInitiation(peer);
    peer.keypairs.wipe();
    peer.held.drop();
    peer.link = null;
  }

  #now(): number {
    return this.#setting.clock.monotonicMs();
  }
}

const idOf = (publicKey: Uint8Array): PeerId =>
  Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.length).toString('base64');

function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new TypeError(`not an IP prefix: ${text}`);
  return prefix;
}

function checkPeer(config: PeerConfig): void {
  if (config.publicKey.length !== KEY_BYTES || config.id !== idOf(config.publicKey)) {
    throw new TypeError("a peer's id is the base64 of its 32-byte public key");
  }
  if (config.presharedKey !== undefined && config.presharedKey.length !== KEY_BYTES) {
    throw new TypeError('a pre-shared key has 32 bytes');
  }
}
