// What `status` says of a running node.
import { GinnelError } from '../../base/errors.ts';
import type { HealthLine, NodeStatus, PeerStatus, PluginStatus, ServerStatus } from '../admin.ts';
import { NOTHING_CHECKED } from '../contract/nat-report.ts';
import type { Belongings } from './parts.ts';
import { nodeErrors } from './errors.ts';
import type { Stay } from './stay.ts';

type State = NodeStatus['state'];

export function statusOf(
  state: State,
  kept: Partial<Belongings> & Pick<Belongings, 'plugins'>,
  stay: Stay | null,
  nowMs: number,
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
    sealing: parts.aead.implementation,
    tun: stay.card,
    udpPort: parts.udpPort,
    server,
    peers: parts.book.all().map(({ node: { record } }) => peerStatus(stay, record)),
    plugins,
    nat: parts.paths.natReport,
    health: health(stay, server, plugins),
  };
}

const ABSENT = {
  ip4: '',
  ip6: '',
  door: '',
  sealing: '',
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

function peerStatus(
  { parts }: Stay,
  record: { id: string; name: string; ip4: string; ip6: string; wireguardKey: string },
): PeerStatus {
  const { id, name, ip4, ip6, wireguardKey } = record;
  const session = parts.engine.status(wireguardKey);
  const paths = parts.paths.status(wireguardKey);
  return {
    ...{ id, name, ip4, ip6 },
    state: paths?.state ?? 'idle',
    path: paths?.path ?? null,
    paths: paths?.paths ?? [],
    reason: paths?.reason ?? '',
    bytesIn: session?.bytesIn ?? 0,
    bytesOut: session?.bytesOut ?? 0,
    lastHeardSecondsAgo: paths?.lastHeardSecondsAgo ?? null,
    sessionEstablished: session?.established ?? false,
  };
}

function health(stay: Stay, server: ServerStatus, plugins: readonly PluginStatus[]): HealthLine[] {
  const lines: HealthLine[] = [];
  if (stay.out !== null) {
    const { message, code } = nodeErrors(stay.out === 'removed' ? 'NODE_REMOVED' : 'NODE_DISABLED');
    lines.push({ code, words: message, todo: '' });
  } else if (server.state === 'refused') {
    lines.push({
      code: stay.parts.control.problem?.code ?? 'SERVER_REFUSED',
      words: server.reason,
      todo: '',
    });
  } else if (server.state === 'waiting') {
    lines.push({ code: 'PENDING_APPROVAL', words: server.reason, todo: '' });
  } else if (server.state === 'away') {
    lines.push({
      code: 'SERVER_AWAY',
      words: `Location server: not reached. Boxes that met before stay connected; new ones cannot join until it is back. ${server.reason}`,
      todo: 'Look whether the server is up and its address still right.',
    });
  }
  if (stay.cardProblem !== null) {
    lines.push({
      code: stay.cardProblem instanceof GinnelError ? stay.cardProblem.code : 'TUN_LOST',
      words: stay.cardProblem.message,
      todo: 'It is opened again by itself.',
    });
  }
  const { slowness } = stay.parts.doors;
  if (slowness !== null) {
    lines.push({
      code: 'DOOR_SLOWER',
      words: `Packets go by the slower door: ${slowness.because}.`,
      todo: slowness.todo,
    });
  }
  for (const words of stay.keyChanges) lines.push({ code: 'PEER_KEY_CHANGED', words, todo: '' });
  for (const { state, code, name } of plugins)
    if (state === 'failed' || state === 'unavailable')
      lines.push({
        code,
        words: `The plugin ${name} is ${state}.`,
        todo: `See why: ginnel plugins show ${name}.`,
      });
  const skew = stay.parts.time.skewInWords();
  if (skew !== null) {
    lines.push({
      code: 'CLOCK_WRONG',
      words: `This box's clock is ${skew}.`,
      todo: 'Set it, or let NTP do so.',
    });
  }
  return lines;
}
