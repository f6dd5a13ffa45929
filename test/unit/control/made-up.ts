// A made-up network for tests of control and peers: a server's keys, nodes' keys, signed words of them, a store in memory.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { toBase64Url } from '../../../protocol/base64.ts';
import { networkPrefix6, virtualIp6 } from '../../../protocol/location/addresses.ts';
import type {
  Assignment,
  NodeRecord,
  PathSignal,
  SignedNode,
  Welcome,
} from '../../../protocol/location/messages.ts';
import { signAssignment, signRecord } from '../../../protocol/location/signed.ts';
import { openIdentity } from '../../../core/control/identity.ts';
import type { NodeIdentity } from '../../../core/control/identity.ts';
import type { Membership } from '../../../core/control/membership.ts';
import type { PeerStore } from '../../../core/peers/peer-writer.ts';
import { primitives } from '../../../system/crypto.ts';

export const YEAR_MS = 365 * 86_400_000;
export const NOW = Date.UTC(2026, 0, 1);
export const serverSeed = primitives.randomBytes(32);
export const serverIdentity = primitives.signingPublicKey(serverSeed);
export const serverControl = primitives.dhKeyPair();
export const networkBytes = primitives.randomBytes(16);
export const network = toBase64Url(networkBytes);

export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'ginnel-test-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const makeIdentity = (): Promise<NodeIdentity> =>
  withFolder(folder =>
    openIdentity({ folder, primitives, log: silentLog, counters: new Counters(), joined: false }),
  );

export function assignmentOf(
  identity: NodeIdentity,
  ip4: string,
  change: Partial<Assignment> = {},
): Assignment {
  const ip6 = virtualIp6(primitives, networkBytes, identity.publicKey);
  return signAssignment(primitives, serverSeed, {
    v: 1,
    network,
    id: identity.id,
    ip4,
    ip6,
    issued: NOW,
    ...change,
  });
}

export function nodeOf(
  identity: NodeIdentity,
  name: string,
  ip4: string,
  change: Partial<NodeRecord> = {},
  issued = NOW,
): SignedNode {
  const assignment = assignmentOf(identity, ip4, { issued });
  const record = signRecord(primitives, identity.seed, {
    v: 1,
    network,
    id: identity.id,
    name,
    wireguardKey: identity.wireguardKey,
    controlKey: identity.controlKey,
    ip4,
    ip6: assignment.ip6,
    prefixes: [],
    generation: 1,
    expires: NOW + YEAR_MS,
    ...change,
  });
  return { record, assignment };
}

export const membershipOf = (change: Partial<Membership> = {}): Membership => ({
  network,
  networkName: '',
  serverKey: toBase64Url(serverControl.publicKey),
  serverIdentity: toBase64Url(serverIdentity),
  addresses: ['127.0.0.1:7443'],
  learntAddresses: [],
  places: null,
  chosenAddresses: [],
  name: 'attic-nas',
  udpPort: 0,
  token: null,
  assignment: null,
  prefix4: null,
  prefix6: null,
  record: null,
  signalFloor: 0,
  ...change,
});

export const welcomeOf = (assignment: Assignment, change: Partial<Welcome> = {}): Welcome => ({
  type: 'welcome',
  re: 1,
  network,
  networkName: 'home',
  assignment,
  prefix4: '10.77.0.0/16',
  prefix6: networkPrefix6(primitives, networkBytes),
  stun: { port: 7443, secondPort: null, alternates: [] },
  keepAlive: `${'A'.repeat(16)}.${'A'.repeat(43)}`,
  addresses: [],
  serverTime: NOW,
  generation: 0,
  name: null,
  standings: 'A'.repeat(64),
  rules: [],
  ...change,
});

export const offer = (change: Partial<PathSignal> = {}): PathSignal => ({
  type: 'offer',
  attempt: 'abc',
  serial: 1,
  candidates: [
    { kind: 'host', transport: 'udp', endpoint: { family: 4, address: '192.168.1.2', port: 4444 } },
  ],
  nat: { mapping: 'endpoint-independent', filtering: 'not-checked', ports: 'preserved' },
  serverRttMs: 12.5,
  ...change,
});

/** A store that can be told to fail as a full disk does, and counts its writes. */
export class MemoryStore implements PeerStore {
  readonly values = new Map<string, unknown>();
  writes = 0;
  full = false;

  put(key: string, value: unknown): Promise<void> {
    if (this.full) return Promise.reject(new Error('ENOSPC: no space left on device'));
    this.writes++;
    this.values.set(key, structuredClone(value));
    return Promise.resolve();
  }

  delete(key: string): Promise<void> {
    this.values.delete(key);
    return Promise.resolve();
  }

  entries(): Promise<[string, unknown][]> {
    return Promise.resolve([...this.values]);
  }
}
