// What `ginnel status` shows: this box and its peers in a table, then what a person should know.
import type { HealthLine } from '../../base/health.ts';
import type { AbilitiesStatus, AbilityUse, NodeStatus, PeerStatus } from '../../core/admin.ts';
import type { NatReport } from '../../core/contract/nat-report.ts';
import type { ServerSummary } from '../../server/admin.ts';
import { rowsWithin, tableWidth, wrap, type Row } from '../layout.ts';
import { mappedPorts } from './port-mapping.ts';
import { forwardingInWords } from './server.ts';
import {
  bytesInWords,
  durationInWords,
  millisecondsInWords,
  percentInWords,
  plain,
  type Paint,
} from '../words.ts';

export interface StatusShown {
  readonly node: NodeStatus | null;
  readonly server: ServerSummary | null;
  /** Of the daemon itself. */
  readonly daemon: readonly HealthLine[];
}

export function statusScreen({ node, server, daemon }: StatusShown, colours: Paint, columns: number): string {
  const isUp = node !== null && node.state !== 'down';
  const said = isUp
    ? [healthLines(node, colours)]
    : ['This box is on no network now. Join or rejoin with: sudo ginnel up'];
  if (server?.state === 'up') said.push([serverLine(server), ...told(server.health, colours)].join('\n'));
  if (daemon.length > 0) said.push(told(daemon, colours).join('\n'));
  const words = wrap(said.join('\n\n'), columns);
  return isUp ? `${peerTable(node, colours, columns)}\n\n${words}` : words;
}

const HEADING = ['box', 'address', 'path', 'round trip', 'loss', 'traffic', 'heard'] as const;
const BOX = 0;
const PATH = 2;
const TRAFFIC = HEADING.indexOf('traffic');
/** Figures of a path that nobody was heard on for longer are those of another time. */
const FRESH_S = 30;

function peerTable(node: NodeStatus, colours: Paint, columns: number): string {
  const own = node.state === 'starting' ? colours.warn('starting') : 'this box';
  const rows: Row[] = [
    { cells: HEADING },
    { cells: [plain(node.name), node.ip4, own], more: reachInWords(node) },
    ...node.peers.map(peer => peerRow(peer, colours)),
  ];
  // Names tell more than traffic: where not all has room, that goes under the row first.
  return rowsWithin(columns, tableWidth(rows) <= columns ? rows : rows.map(trafficBelow), [BOX, PATH]);
}

function trafficBelow({ cells, more = '' }: Row): Row {
  const traffic = cells === HEADING ? '' : (cells[TRAFFIC] ?? '');
  return {
    cells: cells.filter((_cell, column) => column !== TRAFFIC),
    more: [traffic, more].filter(part => part !== '').join('   '),
  };
}

function peerRow(peer: PeerStatus, colours: Paint): Row {
  const { path, lastHeardSecondsAgo: heard } = peer;
  const seen = heard ?? seenSecondsAgo(peer);
  const ago = seen === null ? 'never' : seen < 5 ? 'now' : durationInWords(seen);
  const isFresh = path !== null && heard !== null && heard <= FRESH_S;
  const trip = isFresh && path.rttMs !== null ? millisecondsInWords(path.rttMs) : '';
  const loss = isFresh ? percentInWords(path.loss) : '';
  const traffic = path === null ? '' : `↓ ${bytesInWords(peer.bytesIn)} ↑ ${bytesInWords(peer.bytesOut)}`;
  return {
    cells: [plain(peer.name), peer.ip4, connection(peer, colours), trip, loss, traffic, ago],
    more: peer.state === 'direct' ? '' : plain(peer.reason),
  };
}

/** By the location server's word. */
const seenSecondsAgo = ({ lastSeen }: PeerStatus): number | null =>
  lastSeen === null ? null : Math.max(0, Math.round((Date.now() - lastSeen) / 1000));

function connection(peer: PeerStatus, colours: Paint): string {
  const label = peer.path === null ? peer.state : plain(peer.path.label);
  if (peer.state === 'direct') return colours.good(label);
  return peer.state === 'offline' || peer.state === 'unreachable' ? colours.bad(label) : colours.warn(label);
}

/** How the box can be reached: what its NAT does, and what a router does about it. */
function reachInWords({ nat, plugins }: NodeStatus): string {
  return mappedPorts(plugins).length === 0
    ? natInWords(nat)
    : `${natInWords(nat)}; the router passes a port on`;
}

/** One sentence; what was not checked is not spoken of. */
function natInWords(nat: NatReport): string {
  if (nat.takenAt === 0) return 'not yet known how it can be reached';
  if (nat.udp === 'no') return 'UDP is blocked here';
  if (nat.nat === 'no') return 'reachable without a NAT';
  const kind = {
    'endpoint-independent': 'an easy NAT',
    'address-dependent': 'a hard NAT (address-dependent mapping)',
    'address-and-port-dependent': 'a hard NAT (symmetric)',
    'not-checked': 'a NAT',
  }[nat.mapping];
  const filtering = nat.filtering === 'not-checked' ? '' : `, ${nat.filtering} filtering`;
  const ports = nat.ports.rule === 'not-checked' ? '' : `, ports ${nat.ports.rule}`;
  return `behind ${kind}${filtering}${ports}`;
}

const OUT: ReadonlySet<string> = new Set(['NODE_REMOVED', 'NODE_DISABLED']);

/** That the server is away is said in full by its own line. */
const healthLines = (node: NodeStatus, colours: Paint): string => {
  const { server, ip4, health } = node;
  return [
    // A box that is out has nothing to hope for from the server's return; what it was refused for is a line of its own.
    ...(server.state === 'refused' || health.some(({ code }) => OUT.has(code))
      ? []
      : [serverHealth(server, ip4 !== '', colours)]),
    ...doorLine(node),
    ...told(
      health.filter(({ code }) => code !== 'SERVER_AWAY'),
      colours,
    ),
  ].join('\n');
};

/** Which way packets take through this box, and what of it is not used; what is used, `--json` tells. */
function doorLine({ door, sealing, abilities }: NodeStatus): string[] {
  if (door === '') return [];
  const line = `Door: ${door === 'tuntap' ? 'tuntap (slower)' : door}, sealing by ${sealing['chacha20-poly1305'] ?? 'nothing'}.`;
  const uses = Object.entries(abilities ?? {}) as [keyof AbilitiesStatus, AbilityUse][];
  const named = (use: AbilityUse): string =>
    uses.flatMap(([ability, its]) => (its === use ? [ABILITY[ability]] : [])).join(', ');
  const [off, lacking] = [named('off by GINNEL_WITHOUT'), named('no: the kernel lacks it')];
  return [
    line +
      (off === '' ? '' : ` Switched off by GINNEL_WITHOUT: ${off}.`) +
      (lacking === '' ? '' : ` This kernel lacks: ${lacking}.`),
  ];
}

const ABILITY: Readonly<Record<keyof AbilitiesStatus, string>> = {
  tso: 'large packets of TCP (TSO)',
  uso: 'large packets of UDP (USO)',
  gso: 'sending in batches (GSO)',
  gro: 'receiving in batches (GRO)',
  fast: 'the fast profile',
  aes: 'AES',
};

const SEVERITY = { problem: 'Problem', warning: 'Warning', note: 'Note' } as const;

function told(health: readonly HealthLine[], colours: Paint): string[] {
  return health.map(({ severity, words, todo, code }) => {
    const next = todo === '' ? '' : ` ${plain(todo)}`;
    const label = `${SEVERITY[severity]}:`;
    const shown =
      severity === 'problem' ? colours.bad(label) : severity === 'warning' ? colours.warn(label) : label;
    // The words of an error have its code in them.
    const named = words.includes(`(${code})`) ? '' : ` (${code})`;
    return `${shown} ${plain(words)}${next}${named}`;
  });
}

function serverHealth(server: NodeStatus['server'], hasAddress: boolean, colours: Paint): string {
  const where = server.address === null ? '' : ` (${plain(server.address)})`;
  const ago = server.heardSecondsAgo === null ? null : durationInWords(server.heardSecondsAgo);
  if (server.state === 'connected')
    return `Health: location server reached ${ago ?? 'just now'}${ago === null ? '' : ' ago'}.`;
  if (server.state === 'waiting')
    return hasAddress ? 'It keeps its address meanwhile.' : 'This box has no address yet.';
  const since = ago === null ? 'not reached in this run' : `not reached for ${ago}`;
  const cause = causeOf(server.reason);
  const reason = cause === '' ? '' : ` ${plain(cause)}`;
  const what = colours.bad(`Location server: ${since}${where}.`);
  return `${what}${reason}\nYour homes stay connected; new boxes can't join until it is back. (SERVER_AWAY)   → ginnel why server`;
}

/** What stands in the errors behind it, and here in other words. */
const SAID = [
  'The location server is not reached at the moment.',
  'No location server answered.',
  'Boxes that know each other stay connected; it is tried again by itself.',
  'Check that the server runs (ginnel status there), that its port is forwarded, and that this box is online.',
];

/** An error holds the one behind it whole. */
const causeOf = (reason: string): string =>
  SAID.reduce((left, sentence) => left.replaceAll(sentence, ''), reason)
    .replaceAll(/\([A-Z_]+\)/g, '')
    .replaceAll(/ {2,}/g, ' ')
    .trim();

function serverLine(server: ServerSummary): string {
  const online = server.nodes.filter(node => node.online).length;
  const count = server.nodes.length;
  const line = `Location server on this box: port ${server.port}, ${count} ${count === 1 ? 'box' : 'boxes'}, ${online} online.`;
  const { forwarding } = server;
  return forwarding === null ? line : `${line}\n  Behind a router: ${forwardingInWords(forwarding)}.`;
}
