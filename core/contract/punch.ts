// Getting through where plain probes do not get in (P2 to P7): what a traversal plugin proposes for one try at a peer, as data.
// It proposes; the core sends, under its budget, and whatever gets through becomes a link.
import type { Endpoint } from '../../protocol/address.ts';
import type { Forecast, PunchMethod } from '../../protocol/location/messages.ts';
import type { StunSocket } from './plugin.ts';
import type { NatWords } from './nat-report.ts';

export interface Puncher {
  readonly methods: readonly PunchMethod[];
  /**
   * P2 to P4: asks the location server from a fresh socket how the NAT maps new destinations. Null: no server answered.
   * The socket stays open, for the volley leaves from it; it is the core's from then on.
   */
  measure(transport: 'udp' | 'tcp', signal: AbortSignal): Promise<Measured | null>;
  /** What to send, now that both ends know of each other. Pure but for the guesses. Null: nothing to be done that way. */
  volley(ask: VolleyAsk): Volley | null;
}

export interface Measured {
  readonly forecast: Forecast;
  readonly socket: StunSocket & { close(): void };
}

export interface VolleyAsk {
  readonly method: PunchMethod;
  readonly role: 'offerer' | 'answerer';
  readonly own: VolleySide;
  readonly theirs: VolleySide;
  /** By then, in ms from now, the other end's first packets have left: full ones of ours spoil nothing any more (P5). */
  readonly holdBackMs: number;
  /** Tries by this method that failed in a row between these two, here. */
  readonly failures: number;
}

export interface VolleySide {
  readonly nat: NatWords;
  readonly forecast: Forecast;
}

export interface Volley {
  /** In the order of time; at most `MAX_SHOTS`. */
  readonly shots: readonly PunchShot[];
  /** When it has failed, in ms from its beginning. */
  readonly endsMs: number;
  /** It makes so many mappings that the router has to be watched: the core asks the server by new flows meanwhile. */
  readonly isHeavy: boolean;
}

export interface PunchShot {
  /** `main`: the long-lived socket; `measured`: the one that `measure` gave; a number: one of so many fresh ones (from 0). */
  readonly from: 'main' | 'measured' | number;
  readonly to: Endpoint;
  /** From the volley's beginning. */
  readonly atMs: number;
  /** `low`: it opens the own NAT and dies before theirs. */
  readonly ttl: 'low' | 'full';
}

export const MAX_SHOTS = 2_560;
/** Fresh sockets of one volley. */
export const MAX_BURST_SOCKETS = 256;
