// What a node keeps of one peer, and how that is read back from the store.
import type { Endpoint } from '../../protocol/address.ts';
import { compileSchema } from '../../protocol/location/codec.ts';
import type { CandidateWords, SignedNode } from '../../protocol/location/messages.ts';
import { assignmentSchema, recordSchema } from '../../protocol/location/schema.ts';

/** A place where the peer answered: the first one to try after a restart without the server. */
export interface GoodEndpoint {
  readonly transport: string;
  readonly remote: Endpoint;
  /** The port of this node that it answered to: behind a NAT that keeps ports, the peer still expects us there. */
  readonly localPort: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface KnownPeer {
  /** Both signatures verified. */
  readonly node: SignedNode;
  /** The last it told us, or registered; at most 16. */
  readonly candidates: readonly CandidateWords[];
  /** Newest first, at most 4. */
  readonly goodEndpoints: readonly GoodEndpoint[];
  /** The highest serial of its signals. */
  readonly signalSerial: number;
  /** How the two met last, beyond plain probes or by them. */
  readonly worked?: Worked;
}

/** What got through between two networks. */
export interface Worked {
  /** Names both. */
  readonly places: string;
  /** `plain`, `predict`, `birthday`, `tcp`. */
  readonly method: string;
}

export const MAX_GOOD_ENDPOINTS = 4;
export const MAX_KEPT_CANDIDATES = 16;
/** Characters; longer ones are cut. */
export const MAX_PLACES = 1_024;

const ENDPOINT = {
  type: 'object',
  properties: {
    family: { enum: [4, 6] },
    address: { type: 'string', maxLength: 45 },
    port: { type: 'integer', minimum: 1, maximum: 65_535 },
  },
  required: ['family', 'address', 'port'],
};
const WORD = { type: 'string', maxLength: 32 };
const TIME = { type: 'integer', minimum: 0 };
const SCHEMA = {
  type: 'object',
  properties: {
    node: {
      type: 'object',
      properties: { record: recordSchema, assignment: assignmentSchema },
      required: ['record', 'assignment'],
    },
    candidates: {
      type: 'array',
      maxItems: MAX_KEPT_CANDIDATES,
      items: {
        type: 'object',
        properties: { kind: WORD, transport: WORD, endpoint: ENDPOINT },
        required: ['kind', 'transport', 'endpoint'],
      },
    },
    goodEndpoints: {
      type: 'array',
      maxItems: MAX_GOOD_ENDPOINTS,
      items: {
        type: 'object',
        properties: {
          transport: WORD,
          remote: ENDPOINT,
          localPort: { type: 'integer', minimum: 0, maximum: 65_535 },
          at: TIME,
        },
        required: ['transport', 'remote', 'localPort', 'at'],
      },
    },
    signalSerial: TIME,
    worked: {
      type: 'object',
      properties: { places: { type: 'string', maxLength: MAX_PLACES }, method: WORD },
      required: ['places', 'method'],
    },
  },
  required: ['node', 'candidates', 'goodEndpoints', 'signalSerial'],
};

/** A stored value as a peer; null where it is none. */
export function peerReader(): (value: unknown) => KnownPeer | null {
  const isPeer = compileSchema<KnownPeer>(SCHEMA);
  return value => (isPeer(value) ? value : null);
}
