// The life of a session: when it is renewed, kept alive, given up and wiped (whitepaper section 6). The data plane tells
// what happened to a peer; this answers with alarms and, when they ring, with initiations and keepalives.
import {
  Alarms,
  KEEPALIVE,
  PERSISTENT,
  RETRANSMIT,
  SESSION_END,
  SILENCE,
  WIPE,
  type Alarm,
} from './alarms.ts';
import type { Keypair } from './keypairs.ts';
import type { Setting } from './options.ts';
import type { Peer } from './peer.ts';

export interface SessionActions {
  /** A retry goes on with the attempt under way; otherwise a new one begins. */
  initiate(peer: Peer, nowMs: number, retry: boolean): void;
  keepalive(peer: Peer, nowMs: number): void;
  /** The handshake under way is off. */
  forgetInitiation(peer: Peer): void;
}

export class Sessions {
  readonly #setting: Setting;
  readonly #actions: SessionActions;

  constructor(setting: Setting, actions: SessionActions) {
    this.#setting = setting;
    this.#actions = actions;
  }

  alarmsOf(peer: Peer): Alarms {
    return new Alarms(this.#setting.clock, (alarm, now) => this.#ring(peer, alarm, now));
  }

  // ---- what happened

  initiated(peer: Peer, now: number): void {
    peer.initiationSentAt = now;
    this.handshakeSent(peer, now);
    this.awaitResponse(peer, now);
  }

  /** Looks again after the time-out, also where nothing could be sent for want of a path. */
  awaitResponse(peer: Peer, now: number): void {
    peer.alarms.set(RETRANSMIT, now + this.#setting.timings.rekeyTimeoutMs + this.#jitter());
  }

  handshakeSent(peer: Peer, now: number): void {
    peer.lastSentAt = now;
    peer.alarms.clear(KEEPALIVE);
    this.#traversed(peer, now);
  }

  /** A response came: our keys are good. */
  completed(peer: Peer, keypair: Keypair, now: number): void {
    peer.keypairs.completed(keypair);
    this.#derived(peer, now);
    this.#up(peer, keypair, now);
  }

  /** We answered. */
  responded(peer: Peer, keypair: Keypair, now: number): void {
    peer.keypairs.responded(keypair);
    this.#derived(peer, now);
  }

  /** Data was opened with this pair. True where the session came up by it. */
  used(peer: Peer, keypair: Keypair, now: number): boolean {
    if (!peer.keypairs.used(keypair)) return false;
    this.#up(peer, keypair, now);
    return true;
  }

  /** A data message left; `empty`: a keepalive. */
  sent(peer: Peer, keypair: Keypair, empty: boolean, now: number): void {
    const { timings } = this.#setting;
    peer.lastSentAt = now;
    peer.alarms.clear(KEEPALIVE);
    this.#traversed(peer, now);
    if (!empty && !peer.alarms.pending(SILENCE)) {
      peer.alarms.set(SILENCE, now + timings.keepaliveMs + timings.rekeyTimeoutMs + this.#jitter());
    }
    const old = keypair.initiator && now - keypair.createdAt >= timings.rekeyAfterMs;
    if (old || keypair.sendCounter > timings.rekeyAfterMessages) this.#actions.initiate(peer, now, false);
  }

  /** An authenticated message of any kind came. */
  received(peer: Peer, bytes: number, now: number): void {
    peer.bytesIn += bytes;
    peer.lastReceivedAt = now;
    peer.alarms.clear(SILENCE);
    this.#traversed(peer, now);
  }

  /** A data message that was no keepalive came. */
  dataReceived(peer: Peer, now: number): void {
    const { keepaliveMs } = this.#setting.timings;
    if (peer.alarms.pending(KEEPALIVE)) peer.keepaliveAgain = true;
    else peer.alarms.set(KEEPALIVE, now + keepaliveMs);
  }

  /** Whoever only receives renews in the last seconds too, once. */
  renewLate(peer: Peer, now: number): void {
    const keypair = peer.keypairs.current;
    if (peer.renewedLate || keypair?.initiator !== true) return;
    const { rejectAfterMs, keepaliveMs, rekeyTimeoutMs } = this.#setting.timings;
    if (now - keypair.createdAt < rejectAfterMs - keepaliveMs - rekeyTimeoutMs) return;
    peer.renewedLate = true;
    this.#actions.initiate(peer, now, false);
  }

  // ---- alarms

  #ring(peer: Peer, alarm: Alarm, now: number): void {
    switch (alarm) {
      case RETRANSMIT:
        this.#retransmit(peer, now);
        break;
      case KEEPALIVE:
        this.#sayNothing(peer, now);
        break;
      case SILENCE:
        this.#actions.initiate(peer, now, false);
        break;
      case PERSISTENT:
        this.#actions.keepalive(peer, now);
        break;
      case SESSION_END:
        this.#end(peer, now);
        break;
      case WIPE:
        this.#actions.forgetInitiation(peer);
        peer.keypairs.wipe();
        this.#end(peer, now);
    }
  }

  #retransmit(peer: Peer, now: number): void {
    const { timings, counts } = this.#setting;
    if (peer.attempts * timings.rekeyTimeoutMs < timings.rekeyAttemptMs) {
      peer.attempts++;
      this.#actions.initiate(peer, now, true);
      return;
    }
    counts.handshake['given-up'].value++;
    peer.wantsSession = false;
    peer.alarms.clear(KEEPALIVE);
    peer.held.drop();
    if (!peer.alarms.pending(WIPE)) peer.alarms.set(WIPE, now + timings.wipeAfterMs);
  }

  #sayNothing(peer: Peer, now: number): void {
    this.#actions.keepalive(peer, now);
    if (!peer.keepaliveAgain) return;
    peer.keepaliveAgain = false;
    peer.alarms.set(KEEPALIVE, now + this.#setting.timings.keepaliveMs);
  }

  #end(peer: Peer, now: number): void {
    if (!peer.established || peer.usable(this.#setting.timings, now) !== null) return;
    peer.established = false;
    this.#setting.events.sessionChanged(peer.config.id, false);
  }

  #up(peer: Peer, keypair: Keypair, now: number): void {
    const { counts, timings, events } = this.#setting;
    counts.handshake.completed.value++;
    peer.alarms.clear(RETRANSMIT);
    peer.attempts = 0;
    peer.wantsSession = false;
    peer.renewedLate = false;
    peer.handshakeAt = now;
    peer.alarms.set(SESSION_END, keypair.createdAt + timings.rejectAfterMs);
    if (peer.established) return;
    peer.established = true;
    events.sessionChanged(peer.config.id, true);
  }

  #derived(peer: Peer, now: number): void {
    peer.alarms.set(WIPE, now + this.#setting.timings.wipeAfterMs);
  }

  #traversed(peer: Peer, now: number): void {
    const { keepaliveMs } = peer.config;
    if (keepaliveMs > 0) peer.alarms.set(PERSISTENT, now + keepaliveMs);
  }

  #jitter(): number {
    const { rekeyJitterMs } = this.#setting.timings;
    return rekeyJitterMs > 0 ? this.#setting.random.below(rekeyJitterMs) : 0;
  }
}
