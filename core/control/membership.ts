// Which network this node is in, and what it learnt of that network and its server: enough to start without the server.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { Invite } from '../../protocol/location/invite.ts';
import type { Assignment, NodeRecord, ServerPlaces } from '../../protocol/location/messages.ts';
import { controlErrors } from './errors.ts';
import { reasonOf } from './identity.ts';
import { isObject, readKept, writeKept } from '../../base/kept-file.ts';

export const MEMBERSHIP_FILE = 'membership.json';
const MAX_ADDRESSES = 16;

export interface Membership {
  /** The network's id, base64url. */
  readonly network: string;
  /** As the server told it; empty before the first welcome. */
  readonly networkName: string;
  /** The server's X25519 key of the Noise channel, base64url. The server is its key, not its address. */
  readonly serverKey: string;
  /** The server's Ed25519 key, which signs assignments, base64url. */
  readonly serverIdentity: string;
  /** From the invite, `host:port`. */
  readonly addresses: readonly string[];
  /** Told by the server itself, replaced at every welcome. */
  readonly learntAddresses: readonly string[];
  /** The newest signed word of where the server is, from itself or from another node; null: none yet. */
  readonly places: ServerPlaces | null;
  /** By the owner of this box (`ginnel set server`), `host:port`: tried first. */
  readonly chosenAddresses: readonly string[];
  readonly name: string;
  /** The overlay's UDP port; 0: not chosen yet. */
  readonly udpPort: number;
  /** The invite's token, until the first welcome; base64url. A secret. */
  readonly token: string | null;
  readonly assignment: Assignment | null;
  /** On-link prefixes of the overlay; null before the first welcome. */
  readonly prefix4: string | null;
  readonly prefix6: string | null;
  /** The last record of its own that this node signed. */
  readonly record: NodeRecord | null;
  /** No signal's serial is at or below it, whatever the clock says. */
  readonly signalFloor: number;
}

/** What an invite, or a network's address (one without a token), makes of this node. An earlier membership in the same network keeps what it learnt. */
export function joinByInvite(
  invite: Invite,
  wishes: { readonly name: string; readonly udpPort: number },
  earlier: Membership | null,
): Membership {
  const network = base64Url(invite.network);
  const serverIdentity = base64Url(invite.serverIdentity);
  const known = earlier?.network === network && earlier.serverIdentity === serverIdentity ? earlier : null;
  return {
    networkName: known?.networkName ?? '',
    learntAddresses: known?.learntAddresses ?? [],
    places: known?.places ?? null,
    chosenAddresses: known?.chosenAddresses ?? [],
    assignment: known?.assignment ?? null,
    prefix4: known?.prefix4 ?? null,
    prefix6: known?.prefix6 ?? null,
    record: known?.record ?? null,
    signalFloor: known?.signalFloor ?? 0,
    network,
    serverIdentity,
    serverKey: base64Url(invite.serverKey),
    addresses: invite.addresses.slice(0, MAX_ADDRESSES),
    token: invite.token.length === 0 ? null : base64Url(invite.token),
    name: wishes.name,
    udpPort: wishes.udpPort,
  };
}

/** Where to look for the server: the owner's word, the newest of its own, the invite's, the last welcome's; each once. */
export function serverAddresses(membership: Membership): readonly string[] {
  const { chosenAddresses, places, addresses, learntAddresses } = membership;
  return [...new Set([...chosenAddresses, ...(places?.addresses ?? []), ...addresses, ...learntAddresses])];
}

export interface MembershipFileOptions {
  /** The state folder. */
  readonly folder: string;
  readonly log: Log;
  readonly counters: Counters;
}

/** The membership on disk. Changes are seen at once and written one after another. */
export class MembershipFile {
  readonly #file: string;
  readonly #log: Log;
  readonly #counters: Counters;
  #current: Membership | null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: MembershipFileOptions, current: Membership | null) {
    this.#file = join(options.folder, MEMBERSHIP_FILE);
    this.#log = options.log;
    this.#counters = options.counters;
    this.#current = current;
  }

  /** Rejects with MEMBERSHIP_DAMAGED. */
  static async open(options: MembershipFileOptions): Promise<MembershipFile> {
    const file = join(options.folder, MEMBERSHIP_FILE);
    const kept = await readKept(file).catch((error: unknown) => {
      throw controlErrors('MEMBERSHIP_DAMAGED', { file, reason: reasonOf(error) }, error);
    });
    if (kept.state === 'absent') return new MembershipFile(options, null);
    if (kept.state === 'damaged') throw controlErrors('MEMBERSHIP_DAMAGED', { file, reason: kept.reason });
    // Files of before these fields were thought of lack them.
    const value = isObject(kept.value) ? { places: null, chosenAddresses: [], ...kept.value } : null;
    if (!isMembership(value)) throw controlErrors('MEMBERSHIP_DAMAGED', { file, reason: 'not ours' });
    return new MembershipFile(options, value);
  }

  /** Null: this node has joined no network. */
  get current(): Membership | null {
    return this.#current;
  }

  /** Null: no membership. Rejects with IDENTITY_UNWRITABLE where it could not be kept. */
  async replace(membership: Membership | null): Promise<void> {
    this.#current = membership;
    await this.#write();
  }

  /** For what is learnt on the way: a failed write is logged and counted, and the node goes on with what it knows. */
  update(change: Partial<Membership>): Membership {
    if (this.#current === null) throw new TypeError('no membership to update');
    const next = { ...this.#current, ...change };
    if (JSON.stringify(next) === JSON.stringify(this.#current)) return next;
    this.#current = next;
    this.#write().catch((error: unknown) => {
      this.#counters.counter('control.membership.unwritten').value++;
      this.#log.error('the membership could not be kept', { reason: reasonOf(error) });
    });
    return next;
  }

  /** Settles when all earlier changes are on disk or have failed. */
  async flush(): Promise<void> {
    await this.#writing.catch((error: unknown) => {
      this.#log.debug('a write of the membership failed', { reason: reasonOf(error) });
    });
  }

  #write(): Promise<void> {
    const next = this.flush().then(async () => {
      try {
        await (this.#current === null
          ? rm(this.#file, { force: true })
          : writeKept(this.#file, this.#current));
      } catch (error) {
        throw controlErrors('IDENTITY_UNWRITABLE', { file: this.#file, reason: reasonOf(error) }, error);
      }
    });
    this.#writing = next;
    return next;
  }
}

function isMembership(value: Record<string, unknown> | null): value is Record<string, unknown> & Membership {
  if (value === null) return false;
  const texts = ['network', 'networkName', 'serverKey', 'serverIdentity', 'name'];
  const counts = ['udpPort', 'signalFloor'];
  const lists = ['addresses', 'learntAddresses', 'chosenAddresses'];
  return (
    texts.every(field => typeof value[field] === 'string') &&
    counts.every(field => Number.isSafeInteger(value[field])) &&
    lists.every(
      field => Array.isArray(value[field]) && value[field].every(item => typeof item === 'string'),
    ) &&
    ['token', 'prefix4', 'prefix6'].every(
      field => value[field] === null || typeof value[field] === 'string',
    ) &&
    ['assignment', 'record', 'places'].every(field => value[field] === null || isObject(value[field]))
  );
}

const base64Url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
