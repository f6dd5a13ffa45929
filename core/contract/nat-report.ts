// The NAT report: what stands between this node and the world, in RFC 4787's terms. Every answer may be "not checked".

import type { PathSignal } from '../../protocol/location/messages.ts';

export type Answer = 'yes' | 'no' | 'not-checked';
export type NatBehaviour =
  'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent' | 'not-checked';

/** How the NAT picks outer ports. `step`: the usual distance between two new mappings. */
export type PortRule =
  | { readonly rule: 'preserved' | 'random' | 'not-checked' }
  | { readonly rule: 'sequential'; readonly step: number };

export interface NatReport {
  /** Milliseconds since 1970. */
  readonly takenAt: number;
  readonly udp: Answer;
  /** Is there a NAT at all (the address seen outside is not one of ours)? */
  readonly nat: Answer;
  readonly mapping: NatBehaviour;
  readonly filtering: NatBehaviour;
  readonly ports: PortRule;
  readonly hairpin: Answer;
  /** The longest idle time after which a mapping was seen alive, in ms; null: not checked. */
  readonly lifetimeMs: number | null;
  readonly ipv6: Answer;
  /** The addresses seen outside, `address:port`. */
  readonly mapped: readonly string[];
  /** What a person should know, in words. */
  readonly notes: readonly string[];
}

export const NOTHING_CHECKED: NatReport = {
  takenAt: 0,
  udp: 'not-checked',
  nat: 'not-checked',
  mapping: 'not-checked',
  filtering: 'not-checked',
  ports: { rule: 'not-checked' },
  hairpin: 'not-checked',
  lifetimeMs: null,
  ipv6: 'not-checked',
  mapped: [],
  notes: [],
};

/** A NAT report in short, as a signal carries it; `mapping` is `none` where there is no NAT, `blocked` without UDP. */
export type NatWords = PathSignal['nat'];
