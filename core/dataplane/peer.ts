// What the data plane keeps of one peer. The rules by which it changes stand in sessions.ts and handshakes.ts.
import type { Link } from '../contract/link.ts';
import type { MacSigner } from '../../protocol/wireguard/macs.ts';
import type { SentInitiation } from '../../protocol/wireguard/handshake.ts';
import type { Alarms } from './alarms.ts';
import type { PeerConfig } from './engine.ts';
import type { Keypair, Keypairs } from './keypairs.ts';
import type { PacketQueue } from './packet-queue.ts';
import type { Prefix } from './routes.ts';
import type { Timings } from './timings.ts';

export interface PeerParts {
  readonly signer: MacSigner;
  readonly keypairs: Keypairs;
  readonly held: PacketQueue;
}

export class Peer {
  readonly signer: MacSigner;
  readonly keypairs: Keypairs;
  readonly held: PacketQueue;
  readonly alarms: Alarms;
  config: PeerConfig;
  prefixes: readonly Prefix[] = [];
  link: Link | null = null;

  /** Our initiation that waits for its response, under its index. */
  initiation: { readonly sent: SentInitiation; readonly index: number } | null = null;
  initiationSentAt = -Infinity;
  attempts = 0;
  /** A session is wanted, but there was no path to ask for one. */
  wantsSession = false;
  pathAskedAt = -Infinity;
  /** Of the peer's last initiation: TAI64N, and when it came. */
  lastTimestamp: Uint8Array | null = null;
  lastInitiationAt = -Infinity;

  established = false;
  handshakeAt: number | null = null;
  bytesIn = 0;
  bytesOut = 0;
  lastReceivedAt: number | null = null;
  lastSentAt: number | null = null;
  lastPacketSentAt: number | null = null;
  /** The session was renewed once because of data that came in its last seconds. */
  renewedLate = false;
  /** Data came while a keepalive was already due: another follows it. */
  keepaliveAgain = false;

  constructor(config: PeerConfig, parts: PeerParts, alarms: (peer: Peer) => Alarms) {
    this.config = config;
    this.signer = parts.signer;
    this.keypairs = parts.keypairs;
    this.held = parts.held;
    this.alarms = alarms(this);
  }

  /** The keys to seal with now, if they may still be used. */
  usable(timings: Timings, nowMs: number): Keypair | null {
    const keypair = this.keypairs.current;
    if (keypair === null || nowMs - keypair.createdAt >= timings.rejectAfterMs) return null;
    return keypair.sendCounter < timings.rejectAfterMessages ? keypair : null;
  }
}
