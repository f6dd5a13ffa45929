// The server's keys: X25519 for the channel, Ed25519 for what it signs, and the id of its network. Made once, mode 0600,
// never again made silently: to its nodes the server is its key.
import { join } from 'node:path';
import { loadConfig, saveConfig } from '../base/config.ts';
import { GinnelError } from '../base/errors.ts';
import { fromBase64Url, toBase64Url } from '../protocol/base64.ts';
import { compileSchema } from '../protocol/location/codec.ts';
import type { DhKeyPair, Primitives } from '../protocol/primitives.ts';
import { serverErrors } from './errors.ts';

export interface ServerKeys {
  readonly control: DhKeyPair;
  /** The Ed25519 seed. A secret. */
  readonly identitySeed: Uint8Array;
  readonly identityKey: Uint8Array;
  /** 16 bytes, and the same as base64url. */
  readonly networkBytes: Uint8Array;
  readonly network: string;
}

interface KeyFile {
  readonly v: 1;
  readonly control: string;
  readonly identity: string;
  readonly network: string;
}

const KEY_FILE_SCHEMA = {
  type: 'object',
  properties: {
    v: { const: 1 },
    control: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' },
    identity: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' },
    network: { type: 'string', pattern: '^[A-Za-z0-9_-]{22}$' },
  },
  required: ['v', 'control', 'identity', 'network'],
  additionalProperties: false,
};

/** Reads the keys, or makes them where `fresh` says that no network was set up here yet. Error: SERVER_KEYS_MISSING. */
export async function openKeys(
  primitives: Primitives,
  stateDir: string,
  fresh: boolean,
): Promise<ServerKeys> {
  const path = join(stateDir, 'server-keys.json');
  const found = await loadKeys(path);
  if (found !== null) return toKeys(primitives, path, found);
  if (!fresh) throw serverErrors('SERVER_KEYS_MISSING', { path, problem: 'there is no such file' });
  const made: KeyFile = {
    v: 1,
    control: toBase64Url(primitives.randomBytes(32)),
    identity: toBase64Url(primitives.randomBytes(32)),
    network: toBase64Url(primitives.randomBytes(16)),
  };
  await saveConfig(path, made);
  return toKeys(primitives, path, made);
}

async function loadKeys(path: string): Promise<KeyFile | null> {
  try {
    return await loadConfig(path, compileSchema<KeyFile>(KEY_FILE_SCHEMA));
  } catch (error) {
    // The file's text stays out of every message.
    const problem = error instanceof GinnelError ? error.code : 'it cannot be read';
    throw serverErrors('SERVER_KEYS_MISSING', { path, problem });
  }
}

function toKeys(primitives: Primitives, path: string, file: KeyFile): ServerKeys {
  const control = fromBase64Url(file.control);
  const identitySeed = fromBase64Url(file.identity);
  const networkBytes = fromBase64Url(file.network);
  if (control === null || identitySeed === null || networkBytes === null) {
    throw serverErrors('SERVER_KEYS_MISSING', { path, problem: 'it is not valid' });
  }
  return {
    control: primitives.dhKeyPair(control),
    identitySeed,
    identityKey: primitives.signingPublicKey(identitySeed),
    networkBytes,
    network: file.network,
  };
}
