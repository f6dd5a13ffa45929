// What two nodes say to each other inside their session, one JSON object a word: which news of the network each has, and
// the news that the other lacks. News is signed by whom it is of; whether it is believed is for its topic to say.
import type { ValidateFunction } from 'ajv';
import { compileSchema } from '../location/codec.ts';
import { accepted, refused } from '../result.ts';
import type { Result } from '../result.ts';

/** Bytes of one word, so that it fits every path whole. */
export const MAX_WORD = 1200;
const MAX_TOPICS = 8;

/** `have`: what the sender knows of each topic, in the topic's own short form. */
export interface HaveWord {
  readonly type: 'have';
  readonly topics: Readonly<Record<string, string>>;
  /** Sent because of the other's `have`: not answered by one. */
  readonly reply: boolean;
}

/** One piece of news of that topic. */
export interface NewsWord {
  readonly type: 'news';
  readonly topic: string;
  readonly item: Readonly<Record<string, unknown>>;
}

/** Said to see whether it comes back: a relay cannot tell it from data. */
export interface EchoWord {
  readonly type: 'echo';
  readonly token: string;
  /** It answers one. */
  readonly reply: boolean;
}

export type PeerWord = HaveWord | NewsWord | EchoWord;

export type PeerWordRefusal = 'word.too-long' | 'word.not-json' | 'word.schema';

const TOPIC = '^[a-z][a-z-]{0,31}$';

const SCHEMA = {
  type: 'object',
  required: ['type'],
  oneOf: [
    {
      properties: {
        type: { const: 'have' },
        topics: {
          type: 'object',
          maxProperties: MAX_TOPICS,
          propertyNames: { pattern: TOPIC },
          additionalProperties: { type: 'string', maxLength: 64 },
        },
        reply: { type: 'boolean' },
      },
      required: ['topics', 'reply'],
    },
    {
      properties: {
        type: { const: 'news' },
        topic: { type: 'string', pattern: TOPIC },
        item: { type: 'object' },
      },
      required: ['topic', 'item'],
    },
    {
      properties: {
        type: { const: 'echo' },
        token: { type: 'string', pattern: '^[0-9a-f]{1,32}$' },
        reply: { type: 'boolean' },
      },
      required: ['token', 'reply'],
    },
  ],
};

/** The word as bytes; null where it would be too long for one. */
export function encodeWord(word: PeerWord): Uint8Array | null {
  const bytes = new TextEncoder().encode(JSON.stringify(word));
  return bytes.length > MAX_WORD ? null : bytes;
}

let validate: ValidateFunction<PeerWord> | null = null;

/** Fields that this version does not know are left alone. */
export function decodeWord(bytes: Uint8Array): Result<PeerWord, PeerWordRefusal> {
  if (bytes.length > MAX_WORD) return refused('word.too-long');
  const value = parsed(bytes);
  if (value === undefined) return refused('word.not-json');
  validate ??= compileSchema<PeerWord>(SCHEMA);
  return validate(value) ? accepted(value) : refused('word.schema');
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
