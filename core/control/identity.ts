// Who this node is: an Ed25519 identity (the serial number of V4) and two X25519 keys, for WireGuard and for the control
// channel. Made on the node at its first start, kept 0600 in the state folder, and never replaced by itself.
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../base/log.ts';
import type { Counters } from '../../base/counters.ts';
import type { NodeId } from '../../protocol/location/messages.ts';
import type { DhKeyPair, Primitives } from '../../protocol/primitives.ts';
import { controlErrors } from './errors.ts';
import { isObject, readKept, writeKept } from '../../base/kept-file.ts';
import type { Kept } from '../../base/kept-file.ts';

export const IDENTITY_FILE = 'identity.json';
const KEY_BYTES = 32;

/** This node's keys: hand it to whoever seals or signs, never to a log. */
export interface NodeIdentity {
  readonly id: NodeId;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly wireguard: DhKeyPair;
  /** X25519, 32 bytes: for the engine. Never logged. */
  readonly wireguardSecret: Uint8Array;
  /** Public, base64 (WireGuard's spelling). */
  readonly wireguardKey: string;
  readonly control: DhKeyPair;
  /** Public, base64url. */
  readonly controlKey: string;
  /** The Ed25519 seed, 32 bytes: for `signRecord` and `signLogin`. Never logged. */
  readonly seed: Uint8Array;
}

export interface IdentityOptions {
  /** The state folder; made 0700 where it is absent. */
  readonly folder: string;
  readonly primitives: Primitives;
  readonly log: Log;
  readonly counters: Counters;
  /** A membership exists: the identity must then be there and whole. */
  readonly joined: boolean;
}

interface Secrets {
  readonly seed: Uint8Array;
  readonly wireguard: Uint8Array;
  readonly control: Uint8Array;
}

/** The kept identity, or a new one. Rejects with IDENTITY_DAMAGED, IDENTITY_UNWRITABLE. */
export async function openIdentity(options: IdentityOptions): Promise<NodeIdentity> {
  const file = join(options.folder, IDENTITY_FILE);
  const kept = await readKept(file).catch((error: unknown) => {
    throw controlErrors('IDENTITY_DAMAGED', { file, reason: reasonOf(error) }, error);
  });
  const found = read(kept, options.primitives);
  if (typeof found !== 'string') return found;
  if (options.joined) throw controlErrors('IDENTITY_DAMAGED', { file, reason: found });
  if (kept.state !== 'absent') await setAside(file, found, options);
  return create(file, options);
}

async function create(file: string, { primitives, counters, log }: IdentityOptions): Promise<NodeIdentity> {
  const random = (): Uint8Array => primitives.randomBytes(KEY_BYTES);
  const secrets: Secrets = { seed: random(), wireguard: random(), control: random() };
  const identity = fromSecrets(secrets, primitives);
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  try {
    await writeKept(file, {
      id: identity.id,
      seed: text(secrets.seed),
      wireguard: text(secrets.wireguard),
      control: text(secrets.control),
    });
  } catch (error) {
    throw controlErrors('IDENTITY_UNWRITABLE', { file, reason: reasonOf(error) }, error);
  }
  counters.counter('control.identity.made').value++;
  log.info('made a new identity', { id: identity.id });
  return identity;
}

/** Without a membership a damaged identity is worth nothing to anyone; it is kept all the same. */
async function setAside(file: string, reason: string, { counters, log }: IdentityOptions): Promise<void> {
  counters.counter('control.identity.set-aside').value++;
  log.warn('a damaged identity that belongs to no network was set aside', { file, reason });
  await rename(file, `${file}.damaged`);
}

function read(kept: Kept, primitives: Primitives): NodeIdentity | string {
  if (kept.state === 'absent') return 'missing';
  if (kept.state === 'damaged') return kept.reason;
  if (!isObject(kept.value)) return 'not ours';
  const { id, seed, wireguard, control } = kept.value;
  const secrets = { seed: secretOf(seed), wireguard: secretOf(wireguard), control: secretOf(control) };
  if (secrets.seed === null || secrets.wireguard === null || secrets.control === null)
    return 'a key is not one';
  const identity = fromSecrets(
    { seed: secrets.seed, wireguard: secrets.wireguard, control: secrets.control },
    primitives,
  );
  return identity.id === id ? identity : 'the keys do not belong together';
}

function secretOf(value: unknown): Uint8Array | null {
  if (typeof value !== 'string') return null;
  const bytes = new Uint8Array(Buffer.from(value, 'base64url'));
  return bytes.length === KEY_BYTES ? bytes : null;
}

function fromSecrets(secrets: Secrets, primitives: Primitives): NodeIdentity {
  const publicKey = primitives.signingPublicKey(secrets.seed);
  const wireguard = primitives.dhKeyPair(secrets.wireguard);
  const control = primitives.dhKeyPair(secrets.control);
  return {
    id: Buffer.from(publicKey).toString('base64url'),
    publicKey,
    wireguard,
    wireguardSecret: secrets.wireguard,
    wireguardKey: Buffer.from(wireguard.publicKey).toString('base64'),
    control,
    controlKey: Buffer.from(control.publicKey).toString('base64url'),
    seed: secrets.seed,
  };
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
