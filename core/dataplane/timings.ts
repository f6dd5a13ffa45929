// When sessions are renewed, refused and wiped: the specification's times, and our own bounds. A test may override them.
import {
  KEEPALIVE_TIMEOUT_MS,
  REJECT_AFTER_MS,
  REKEY_AFTER_MS,
  REKEY_ATTEMPT_MS,
  REKEY_TIMEOUT_MS,
} from '../../protocol/wireguard/constants.ts';

export interface Timings {
  readonly rekeyAfterMs: number;
  /** Counters are JavaScript numbers here, so these two lie below the specification's 2^60 and 2^64: 14 years of 10 Mpps. */
  readonly rekeyAfterMessages: number;
  readonly rejectAfterMessages: number;
  readonly rejectAfterMs: number;
  readonly rekeyAttemptMs: number;
  readonly rekeyTimeoutMs: number;
  /** Up to so much is added to a time-out, so that two ends don't clash for ever. */
  readonly rekeyJitterMs: number;
  readonly keepaliveMs: number;
  /** All keys of a silent peer are wiped. */
  readonly wipeAfterMs: number;
  /** Two initiations of one peer are at least so far apart. */
  readonly initiationGapMs: number;
  /** Handshake messages a second beyond which senders must show a cookie. */
  readonly handshakesPerSecond: number;
}

export const DEFAULT_TIMINGS: Timings = {
  rekeyAfterMs: REKEY_AFTER_MS,
  rekeyAfterMessages: 2 ** 52,
  rejectAfterMessages: 2 ** 53 - 2 ** 13,
  rejectAfterMs: REJECT_AFTER_MS,
  rekeyAttemptMs: REKEY_ATTEMPT_MS,
  rekeyTimeoutMs: REKEY_TIMEOUT_MS,
  rekeyJitterMs: 334,
  keepaliveMs: KEEPALIVE_TIMEOUT_MS,
  wipeAfterMs: 3 * REJECT_AFTER_MS,
  initiationGapMs: 20,
  handshakesPerSecond: 100,
};
