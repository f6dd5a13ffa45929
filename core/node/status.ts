// What `status` says of a running node.
import type { Said } from '../../base/said.ts';
import type { Enrolled } from '../../protocol/location/messages.ts';
import type { NodeStatus, PeerStatus, Reason, ServerStatus } from '../admin.ts';
import { NOTHING_CHECKED } from '../contract/nat-report.ts';
import { says } from '../paths/sayings.ts';
import { healthOf } from './health.ts';
import { abilitiesStatus, type Ability } from './abilities.ts';
import type { Belongings } from './parts.ts';
import type { Stay } from './stay.ts';

type State = NodeStatus['state'];

export function statusOf(
  state: State,
  kept: Partial<Belongings> & Pick<Belongings, 'plugins'>,
  stay: Stay | null,
  nowMs: number,
  without: ReadonlySet<Ability>,
): NodeStatus {
  const membership = kept.membership?.current ?? null;
  const base = {
    state,
    name: membership?.name ?? '',
    id: kept.identity?.id ?? '',
    network: membership?.network ?? '',
  };
  const plugins = kept.plugins.known();
  if (stay === null) return { ...base, ...ABSENT, plugins };
  const { parts } = stay;
  const server = serverStatus(stay, nowMs);
  return {
    ...base,
    ...stay.addresses,
    door: parts.doors.kind,
    sealing: parts.aead.implementations,
    abilities: abilitiesStatus({
      ...{ without, door: parts.doors.kind, aead: parts.aead },
      ...{ card: stay.cardOffloads, udp: parts.udpDoors },
    }),
    tun: stay.card,
    udpPort: parts.udpPort,
    server,
    peers: peersStatus(stay),
    plugins,
    nat: parts.paths.natReport,
    health: healthOf({
      server,
      out: stay.out,
      problem: parts.control.problem,
      unpublished: parts.control.unpublished,
      name: base.name,
      cardProblem: stay.cardProblem,
      slowness: parts.doors.slowness,
      keyChanges: stay.keyChanges,
      portProblems: stay.portProblems,
      plugins,
      nat: parts.paths.natReport,
      skew: parts.time.skewInWords(),
    }),
  };
}

const ABSENT = {
  ip4: '',
  ip6: '',
  door: '',
  sealing: {},
  abilities: null,
  tun: '',
  udpPort: null,
  server: { state: 'stopped', address: null, reason: '', heardSecondsAgo: null, rttMs: null },
  peers: [],
  nat: NOTHING_CHECKED,
  health: [],
} as const;

function serverStatus({ parts: { control }, controlReason }: Stay, nowMs: number): ServerStatus {
  const { server, lastHeardAt, rttMs } = control;
  return {
    state: control.state,
    address:
      server === null
        ? null
        : `${server.family === 6 ? `[${server.address}]` : server.address}:${server.port}`,
    reason: controlReason,
    heardSecondsAgo: lastHeardAt === null ? null : Math.round((nowMs - lastHeardAt) / 1000),
    rttMs: rttMs === null ? null : Math.round(rttMs * 10) / 10,
  };
}

/** Those met, and those whom the location server alone told of. */
function peersStatus(stay: Stay): PeerStatus[] {
  const { book, roll, standings } = stay.parts;
  const met = book.all().map(({ node: { record } }) => peerStatus(stay, record));
  const isUnmet = (member: Enrolled): boolean =>
    book.byId(member.id) === null && standings.keepsOut(member) === null;
  const unmet = [...roll.others.values()].filter(isUnmet);
  return [...met, ...unmet.map(strangerStatus)];
}

function strangerStatus(member: Enrolled): PeerStatus {
  const { id, name, ip4, ip6, lastSeen } = member;
  return {
    ...{ id, name, ip4, ip6, lastSeen },
    state: lastSeen === null ? 'idle' : 'offline',
    ...{ path: null, paths: [], ...asReason(strangerReason(member)) },
    ...{ bytesIn: 0, bytesOut: 0, lastHeardSecondsAgo: null },
    ...{ sessionEstablished: false, profile: null, cipher: null },
  };
}

/** Why a box that was never met stands as it does. */
export const strangerReason = ({ lastSeen }: Enrolled): Said =>
  lastSeen === null ? says('reason.unmet') : AWAY;

const AWAY = says('verdict.offline');

export const asReason = ({ words, code, facts }: Said): Reason => ({
  ...{ reason: words, reasonCode: code, reasonFacts: facts },
});

export const reasonOf = (paths: Reason | null): Reason => ({
  reason: paths?.reason ?? '',
  reasonCode: paths?.reasonCode ?? '',
  reasonFacts: paths?.reasonFacts ?? {},
});

function peerStatus(
  { parts }: Stay,
  record: { id: string; name: string; ip4: string; ip6: string; wireguardKey: string },
): PeerStatus {
  const { id, name, ip4, ip6, wireguardKey } = record;
  const session = parts.engine.status(wireguardKey);
  const paths = parts.paths.status(wireguardKey);
  const lastSeen = parts.roll.others.get(id)?.lastSeen ?? null;
  const state = paths?.state ?? 'idle';
  const isAway = state === 'idle' && lastSeen !== null;
  return {
    ...{ id, name, ip4, ip6, lastSeen },
    state: isAway ? 'offline' : state,
    path: paths?.path ?? null,
    paths: paths?.paths ?? [],
    ...(isAway ? asReason(AWAY) : reasonOf(paths)),
    bytesIn: session?.bytesIn ?? 0,
    bytesOut: session?.bytesOut ?? 0,
    lastHeardSecondsAgo: paths?.lastHeardSecondsAgo ?? null,
    sessionEstablished: session?.established ?? false,
    profile: session === null || session.cipher === null ? null : session.isFast ? 'fast' : 'stock',
    cipher: session?.cipher ?? null,
  };
}
