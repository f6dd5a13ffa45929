// The words of a log-in: who this node is and the proof of it, what a welcome must hold to be believed, and the record
// that the node signs and publishes (V4).
import type { Primitives } from '../../protocol/primitives.ts';
import { fromBase64Url } from '../../protocol/base64.ts';
import { parseIp } from '../../protocol/ip/address.ts';
import { parsePrefix, prefixContains } from '../../protocol/ip/prefix.ts';
import { networkPrefix6 } from '../../protocol/location/addresses.ts';
import type { Assignment, LoginCredential, NodeRecord, Welcome } from '../../protocol/location/messages.ts';
import { signLogin, signRecord, verifyAssignment } from '../../protocol/location/signed.ts';
import type { NodeIdentity } from './identity.ts';
import type { Membership } from './membership.ts';
import type { Question } from './requests.ts';

/** A record is good for half a year and signed anew when half of that is left, so that no far-away box is locked out. */
export const RECORD_VALID_MS = 180 * 86_400_000;

/** A location server sets up no pool that is wider than this. */
const WIDEST_POOL = 8;

export interface LoginFacts {
  readonly identity: NodeIdentity;
  readonly membership: Membership;
  readonly primitives: Primitives;
}

export function loginQuestion(
  { identity, membership, primitives }: LoginFacts,
  channelHash: Uint8Array,
  localNetworks: readonly string[],
  credential: LoginCredential | null = null,
): Question {
  return {
    type: 'login',
    network: membership.network,
    node: identity.id,
    name: membership.name,
    wireguardKey: identity.wireguardKey,
    controlKey: identity.controlKey,
    proof: signLogin(primitives, identity.seed, channelHash),
    ...(membership.token === null ? {} : { token: membership.token }),
    ...(credential === null ? {} : { credential }),
    ...(membership.places === null ? {} : { places: membership.places }),
    localNetworks: localNetworks.slice(0, 64),
  };
}

/** What is wrong with a welcome, in words; null: nothing. */
export function doubtWelcome(
  { identity, membership, primitives }: LoginFacts,
  welcome: Welcome,
): string | null {
  const { assignment } = welcome;
  const serverIdentity = fromBase64Url(membership.serverIdentity);
  if (welcome.network !== membership.network || assignment.network !== membership.network)
    return 'another network';
  if (assignment.id !== identity.id) return 'addresses of another box';
  if (serverIdentity === null) return 'no key of the server is known';
  const verified = verifyAssignment(primitives, serverIdentity, assignment);
  if (!verified.ok) return verified.code;
  if (!within(welcome)) return 'addresses outside the network';
  const network = fromBase64Url(membership.network);
  const isOwn6 = network !== null && networkPrefix6(primitives, network) === welcome.prefix6;
  // What lies in these prefixes goes into the card: nobody may so take the whole Internet's traffic.
  return isOwn6 && isPool(welcome.prefix4) ? null : 'a network that is too wide, or not its own';
}

function within({ assignment, prefix4, prefix6 }: Welcome): boolean {
  return holds(prefix4, assignment.ip4) && holds(prefix6, assignment.ip6);
}

function isPool(prefix4: string): boolean {
  const prefix = parsePrefix(prefix4);
  return prefix.ok && prefix.value.family === 4 && prefix.value.length >= WIDEST_POOL;
}

function holds(prefix: string, address: string): boolean {
  const [range, ip] = [parsePrefix(prefix), parseIp(address)];
  return range.ok && ip.ok && prefixContains(range.value, ip.value);
}

export interface RecordWishes {
  /** Networks that this node shares. */
  readonly prefixes: readonly string[];
  /** The highest generation the server has. */
  readonly serverGeneration: number;
  readonly nowMs: number;
}

/** The record to publish now; null: the server has the present one, and it is good for long enough. */
export function recordToPublish(
  facts: LoginFacts,
  assignment: Assignment,
  wishes: RecordWishes,
): NodeRecord | null {
  const { identity, membership, primitives } = facts;
  const last = membership.record;
  const content = {
    v: 1 as const,
    network: membership.network,
    id: identity.id,
    name: membership.name,
    wireguardKey: identity.wireguardKey,
    controlKey: identity.controlKey,
    ip4: assignment.ip4,
    ip6: assignment.ip6,
    prefixes: [...wishes.prefixes],
  };
  if (last !== null && sameContent(last, content) && isFresh(last, wishes.nowMs)) {
    if (last.generation === wishes.serverGeneration) return null;
    if (last.generation > wishes.serverGeneration) return last;
  }
  const generation = Math.max(last?.generation ?? 0, wishes.serverGeneration) + 1;
  return signRecord(primitives, identity.seed, {
    ...content,
    generation,
    expires: wishes.nowMs + RECORD_VALID_MS,
  });
}

type Content = Omit<NodeRecord, 'generation' | 'expires' | 'signature'>;

function sameContent(record: NodeRecord, content: Content): boolean {
  const fields = ['network', 'id', 'name', 'wireguardKey', 'controlKey', 'ip4', 'ip6'] as const;
  return (
    fields.every(field => record[field] === content[field]) &&
    record.prefixes.join() === content.prefixes.join()
  );
}

const isFresh = (record: NodeRecord, nowMs: number): boolean => {
  const left = record.expires - nowMs;
  return left > RECORD_VALID_MS / 2 && left <= RECORD_VALID_MS * 2;
};
