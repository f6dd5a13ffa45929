// Candidates: addresses at which a node may be reached, and how each was learnt (RFC 8445 terms).
import type { Endpoint } from '../../protocol/address.ts';

/** `configured`: the owner said so; `mapped`: by UPnP, NAT-PMP or PCP; `predicted`: a guess by port prediction. */
export type CandidateKind = 'host' | 'reflexive' | 'mapped' | 'configured' | 'predicted' | 'relay';

export interface Candidate {
  readonly kind: CandidateKind;
  /** Which transport dials it: `udp`, `tcp`, `relay-tcp`, `webrtc`. */
  readonly transport: string;
  readonly endpoint: Endpoint;
  /** Of kind `relay`: the id of the node that forwards. */
  readonly relay?: string;
  /** The plugin, or `core`, that found it. */
  readonly foundBy: string;
}

/** At most so many candidates of a peer are looked at: each is an address that someone may want attacked. */
export const MAX_CANDIDATES = 16;
