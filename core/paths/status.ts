// What `status` and `why` say of a peer's paths.
import { formatEndpoint } from '../../protocol/address.ts';
import type { PathStatus } from '../admin.ts';
import type { Candidate } from '../contract/candidate.ts';
import { adviceFor } from './advice.ts';
import { labelOf, placeOf, scoreOf } from './choice.ts';
import type { Machine } from './machine.ts';
import type { Path } from './path.ts';
import type { PathMtu } from './path-mtu.ts';
import type { PeerPaths } from './paths.ts';
import type { SelfPlace } from './self.ts';
import { innerMtu, type CardSizes } from './sizing.ts';
import type { NatWords } from '../contract/nat-report.ts';

/** That the card may be set to. */
const LEAST_MTU = 1280;

export function pathStatus(path: Path, card: CardSizes): PathStatus {
  const { way, srttMs, loss, mtu } = path;
  return {
    label: labelOf(path),
    class: way.class,
    transport: way.transport,
    remote: placeOf(way),
    foundBy: path.learnt,
    rttMs: srttMs === null ? null : Math.round(srttMs * 10) / 10,
    loss: Math.round(loss * 1000) / 1000,
    mtu: mtu === null ? null : innerMtu(mtu.size, card),
    mtuBy: mtu?.isSearching === true ? 'searching' : mtu?.isProbed === true ? 'probed' : 'assumed',
  };
}

export function peerPaths(machine: Machine, card: CardSizes, now: number): PeerPaths {
  const answering = [...machine.paths].filter(path => path.usable).sort((a, b) => scoreOf(a) - scoreOf(b));
  const heardAt = [...machine.paths].reduce<number | null>(
    (latest, { heardAt: at }) => (at !== null && (latest === null || at > latest) ? at : latest),
    null,
  );
  return {
    state: machine.state,
    path: machine.active?.usable === true ? pathStatus(machine.active, card) : null,
    paths: answering.map(path => pathStatus(path, card)),
    reason: machine.reason,
    lastHeardSecondsAgo: heardAt === null ? null : Math.round((now - heardAt) / 1000),
    verdict: machine.verdict,
  };
}

export function whyLines(
  name: string,
  machine: Machine,
  self: SelfPlace,
  card: CardSizes,
  now: number,
): string[] {
  return [
    `${name} is ${machine.state}: ${machine.reason}`,
    `this node: ${natLine(self.nat)}; reachable at ${self.candidates.map(placeInWords).join(', ') || 'no known place'}`,
    ...mtuLines(machine.active?.mtu ?? null, card),
    ...machine.diary.lines(now),
    ...adviceLines(machine, self),
  ];
}

const KINDS: Readonly<Record<Candidate['kind'], string>> = {
  host: 'its own',
  reflexive: 'seen from outside',
  mapped: 'opened by the router',
  configured: 'set by hand',
  predicted: 'foreseen',
  relay: 'over a relay',
};

const placeInWords = ({ kind, endpoint }: Candidate): string =>
  `${formatEndpoint(endpoint)} (${KINDS[kind]})`;

const A_RELAY =
  'have one box of this network that can be reached from outside: it forwards for all others, sealed from end to end';

/** Only where it was sought in vain, or goes through others. */
function adviceLines({ state, remote, verdict }: Machine, self: SelfPlace): string[] {
  if (remote === null || verdict === null || state === 'direct') return [];
  const hasIpv6 = self.candidates.some(({ kind, endpoint }) => kind === 'reflexive' && endpoint.family === 6);
  const here = { nat: self.nat, can: self.puncher?.methods ?? [], hasIpv6 };
  const advice = [...adviceFor(here, remote), ...(state === 'relayed' ? [] : [A_RELAY])];
  return advice.length === 0 ? [] : [`what would help: ${advice.join('; or ')}.`];
}

/** Only where packets of the card do not fit. */
function mtuLines(mtu: PathMtu | null, card: CardSizes): string[] {
  const inner = mtu === null ? card.mtu : innerMtu(mtu.size, card);
  if (inner >= card.mtu) return [];
  const [most, whole] = [inner.toLocaleString('en'), card.mtu.toLocaleString('en')];
  return [
    `this path carries packets of up to ${most} bytes, found by asking; the card sends up to ${whole}. ` +
      'Programs are told and send smaller ones, so nothing has to be done.' +
      (inner < LEAST_MTU ? '' : ` To have all send so from the start: ginnel set mtu ${inner}`),
  ];
}

const natLine = ({ mapping, filtering, ports }: NatWords): string =>
  mapping === 'none' ? 'no NAT' : `NAT mapping ${mapping}, filtering ${filtering}, ports ${ports}`;
