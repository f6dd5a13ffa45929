// What the three protocols have in common, as the keeper of a router's mappings uses them.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Gateway } from '../../core/contract/plugin.ts';
import type { Endpoint } from '../../protocol/address.ts';

/** The one that says most of itself first. */
export const PROTOCOL_NAMES = ['pcp', 'nat-pmp', 'upnp'] as const;
export type ProtocolName = (typeof PROTOCOL_NAMES)[number];

export interface Asked {
  readonly transport: 'udp' | 'tcp';
  /** Of this box. */
  readonly port: number;
  /** Wished for outside; the router may choose another. */
  readonly outerPort: number;
  readonly leaseS: number;
  /** PCP's proof that the mapping is ours. */
  readonly nonce: Uint8Array;
}

export type MapAnswer =
  /** `leaseS` 0: it lasts until it is taken back. `outer` with an empty address: the router knows none of its own. */
  | { readonly ok: true; readonly outer: Endpoint; readonly leaseS: number }
  | { readonly ok: false; readonly code: Unmapped; readonly answer: string };

/**
 * `silent`: no answer that fits. `refused`: the router does not want to, or its answer makes no sense. `no-outside`: it has
 * no address on the internet that it could pass anything on from.
 */
export type Unmapped = 'silent' | 'refused' | 'no-outside';

export type Look = 'same' | 'restarted' | 'silent';

export interface PortProtocol {
  readonly name: ProtocolName;
  map(asked: Asked, signal: AbortSignal): Promise<MapAnswer>;
  /** Best effort, in about a second. */
  unmap(asked: Asked & { readonly outer: Endpoint }): Promise<void>;
  /** A cheap question: is the router still there, and has it kept what it had? */
  look(signal: AbortSignal): Promise<Look>;
}

/** What each protocol works with. */
export interface Ground {
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** Kinds of answers that were not believed are counted by the last part of the name. */
export const refuse = ({ counters }: Pick<Ground, 'counters'>, why: string): void => {
  counters.counter(`refused.${why}`).value++;
};
