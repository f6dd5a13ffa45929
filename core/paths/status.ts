// What `status` and `why` say of a peer's paths.
import { formatEndpoint } from '../../protocol/address.ts';
import type { PathStatus } from '../admin.ts';
import { labelOf, scoreOf } from './choice.ts';
import type { Machine } from './machine.ts';
import type { Path } from './path.ts';
import type { PeerPaths } from './paths.ts';
import type { SelfPlace } from './self.ts';
import type { NatWords } from './verdict.ts';

export function pathStatus(path: Path): PathStatus {
  const { way, srttMs, loss } = path;
  return {
    label: labelOf(path),
    class: way.class,
    transport: way.transport,
    remote: way.endpoint === null ? null : formatEndpoint(way.endpoint),
    rttMs: srttMs === null ? null : Math.round(srttMs * 10) / 10,
    loss: Math.round(loss * 1000) / 1000,
  };
}

export function peerPaths(machine: Machine, now: number): PeerPaths {
  const answering = [...machine.paths].filter(path => path.usable).sort((a, b) => scoreOf(a) - scoreOf(b));
  const heardAt = [...machine.paths].reduce<number | null>(
    (latest, { heardAt: at }) => (at !== null && (latest === null || at > latest) ? at : latest),
    null,
  );
  return {
    state: machine.state,
    path: machine.active?.usable === true ? pathStatus(machine.active) : null,
    paths: answering.map(pathStatus),
    reason: machine.reason,
    lastHeardSecondsAgo: heardAt === null ? null : Math.round((now - heardAt) / 1000),
    verdict: machine.verdict,
  };
}

export function whyLines(name: string, machine: Machine, self: SelfPlace, now: number): string[] {
  return [
    `${name} is ${machine.state}: ${machine.reason}`,
    `this node: ${natLine(self.nat)}; reachable at ${self.candidates.map(({ kind, endpoint }) => `${formatEndpoint(endpoint)} (${kind})`).join(', ') || 'no known place'}`,
    ...machine.diary.lines(now),
  ];
}

const natLine = ({ mapping, filtering, ports }: NatWords): string =>
  mapping === 'none' ? 'no NAT' : `NAT mapping ${mapping}, filtering ${filtering}, ports ${ports}`;
