// What traversal plugins answer, checked: only what has the right shape and size gets on into paths and to peers.
import { Ajv, type ValidateFunction } from 'ajv';
import { canonicalIp, familyOf } from '../../protocol/ip/address.ts';
import { MAX_CANDIDATES, type Candidate } from '../contract/candidate.ts';
import type { NatReport } from '../contract/nat-report.ts';
import { plainCopy } from './bounded.ts';

const MAX_ANSWER_BYTES = 16 * 1024;

const CANDIDATES_SCHEMA = {
  type: 'array',
  items: {
    type: 'object',
    required: ['kind', 'transport', 'endpoint'],
    properties: {
      kind: { enum: ['host', 'reflexive', 'mapped', 'configured', 'predicted', 'relay'] },
      transport: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,19}$' },
      relay: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' },
      endpoint: {
        type: 'object',
        required: ['family', 'address', 'port'],
        properties: {
          family: { enum: [4, 6] },
          address: { type: 'string', minLength: 2, maxLength: 45 },
          port: { type: 'integer', minimum: 1, maximum: 65535 },
        },
      },
    },
  },
} as const;

const answer = { enum: ['yes', 'no', 'not-checked'] } as const;
const behaviour = {
  enum: ['endpoint-independent', 'address-dependent', 'address-and-port-dependent', 'not-checked'],
} as const;
const texts = (maxLength: number) =>
  ({ type: 'array', maxItems: 16, items: { type: 'string', maxLength } }) as const;

const NAT_REPORT_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: [
    'takenAt',
    'udp',
    'nat',
    'mapping',
    'filtering',
    'ports',
    'hairpin',
    'lifetimeMs',
    'ipv6',
    'mapped',
    'notes',
  ],
  properties: {
    takenAt: { type: 'number', minimum: 0 },
    udp: answer,
    nat: answer,
    mapping: behaviour,
    filtering: behaviour,
    ports: {
      oneOf: [
        {
          type: 'object',
          additionalProperties: false,
          required: ['rule'],
          properties: { rule: { enum: ['preserved', 'random', 'not-checked'] } },
        },
        {
          type: 'object',
          additionalProperties: false,
          required: ['rule', 'step'],
          properties: { rule: { const: 'sequential' }, step: { type: 'integer' } },
        },
      ],
    },
    hairpin: answer,
    lifetimeMs: { type: ['number', 'null'], minimum: 0 },
    ipv6: answer,
    mapped: texts(64),
    notes: texts(500),
  },
} as const;

export class AnswerChecks {
  readonly #candidates: ValidateFunction<readonly Candidate[]>;
  readonly #natReport: ValidateFunction<NatReport>;

  constructor() {
    const ajv = new Ajv({ allowUnionTypes: true });
    this.#candidates = ajv.compile<readonly Candidate[]>(CANDIDATES_SCHEMA);
    this.#natReport = ajv.compile<NatReport>(NAT_REPORT_SCHEMA);
  }

  /** The first `MAX_CANDIDATES`; whom they were found by is not for the plugin to say. Throws an Error in words. */
  candidates(answer: unknown, foundBy: string): readonly Candidate[] {
    const first = Array.isArray(answer) ? answer.slice(0, MAX_CANDIDATES) : answer;
    return checked(this.#candidates, first).map(
      ({ kind, transport, relay, endpoint: { family, address, port } }) => {
        const canonical = canonicalIp(address);
        if (canonical === null || familyOf(canonical) !== family)
          throw new Error('a candidate has an address that is none');
        const of = relay === undefined ? {} : { relay };
        return { kind, transport, endpoint: { family, address: canonical, port }, ...of, foundBy };
      },
    );
  }

  natReport(answer: unknown): NatReport {
    return checked(this.#natReport, answer);
  }
}

function checked<T>(check: ValidateFunction<T>, answer: unknown): T {
  const copy = plainCopy(answer, MAX_ANSWER_BYTES);
  if (check(copy)) return copy;
  const [first] = check.errors ?? [];
  throw new Error(`${first?.instancePath || 'it'} ${first?.message ?? 'is not valid'}`);
}
