// Handshake messages in and out. On receipt: length, mac1, under load mac2 and the rate of the source, then the
// Diffie-Hellman exchanges, the timestamp, and last what the message changes.
import type { Counter } from '../../base/counters.ts';
import { TokenBucket } from '../../base/token-bucket.ts';
import { sourceOf } from '../../protocol/ip/source.ts';
import type { Result } from '../../protocol/result.ts';
import {
  INITIATION_BYTES,
  RESPONSE_BYTES,
  TYPE_COOKIE_REPLY,
  TYPE_INITIATION,
} from '../../protocol/wireguard/constants.ts';
import {
  initiate,
  readInitiation,
  readResponse,
  respond,
  type LocalEnd,
  type ReceivedInitiation,
  type TransportKeys,
} from '../../protocol/wireguard/handshake.ts';
import { MacChecker } from '../../protocol/wireguard/macs.ts';
import { decodeCookieReply, readUint32 } from '../../protocol/wireguard/messages.ts';
import { encodeTimestamp, isLater } from '../../protocol/wireguard/tai64n.ts';
import type { Link } from '../contract/link.ts';
import { Profile } from './fast-profile.ts';
import { LoadDetector, SourceLimiter } from './handshake-limits.ts';
import type { Indices } from './indices.ts';
import { Keypair } from './keypairs.ts';
import type { Setting } from './options.ts';
import type { Peer } from './peer.ts';
import type { Sessions } from './sessions.ts';
import { Timestamps } from './timestamps.ts';

/** A source that has shown its cookie: as many handshakes a second, and so many at once. */
const PER_SOURCE = { perSecond: 20, burst: 5, sources: 4096 };
const UNKNOWN_PEERS = { perSecond: 10, burst: 10 };

export interface HandshakeEvents {
  peerOf(publicKey: Uint8Array): Peer | undefined;
  heard(peer: Peer, link: Link, nowMs: number): void;
  /** Our initiation was answered. */
  completed(peer: Peer, nowMs: number): void;
  askPath(peer: Peer, nowMs: number): void;
  linkClosed(link: Link): void;
}

export class Handshakes {
  readonly #setting: Setting;
  readonly #end: LocalEnd;
  readonly #indices: Indices;
  readonly #sessions: Sessions;
  readonly #events: HandshakeEvents;
  readonly #macs: MacChecker;
  readonly #timestamps: Timestamps;
  readonly #load: LoadDetector;
  readonly #sources = new SourceLimiter(PER_SOURCE.perSecond, PER_SOURCE.burst, PER_SOURCE.sources);
  readonly #strangers: TokenBucket;

  constructor(setting: Setting, indices: Indices, sessions: Sessions, events: HandshakeEvents) {
    const { primitives, localStatic, clock, timings } = setting;
    const now = clock.monotonicMs();
    this.#setting = setting;
    this.#end = { primitives, localStatic };
    this.#indices = indices;
    this.#sessions = sessions;
    this.#events = events;
    this.#macs = new MacChecker(primitives, localStatic.publicKey);
    this.#timestamps = new Timestamps(setting.timestampFloor, () => clock.wallMs());
    this.#load = new LoadDetector(timings.handshakesPerSecond, now);
    this.#strangers = new TokenBucket(UNKNOWN_PEERS.perSecond, UNKNOWN_PEERS.burst, now);
  }

  /** Asks the peer for a session, unless that was done a moment ago. */
  initiate(peer: Peer, now: number, retry = false): void {
    if (!retry) peer.attempts = 0;
    if (now - peer.initiationSentAt < this.#setting.timings.rekeyTimeoutMs) return;
    if (peer.link === null) {
      if (!peer.wantsSession || retry) this.#sessions.awaitResponse(peer, now);
      peer.wantsSession = true;
      this.#events.askPath(peer, now);
      return;
    }
    this.forgetInitiation(peer);
    const index = this.#indices.claim(peer);
    const timestamp = encodeTimestamp(this.#timestamps.next());
    const { publicKey, presharedKey } = peer.config;
    const sent = initiate(this.#end, publicKey, presharedKey, index, timestamp);
    peer.initiation = { sent, index };
    peer.signer.sign(sent.message, now);
    this.#sessions.initiated(peer, now);
    if (this.#send(peer, peer.link, sent.message)) this.#setting.counts.handshake['initiations-sent'].value++;
  }

  forgetInitiation(peer: Peer): void {
    if (peer.initiation === null) return;
    this.#indices.release(peer.initiation.index);
    peer.initiation = null;
  }

  /** One handshake message of that type at `bytes[at..at+size)`. */
  receive(link: Link, type: number, bytes: Uint8Array, at: number, size: number, now: number): void {
    const message = bytes.slice(at, at + size);
    this.#outcome(link, type, message, now).value++;
  }

  /** Every message ends in one of the counters. */
  #outcome(link: Link, type: number, message: Uint8Array, now: number): Counter {
    const { malformed } = this.#setting.counts.in;
    if (type === TYPE_COOKIE_REPLY) return this.#cookieReply(message, now);
    if (type === TYPE_INITIATION) {
      if (message.length !== INITIATION_BYTES) return malformed;
      return this.#refusal(link, message, now) ?? this.#initiation(link, message, now);
    }
    if (message.length !== RESPONSE_BYTES) return malformed;
    return this.#refusal(link, message, now) ?? this.#response(link, message, now);
  }

  #initiation(link: Link, message: Uint8Array, now: number): Counter {
    const counts = this.#setting.counts.handshake;
    const received = this.#taken(readInitiation(this.#end, message));
    if (received === null) return counts.refused;
    const peer = this.#events.peerOf(received.remoteStatic);
    if (peer === undefined) return this.#stranger(link, received.remoteStatic, message, now);
    if (peer.lastTimestamp !== null && !isLater(received.timestamp, peer.lastTimestamp))
      return counts.timestamp;
    if (now - peer.lastInitiationAt < this.#setting.timings.initiationGapMs) return counts['too-soon'];
    peer.lastTimestamp = received.timestamp;
    peer.lastInitiationAt = now;
    this.#answer(peer, link, received, now);
    return counts['initiations-received'];
  }

  #answer(peer: Peer, link: Link, received: ReceivedInitiation, now: number): void {
    const index = this.#indices.claim(peer);
    const { message, keys } = respond(received, peer.config.presharedKey, index);
    this.#sessions.responded(peer, this.#keypair(peer, keys, index, received.sender, false, now), now);
    this.#sessions.received(peer, INITIATION_BYTES, now);
    this.#events.heard(peer, link, now);
    peer.signer.sign(message, now);
    this.#sessions.handshakeSent(peer, now);
    // By the way it came, whatever path is chosen: that way is known to be open.
    if (this.#send(peer, link, message)) this.#setting.counts.handshake['responses-sent'].value++;
  }

  #response(link: Link, message: Uint8Array, now: number): Counter {
    const counts = this.#setting.counts.handshake;
    const index = readUint32(message, 8) | 0;
    const peer = this.#indices.find(index)?.peer;
    if (peer?.initiation?.index !== index) return counts['unknown-index'];
    const received = this.#taken(readResponse(peer.initiation.sent, message));
    if (received === null) return counts.refused;
    peer.initiation = null;
    const keypair = this.#keypair(peer, received.keys, index, received.sender, true, now);
    this.#sessions.received(peer, RESPONSE_BYTES, now);
    this.#sessions.completed(peer, keypair, now);
    this.#events.heard(peer, link, now);
    this.#events.completed(peer, now);
    return counts['responses-received'];
  }

  #cookieReply(message: Uint8Array, now: number): Counter {
    const counts = this.#setting.counts.handshake;
    const reply = decodeCookieReply(message);
    if (!reply.ok) return this.#setting.counts.in.malformed;
    const peer = this.#indices.find(reply.value.receiver)?.peer;
    if (peer === undefined) return counts['unknown-index'];
    const taken = peer.signer.takeCookie(reply.value, now);
    return counts[taken.ok ? 'cookies-received' : 'cookie-refused'];
  }

  /** Null where this message may cost us a Diffie-Hellman exchange. */
  #refusal(link: Link, message: Uint8Array, now: number): Counter | null {
    const counts = this.#setting.counts.handshake;
    if (!this.#macs.mac1Holds(message)) return counts.mac1;
    if (!this.#load.loaded(now)) return null;
    const source = new TextEncoder().encode(`${link.remote?.address ?? link.id} ${link.remote?.port ?? ''}`);
    if (this.#macs.mac2Holds(message, source, now)) {
      const from = link.remote === null ? link.id : sourceOf(link.remote.address);
      return this.#sources.take(from, now) ? null : counts.limited;
    }
    const reply = this.#macs.cookieReply(message, source, now);
    link.send({ bytes: reply, offset: 0, length: reply.length, segment: reply.length });
    return counts['cookies-sent'];
  }

  #stranger(link: Link, publicKey: Uint8Array, message: Uint8Array, now: number): Counter {
    if (this.#strangers.take(now)) this.#setting.events.unknownPeer(publicKey, link, message);
    return this.#setting.counts.handshake['unknown-peer'];
  }

  #taken<T>(result: Result<T>): T | null {
    if (result.ok) return result.value;
    this.#setting.log.debug('handshake message refused', { code: result.code });
    return null;
  }

  #keypair(
    peer: Peer,
    keys: TransportKeys,
    localIndex: number,
    remoteIndex: number,
    initiator: boolean,
    now: number,
  ): Keypair {
    const { aead, fastCiphers } = this.#setting;
    const facts = { localIndex, remoteIndex, initiator, createdAt: now };
    const keypair = new Keypair(aead, 'chacha20-poly1305', keys, facts);
    if (peer.config.isGinnel === true && fastCiphers.length > 0)
      keypair.profile = new Profile(this.#indices.claim(peer), keys.beyond);
    else keys.beyond.fill(0);
    const entry = this.#indices.find(localIndex);
    if (entry !== undefined) entry.keypair = keypair;
    return keypair;
  }

  #send(peer: Peer, link: Link, message: Uint8Array): boolean {
    peer.bytesOut += message.length;
    const result = link.send({ bytes: message, offset: 0, length: message.length, segment: message.length });
    if (result !== 'sent') this.#setting.counts.handshake['not-sent'].value++;
    if (result === 'closed') this.#events.linkClosed(link);
    return result === 'sent';
  }
}
