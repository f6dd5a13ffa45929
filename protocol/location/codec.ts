// Text to message and back: JSON, checked against the schema of its type. Answers results, throws nothing.
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import { accepted, refused } from '../result.ts';
import type { Result } from '../result.ts';
import { canonicalPrefix, isCanonicalAddress, parseHostPort } from './addresses.ts';
import type { NodeMessage, NodeSignal, ServerMessage } from './messages.ts';
import { nodeSchemas, serverSchemas, signalSchemas } from './schema.ts';

/** The longest plaintext of one frame: a Noise message of 65,535 bytes less its tag. */
export const MAX_FRAME = 65_535 - 16;

export type MessageRefusal =
  | 'message.too-long'
  | 'message.not-json'
  /** A type of message this version does not know. */
  | 'message.type'
  | 'message.schema';

type Decoder<Message> = (text: string) => Result<Message, MessageRefusal>;

/** What a node sent. Unknown fields are ignored, an unknown type is refused. */
export const decodeNodeMessage: Decoder<NodeMessage> = decoder<NodeMessage>(nodeSchemas);

/** What the server sent. */
export const decodeServerMessage: Decoder<ServerMessage> = decoder<ServerMessage>(serverSchemas);

/** What was inside a sealed signal. */
export const decodeSignal: Decoder<NodeSignal> = decoder<NodeSignal>(signalSchemas);

/** One line of JSON. */
export const encodeMessage = (message: NodeMessage | ServerMessage | NodeSignal): string =>
  JSON.stringify(message);

/** The request's number in a message that was refused, so that the failure can be told as its answer; 0: none. */
export function requestIdOf(text: string): number {
  const value = parsed(text);
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : 0;
  return Number.isSafeInteger(id) && Number(id) > 0 ? Number(id) : 0;
}

/** A validator for one schema of this protocol (settings, stored values), with its formats known. */
export function compileSchema<T>(schema: object): ValidateFunction<T> {
  return newAjv().compile<T>(schema);
}

/** Validators are compiled at the first message, not at import. */
function decoder<Message>(schemas: Readonly<Record<string, object>>): Decoder<Message> {
  let compiled: Map<string, ValidateFunction<Message>> | null = null;
  return text => {
    if (text.length > MAX_FRAME) return refused('message.too-long');
    const value = parsed(text);
    if (value === undefined) return refused('message.not-json');
    compiled ??= compileAll<Message>(schemas);
    const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : null;
    const validate = typeof type === 'string' ? compiled.get(type) : undefined;
    if (validate === undefined) return refused('message.type');
    return validate(value) ? accepted(value) : refused('message.schema');
  };
}

function compileAll<Message>(
  schemas: Readonly<Record<string, object>>,
): Map<string, ValidateFunction<Message>> {
  const ajv = newAjv();
  return new Map(Object.entries(schemas).map(([type, schema]) => [type, ajv.compile<Message>(schema)]));
}

function newAjv(): Ajv {
  const ajv = new Ajv({ strictTypes: false, strictRequired: false });
  ajv.addFormat('ip4', text => isCanonicalAddress(text, 4));
  ajv.addFormat('ip6', text => isCanonicalAddress(text, 6));
  ajv.addFormat('prefix', text => canonicalPrefix(text) !== null);
  ajv.addFormat('hostPort', text => parseHostPort(text) !== null);
  return ajv;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
