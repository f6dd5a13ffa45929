// A node without its data plane, and a location server, on loopback: the real protocol over real sockets, for tests.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import { openStore } from '../../base/store.ts';
import { fromBase64Url } from '../../protocol/base64.ts';
import { decodeInvite } from '../../protocol/location/invite.ts';
import type { Invite } from '../../protocol/location/invite.ts';
import type { PathSignal, ScopeRule, SignedNode } from '../../protocol/location/messages.ts';
import { ControlClient } from '../../core/control/client.ts';
import { openIdentity } from '../../core/control/identity.ts';
import type { NodeIdentity } from '../../core/control/identity.ts';
import { joinByInvite, MembershipFile } from '../../core/control/membership.ts';
import { NetworkTime } from '../../core/control/network-time.ts';
import type { Control, RouteFound } from '../../core/control/types.ts';
import { Standings } from '../../core/peers/standings.ts';
import { PeerBook } from '../../core/peers/peer-book.ts';
import { createServer } from '../../server/server.ts';
import type { LocationServer } from '../../server/server.ts';
import { primitives } from '../../system/crypto.ts';
import { testTcp } from './tcp-ports.ts';

const BOUND_MS = 20_000;

export async function folderOf(test: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ginnel-control-'));
  test.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

export interface Home {
  readonly server: LocationServer;
  readonly stateDir: string;
  readonly port: number;
}

export async function serve(test: Test, port?: number, stateDir?: string): Promise<Home> {
  const home = { stateDir: stateDir ?? (await folderOf(test)), port: port ?? (await freePort()) };
  const server = createServer({
    stateDir: home.stateDir,
    primitives,
    clock: systemClock,
    counters: new Counters(),
    log: silentLog,
    tcp: testTcp(),
  });
  test.teardown(() => server.down());
  await server.up({ port: home.port, listen: ['127.0.0.1'], pool4: '10.177.0.0/16', networkName: 'test' });
  return { ...home, server };
}

export async function inviteOf({ server }: Home): Promise<Invite> {
  const decoded = decodeInvite((await server.invite({})).invite);
  if (!decoded.ok) throw new Error(decoded.code);
  return decoded.value;
}

export interface Node {
  readonly control: Control;
  readonly identity: NodeIdentity;
  readonly membership: MembershipFile;
  readonly peers: PeerBook;
  readonly counters: Counters;
  readonly states: string[];
  readonly signals: { from: string; signal: PathSignal }[];
  readonly changes: { name: string; online: boolean }[];
  readonly standings: Standings;
  /** The network's own rules, as they were told. */
  readonly rules: (readonly ScopeRule[])[];
  readonly self: SignedNode;
  end(): Promise<void>;
}

export interface NodeWishes {
  readonly folder: string;
  readonly invite?: Invite;
  readonly name?: string;
  readonly clock?: Clock;
}

/** Everything a node has but its data plane, started. */
export async function start(test: Test, wishes: NodeWishes): Promise<Node> {
  const { folder, invite, name = 'box', clock = systemClock } = wishes;
  const counters = new Counters();
  const shared = { log: silentLog, counters, primitives, clock };
  const membership = await MembershipFile.open({ folder, ...shared });
  const identity = await openIdentity({ folder, joined: membership.current !== null, ...shared });
  if (invite !== undefined)
    await membership.replace(joinByInvite(invite, { name, udpPort: 0 }, membership.current));
  const store = await openStore({ path: join(folder, 'peers'), firstSetUp: true, counters });
  const time = new NetworkTime(clock);
  const network = membership.current!.network;
  const serverIdentity = fromBase64Url(membership.current!.serverIdentity)!;
  const joined: { peers?: PeerBook } = {};
  const standings = await Standings.open({
    ...{ ...shared, network, serverIdentity },
    store: store.scope('standings/'),
    news: ({ id }) => joined.peers?.judge(id),
  });
  const peers = await PeerBook.open({
    ...shared,
    standings,
    store: store.scope('peers/'),
    nowMs: () => time.nowMs(),
    ...{ network, serverIdentity },
    self: identity.id,
    localStatic: identity.control,
  });
  joined.peers = peers;
  const [states, signals, changes]: [string[], Node['signals'], Node['changes']] = [[], [], []];
  const rules: (readonly ScopeRule[])[] = [];
  const control = new ControlClient({
    ...shared,
    random: systemRandom,
    identity,
    membership,
    peers,
    standings,
    time,
    events: {
      welcomed() {},
      stateChanged: state => void states.push(state),
      signalled: (from, signal) => void signals.push({ from: from.record.name, signal }),
      nodeChanged: (node, online) => void changes.push({ name: node.record.name, online }),
      transportSignalled() {},
      seenFrom() {},
      placesLearnt() {},
      rulesTold: told => void rules.push(told),
      relaysTold() {},
      rerouted() {},
    },
    localAddresses: () => [],
    localNetworks: () => ['192.168.77.0/24'],
    sharedNetworks: () => [],
    allowLoopback: true,
  });
  let ended = false;
  const end = async (): Promise<void> => {
    if (ended) return;
    ended = true;
    await control.stop();
    await store.close();
  };
  test.teardown(end);
  control.start();
  return {
    ...{ control, identity, membership, peers, standings, rules, counters, states, signals, changes, end },
    get self() {
      const { record, assignment } = membership.current!;
      return { record: record!, assignment: assignment! };
    },
  };
}

/** Waits until it holds, 20 s at most. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const before = performance.now();
  while (!holds()) {
    if (performance.now() - before > BOUND_MS) throw new Error(`not within ${BOUND_MS / 1000} s: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

export const inState = (node: Node, state: string): Promise<void> =>
  until(
    `${state} (it is ${node.control.state}: ${node.control.problem?.message ?? ''})`,
    () => node.control.state === state,
  );

export async function join2(test: Test, home: Home): Promise<[Node, Node]> {
  const join = async (name: string): Promise<Node> => {
    const node = await start(test, { folder: await folderOf(test), invite: await inviteOf(home), name });
    await inState(node, 'connected');
    return node;
  };
  return [await join('attic'), await join('cellar')];
}

/** Asks until there is such an answer: records and registrations reach the server a moment after the welcome. */
export async function lookUp(
  node: Node,
  what: Parameters<Control['lookup']>[0],
  isEnough: (found: RouteFound) => boolean = () => true,
): Promise<RouteFound> {
  const before = performance.now();
  for (;;) {
    const found = await node.control.lookup(what).catch((error: unknown) => error);
    if (!(found instanceof Error) && isEnough(found as RouteFound)) return found as RouteFound;
    if (performance.now() - before > BOUND_MS) throw new Error('not found in time', { cause: found });
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}

export const offer: PathSignal = {
  type: 'offer',
  attempt: 'try-1',
  serial: 0,
  candidates: [{ kind: 'host', transport: 'udp', endpoint: { family: 4, address: '127.0.0.1', port: 4444 } }],
  nat: { mapping: 'not-checked', filtering: 'not-checked', ports: 'not-checked' },
  serverRttMs: null,
};
