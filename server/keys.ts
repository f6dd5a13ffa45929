// The server's keys: X25519 for the channel, Ed25519 for what it signs, and the id of its network. Made once, kept with a
// checksum, mode 0600, never again made silently: to its nodes the server is its key.
import { join } from 'node:path';
import { loadConfig } from '../base/config.ts';
import { baseErrors, type GinnelError } from '../base/errors.ts';
import { isDiskFull } from '../base/disk.ts';
import { readKept, writeKept } from '../base/kept-file.ts';
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

export interface KeyFile {
  readonly v: 1;
  readonly control: string;
  readonly identity: string;
  readonly network: string;
}

export const KEY_FILE_SCHEMA = {
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

export const KEYS_FILE = 'server-keys.json';

/** Reads the keys, or makes them where `fresh` says that no network was set up here yet. Errors: SERVER_KEYS_MISSING, DISK_FULL. */
export async function openKeys(
  primitives: Primitives,
  stateDir: string,
  fresh: boolean,
): Promise<ServerKeys> {
  const path = join(stateDir, KEYS_FILE);
  const found = await loadKeys(path);
  if (found !== null) return toKeys(primitives, path, found);
  if (!fresh) throw missing(path, 'there is no such file');
  const made: KeyFile = {
    v: 1,
    control: toBase64Url(primitives.randomBytes(32)),
    identity: toBase64Url(primitives.randomBytes(32)),
    network: toBase64Url(primitives.randomBytes(16)),
  };
  await writeKeyFile(stateDir, made);
  return toKeys(primitives, path, made);
}

/** For an export: all of it is secret. Error: SERVER_KEYS_MISSING. */
export async function readKeyFile(stateDir: string): Promise<KeyFile> {
  const path = join(stateDir, KEYS_FILE);
  const found = await loadKeys(path);
  if (found === null) throw missing(path, 'there is no such file');
  return found;
}

/** Errors: SERVER_KEYS_MISSING, DISK_FULL. */
export async function writeKeyFile(stateDir: string, keys: KeyFile): Promise<void> {
  const path = join(stateDir, KEYS_FILE);
  await writeKept(path, keys).catch((error: unknown) => {
    if (isDiskFull(error)) throw baseErrors('DISK_FULL', { path, freeBytes: 0 }, error);
    throw missing(path, 'it cannot be written');
  });
}

/** The file's text stays out of every message. */
async function loadKeys(path: string): Promise<KeyFile | null> {
  const kept = await readKept(path).catch(() => {
    throw missing(path, 'it cannot be read');
  });
  if (kept.state === 'absent') return null;
  const isKeyFile = compileSchema<KeyFile>(KEY_FILE_SCHEMA);
  if (kept.state === 'whole' && isKeyFile(kept.value)) return kept.value;
  const plain = await loadConfig(path, isKeyFile).catch(() => null);
  if (plain === null)
    throw missing(path, `it is damaged (${kept.state === 'damaged' ? kept.reason : 'schema'})`);
  // The form of the first days, without a checksum: from now on with one.
  await writeKept(path, plain).catch(() => undefined);
  return plain;
}

const missing = (path: string, problem: string): GinnelError =>
  serverErrors('SERVER_KEYS_MISSING', { path, problem });

function toKeys(primitives: Primitives, path: string, file: KeyFile): ServerKeys {
  const control = fromBase64Url(file.control);
  const identitySeed = fromBase64Url(file.identity);
  const networkBytes = fromBase64Url(file.network);
  if (control === null || identitySeed === null || networkBytes === null) {
    throw missing(path, 'it is not valid');
  }
  return {
    control: primitives.dhKeyPair(control),
    identitySeed,
    identityKey: primitives.signingPublicKey(identitySeed),
    networkBytes,
    network: file.network,
  };
}
