// Opens all that a node keeps of itself and its network, in the one order that is safe: membership, identity, peers, control.
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { fromBase64Url, toBase64Url } from '../../protocol/base64.ts';
import { decodeInvite } from '../../protocol/location/invite.ts';
import type { Invite, InviteRefusal } from '../../protocol/location/invite.ts';
import type { Primitives } from '../../protocol/primitives.ts';
import { PeerBook } from '../peers/peer-book.ts';
import type { PeerBookEvents } from '../peers/peer-book.ts';
import type { PeerStore } from '../peers/peer-writer.ts';
import { ControlClient } from './client.ts';
import { controlErrors } from './errors.ts';
import { openIdentity } from './identity.ts';
import type { NodeIdentity } from './identity.ts';
import { joinByInvite, MembershipFile, MEMBERSHIP_FILE } from './membership.ts';
import type { Membership } from './membership.ts';
import { NetworkTime } from './network-time.ts';
import type { Control, ControlEvents } from './types.ts';

export interface OpenControlOptions {
  /** The state folder: `identity.json` and `membership.json` are in it. */
  readonly folder: string;
  /** Of its own, for peers only: `store.scope('peers:')`. */
  readonly store: PeerStore;
  /** Needed at the first start; later ones may bring another invite of the same network. */
  readonly invite: Invite | null;
  /** Null: as before, or `box` at the first start. */
  readonly name: string | null;
  readonly udpPort: number | null;
  readonly primitives: Primitives;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counters: Counters;
  readonly events: ControlEvents & Partial<PeerBookEvents>;
  readonly localNetworks: () => readonly string[];
  readonly sharedNetworks: () => readonly string[];
  readonly allowLoopback?: boolean;
}

export interface OpenedControl {
  readonly identity: NodeIdentity;
  readonly membership: MembershipFile;
  readonly peers: PeerBook;
  /** Not started yet. */
  readonly control: Control;
}

/** Rejects with NOT_JOINED, ALREADY_JOINED, MEMBERSHIP_DAMAGED, IDENTITY_DAMAGED, IDENTITY_UNWRITABLE. */
export async function openControl(options: OpenControlOptions): Promise<OpenedControl> {
  const { folder, log, counters, primitives, clock, store, events } = options;
  const file = await MembershipFile.open({ folder, log, counters });
  const wanted = wantedMembership(options, file.current);
  const wasLetIn = file.current !== null && file.current.assignment !== null;
  const identity = await openIdentity({ folder, primitives, log, counters, joined: wasLetIn });
  await file.replace(wanted);
  const time = new NetworkTime(clock);
  const peers = await PeerBook.open({
    ...{ store, primitives, clock, log, counters, events },
    nowMs: () => time.nowMs(),
    network: wanted.network,
    serverIdentity: fromBase64Url(wanted.serverIdentity) ?? new Uint8Array(),
    self: identity.id,
    localStatic: identity.control,
  });
  const control = new ControlClient({ ...options, identity, membership: file, peers, time });
  return { identity, membership: file, peers, control };
}

/** What a person pasted; throws INVITE_UNREADABLE. */
export function readInvite(text: string): Invite {
  const invite = decodeInvite(text);
  if (invite.ok) return invite.value;
  const reasons: Record<InviteRefusal, string> = {
    'invite.prefix': 'it does not start with ginnel:',
    'invite.characters': 'there are other characters in it',
    'invite.truncated': 'its end is missing',
    'invite.checksum': 'a character is wrong or missing',
    'invite.version': 'it is for a newer version of ginnel',
    'invite.malformed': 'a part of it makes no sense',
    'invite.length': 'it is too long',
  };
  throw controlErrors('INVITE_UNREADABLE', { reason: reasons[invite.code] });
}

function wantedMembership(
  { folder, invite, name, udpPort }: OpenControlOptions,
  kept: Membership | null,
): Membership {
  const wishes = { name: name ?? kept?.name ?? 'box', udpPort: udpPort ?? kept?.udpPort ?? 0 };
  if (invite === null) {
    if (kept === null) throw controlErrors('NOT_JOINED');
    return { ...kept, ...wishes };
  }
  const isElsewhere =
    kept !== null && kept.assignment !== null && kept.network !== toBase64Url(invite.network);
  if (isElsewhere) {
    const network = kept.networkName === '' ? kept.network : kept.networkName;
    throw controlErrors('ALREADY_JOINED', { network, file: join(folder, MEMBERSHIP_FILE) });
  }
  return joinByInvite(invite, wishes, kept);
}
