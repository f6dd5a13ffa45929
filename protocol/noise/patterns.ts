// Noise (revision 34) section 7: the handshake patterns of this house, as data.
import type { NoisePattern } from './handshake.ts';

export type NoiseToken = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss' | 'psk';

export interface PatternShape {
  /** In every pattern here the responder's static key is known beforehand; here also the initiator's. */
  readonly initiatorStaticKnown: boolean;
  /** Messages in turn, the initiator's first. */
  readonly messages: readonly (readonly NoiseToken[])[];
}

export const PATTERNS: Readonly<Record<NoisePattern, PatternShape>> = {
  IK: {
    initiatorStaticKnown: false,
    messages: [
      ['e', 'es', 's', 'ss'],
      ['e', 'ee', 'se'],
    ],
  },
  IKpsk2: {
    initiatorStaticKnown: false,
    messages: [
      ['e', 'es', 's', 'ss'],
      ['e', 'ee', 'se', 'psk'],
    ],
  },
  K: { initiatorStaticKnown: true, messages: [['e', 'es', 'ss']] },
};
