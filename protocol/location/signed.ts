// Signatures over what nodes and server say: a node's record (by its own identity key), its assignment and standing (by
// the server's), the server's places, and the proof of a log-in. Each has a domain-separation line of its own.
import { fromBase64Url, toBase64Url } from '../base64.ts';
import type { Primitives } from '../primitives.ts';
import { accepted, refused } from '../result.ts';
import type { Result } from '../result.ts';
import { virtualIp6 } from './addresses.ts';
import { canonicalJson } from './canonical.ts';
import type { Assignment, NodeRecord, ServerPlaces, SignedNode, Standing } from './messages.ts';

const RECORD_DOMAIN = 'ginnel record v1\n';
const ASSIGNMENT_DOMAIN = 'ginnel assignment v1\n';
const PLACES_DOMAIN = 'ginnel places v1\n';
const STANDING_DOMAIN = 'ginnel standing v1\n';
const LOGIN_DOMAIN = 'ginnel login v1\n';
const CERTIFICATE_DOMAIN = 'ginnel certificate v1\n';

export type SignedRefusal =
  | 'signed.key'
  | 'signed.signature'
  /** The IPv6 address is not the one that derives from the key. */
  | 'signed.address6'
  /** Record and assignment speak of different networks, nodes or addresses. */
  | 'signed.mismatch';

/** The record with its signature by the node's identity seed (32 bytes). */
export function signRecord(
  primitives: Primitives,
  seed: Uint8Array,
  record: Omit<NodeRecord, 'signature'>,
): NodeRecord {
  return { ...record, signature: signFields(primitives, seed, RECORD_DOMAIN, record) };
}

/** Is it signed by the key it names, and is its IPv6 address that key's? Expiry and generation are the caller's. */
export function verifyRecord(primitives: Primitives, record: NodeRecord): Result<NodeRecord, SignedRefusal> {
  const key = fromBase64Url(record.id);
  if (key?.length !== 32) return refused('signed.key');
  if (!fieldsAreSigned(primitives, key, RECORD_DOMAIN, record)) return refused('signed.signature');
  return ownAddress6(primitives, record, key) ? accepted(record) : refused('signed.address6');
}

/** The assignment with its signature by the server's identity seed (32 bytes). */
export function signAssignment(
  primitives: Primitives,
  seed: Uint8Array,
  assignment: Omit<Assignment, 'signature'>,
): Assignment {
  return { ...assignment, signature: signFields(primitives, seed, ASSIGNMENT_DOMAIN, assignment) };
}

/** Is it signed by that server (Ed25519 key, 32 bytes), and is the IPv6 address the node's own? */
export function verifyAssignment(
  primitives: Primitives,
  serverIdentity: Uint8Array,
  assignment: Assignment,
): Result<Assignment, SignedRefusal> {
  const key = fromBase64Url(assignment.id);
  if (key?.length !== 32) return refused('signed.key');
  if (!fieldsAreSigned(primitives, serverIdentity, ASSIGNMENT_DOMAIN, assignment))
    return refused('signed.signature');
  return ownAddress6(primitives, assignment, key) ? accepted(assignment) : refused('signed.address6');
}

/** The standing with its signature by the server's identity seed (32 bytes). */
export function signStanding(
  primitives: Primitives,
  seed: Uint8Array,
  standing: Omit<Standing, 'signature'>,
): Standing {
  return { ...standing, signature: signFields(primitives, seed, STANDING_DOMAIN, standing) };
}

/** Is it signed by that server (Ed25519 key, 32 bytes)? Whether it is of this network is the caller's. */
export function verifyStanding(
  primitives: Primitives,
  serverIdentity: Uint8Array,
  standing: Standing,
): Result<Standing, SignedRefusal> {
  if (fromBase64Url(standing.id)?.length !== 32) return refused('signed.key');
  return fieldsAreSigned(primitives, serverIdentity, STANDING_DOMAIN, standing)
    ? accepted(standing)
    : refused('signed.signature');
}

/** Both signatures, and that both speak of the same node, network and addresses. */
export function verifyNode(
  primitives: Primitives,
  serverIdentity: Uint8Array,
  node: SignedNode,
): Result<SignedNode, SignedRefusal> {
  const { record, assignment } = node;
  const same = (['network', 'id', 'ip4', 'ip6'] as const).every(field => record[field] === assignment[field]);
  if (!same) return refused('signed.mismatch');
  const byNode = verifyRecord(primitives, record);
  if (!byNode.ok) return byNode;
  const byServer = verifyAssignment(primitives, serverIdentity, assignment);
  return byServer.ok ? accepted(node) : byServer;
}

/** Where the server may be reached, with its signature by the server's identity seed (32 bytes). */
export function signPlaces(
  primitives: Primitives,
  seed: Uint8Array,
  places: Omit<ServerPlaces, 'signature'>,
): ServerPlaces {
  return { ...places, signature: signFields(primitives, seed, PLACES_DOMAIN, places) };
}

/** Are these places signed by that server (Ed25519 key, 32 bytes)? Network, key and age are the caller's. */
export const verifyPlaces = (
  primitives: Primitives,
  serverIdentity: Uint8Array,
  places: ServerPlaces,
): boolean => fieldsAreSigned(primitives, serverIdentity, PLACES_DOMAIN, places);

/** Log-in: the identity key's signature (base64url) over this channel's transcript hash. */
export const signLogin = (primitives: Primitives, seed: Uint8Array, channelHash: Uint8Array): string =>
  toBase64Url(primitives.sign(seed, statement(LOGIN_DOMAIN, channelHash)));

export function verifyLogin(
  primitives: Primitives,
  node: string,
  channelHash: Uint8Array,
  proof: string,
): boolean {
  const key = fromBase64Url(node);
  const signature = fromBase64Url(proof);
  if (key?.length !== 32 || signature?.length !== 64) return false;
  return primitives.verify(key, statement(LOGIN_DOMAIN, channelHash), signature);
}

/** What a certificate's key signs at a log-in. */
export const certificateStatement = (channelHash: Uint8Array): Uint8Array =>
  statement(CERTIFICATE_DOMAIN, channelHash);

function signFields(primitives: Primitives, seed: Uint8Array, domain: string, fields: object): string {
  return toBase64Url(primitives.sign(seed, fieldsStatement(domain, fields)));
}

function fieldsAreSigned(
  primitives: Primitives,
  key: Uint8Array,
  domain: string,
  signed: { readonly signature: string },
): boolean {
  const signature = fromBase64Url(signed.signature);
  return signature?.length === 64 && primitives.verify(key, fieldsStatement(domain, signed), signature);
}

function fieldsStatement(domain: string, fields: object): Uint8Array {
  const text = canonicalJson({ ...fields, signature: undefined });
  return statement(domain, new TextEncoder().encode(text));
}

function statement(domain: string, bytes: Uint8Array): Uint8Array {
  const prefix = new TextEncoder().encode(domain);
  const whole = new Uint8Array(prefix.length + bytes.length);
  whole.set(prefix);
  whole.set(bytes, prefix.length);
  return whole;
}

function ownAddress6(
  primitives: Primitives,
  of: { readonly network: string; readonly ip6: string },
  key: Uint8Array,
): boolean {
  const network = fromBase64Url(of.network);
  return network !== null && virtualIp6(primitives, network, key) === of.ip6;
}
