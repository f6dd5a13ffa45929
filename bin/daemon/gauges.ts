// The daemon's gauges: process, node and server as they are when somebody looks.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { HealthLine, Severity } from '../../base/health.ts';
import type { NodeAdmin, NodeStatus, PeerStatus } from '../../core/admin.ts';
import type { ServerAdmin } from '../../server/admin.ts';
import type { LoopDelay } from './loop-delay.ts';

export interface GaugesOf {
  readonly counters: Counters;
  readonly clock: Clock;
  readonly node: Pick<NodeAdmin, 'status'> | null;
  readonly server: Pick<ServerAdmin, 'summary'> | null;
  readonly loop: LoopDelay;
}

/** Returns how to end it. */
export function registerGauges({ counters, clock, node, server, loop }: GaugesOf): () => void {
  const startedAt = clock.monotonicMs();
  const stops = [
    counters.scope('process').gauges(() => processFigures(loop, (clock.monotonicMs() - startedAt) / 1000)),
  ];
  if (node !== null) stops.push(counters.scope('node').gauges(() => nodeFigures(node.status())));
  if (server !== null) stops.push(counters.scope('server').gauges(() => serverFigures(server)));
  return () => {
    for (const stop of stops) stop();
  };
}

function processFigures(loop: LoopDelay, uptimeSeconds: number): Record<string, number> {
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    'uptime-seconds': rounded(uptimeSeconds),
    'cpu-seconds': rounded((user + system) / 1e6),
    'memory.rss-bytes': rss,
    'memory.heap-bytes': heapUsed,
    'memory.external-bytes': external,
    'event-loop.delay-mean-ms': rounded(loop.figures.meanMs),
    'event-loop.delay-max-ms': rounded(loop.figures.maxMs),
  };
}

const STATES: readonly PeerStatus['state'][] = [
  'direct',
  'relayed',
  'trying',
  'unreachable',
  'idle',
  'offline',
];

function nodeFigures({ state, peers, server, health }: NodeStatus): Record<string, number> {
  const inState = (wanted: PeerStatus['state']): number => peers.filter(peer => peer.state === wanted).length;
  const sum = (of: (peer: PeerStatus) => number): number =>
    peers.reduce((total, peer) => total + of(peer), 0);
  return {
    up: state === 'up' ? 1 : 0,
    ...Object.fromEntries(STATES.map(one => [`peers.${one}`, inState(one)])),
    sessions: sum(peer => (peer.sessionEstablished ? 1 : 0)),
    'bytes.in': sum(peer => peer.bytesIn),
    'bytes.out': sum(peer => peer.bytesOut),
    'server.connected': server.state === 'connected' ? 1 : 0,
    ...(server.rttMs === null ? {} : { 'server.rtt-ms': server.rttMs }),
    ...healthFigures(health),
  };
}

function serverFigures(server: Pick<ServerAdmin, 'summary'>): Record<string, number> {
  const { state, nodes, health } = server.summary();
  return {
    up: state === 'up' ? 1 : 0,
    nodes: nodes.length,
    'nodes.online': nodes.filter(({ online }) => online).length,
    ...healthFigures(health),
  };
}

function healthFigures(health: readonly HealthLine[]): Record<string, number> {
  const of = (severity: Severity): number => health.filter(line => line.severity === severity).length;
  return {
    'health.problem': of('problem'),
    'health.warning': of('warning'),
    'health.note': of('note'),
  };
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
