// What `status` and `why` say of a peer's paths.
import type { Said } from '../../base/said.ts';
import { formatEndpoint } from '../../protocol/address.ts';
import type { PathStatus } from '../admin.ts';
import type { Candidate } from '../contract/candidate.ts';
import { adviceFor, adviceForBlocked, type AdviceSide } from './advice.ts';
import { labelOf, placeOf, scoreOf } from './choice.ts';
import type { Machine } from './machine.ts';
import type { Path } from './path.ts';
import type { PathMtu } from './path-mtu.ts';
import type { PathWhy, PeerPaths } from './paths.ts';
import { says } from './sayings.ts';
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
    reason: machine.reason.words,
    reasonCode: machine.reason.code,
    reasonFacts: machine.reason.facts,
    lastHeardSecondsAgo: heardAt === null ? null : Math.round((now - heardAt) / 1000),
    verdict: machine.verdict,
  };
}

export function whyOf(
  name: string,
  machine: Machine,
  self: SelfPlace,
  card: CardSizes,
  now: number,
): PathWhy {
  const here = sideHere(self);
  return {
    lines: whyLines(name, machine, self, card, now),
    reason: machine.reason,
    advice: allAdvice(machine, here),
    here,
    there: machine.remote,
    tries: machine.diary.entries.map(({ at, said }) => ({
      secondsAgo: Math.round((now - at) / 100) / 10,
      ...said,
    })),
  };
}

function whyLines(name: string, machine: Machine, self: SelfPlace, card: CardSizes, now: number): string[] {
  const advice = adviceOf(machine, sideHere(self)).map(({ words }) => words);
  return [
    `${name} is ${machine.state}: ${machine.reason.words}`,
    `this node: ${natLine(self.nat)}; reachable at ${self.candidates.map(placeInWords).join(', ') || 'no known place'}`,
    ...mtuLines(machine.active?.mtu ?? null, card),
    ...machine.diary.lines(now),
    ...(advice.length === 0 ? [] : [`what would help: ${advice.join('; or ')}.`]),
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

const sideHere = (self: SelfPlace): AdviceSide => ({
  nat: self.nat,
  can: self.puncher?.methods ?? [],
  hasIpv6: self.candidates.some(({ kind, endpoint }) => kind === 'reflexive' && endpoint.family === 6),
});

/** Only where it was sought in vain, or goes through others. */
function adviceOf({ state, remote, verdict }: Machine, here: AdviceSide): Said[] {
  if (remote === null || verdict === null || state === 'direct') return [];
  return [...adviceFor(here, remote), ...(state === 'relayed' ? [] : [says('advice.relay')])];
}

/** Also where it is reached, and could be better; and where only somebody there can help. */
function allAdvice(machine: Machine, here: AdviceSide): Said[] {
  const { state, remote, active } = machine;
  if (state === 'offline') return [says('advice.wake')];
  const isStream = state === 'direct' && active !== null && active.way.endpoint === null;
  return isStream && remote !== null ? adviceForBlocked(here, remote) : adviceOf(machine, here);
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
