// Which of several paths carries the session: the smallest score, with hysteresis, and always a reason in words.
import type { Said } from '../../base/said.ts';
import { formatEndpoint, type Endpoint } from '../../protocol/address.ts';
import type { PathClass } from '../contract/link.ts';
import { isRelayed, type Path, type Way } from './path.ts';
import { saidWord, says } from './sayings.ts';

/** Ms added to the round trip: a short way through a stranger's machine must be a good deal shorter to be worth it. */
const CLASS_PENALTY_MS: Readonly<Record<PathClass, number>> = { lan: 0, direct: 5, turn: 30, relay: 60 };
/** One lost segment holds up all that follow it. */
const STREAM_PENALTY_MS = 10;
/** Each packet costs more than by plain UDP. */
const CHANNEL_PENALTY_MS = 6;
const LOSS_PENALTY_MS = 500;
const UNMEASURED_MS = 500;

/** A rival must be better by both, or two paths that are alike would take turns. */
const BETTER_BY_RATIO = 0.8;
const BETTER_BY_MS = 4;

export function scoreOf(path: Path): number {
  const { way, srttMs, loss } = path;
  const connectionMs = way.isUnordered === true ? CHANNEL_PENALTY_MS : STREAM_PENALTY_MS;
  const streamMs = way.endpoint === null ? connectionMs : 0;
  return (srttMs ?? UNMEASURED_MS) + loss * LOSS_PENALTY_MS + CLASS_PENALTY_MS[way.class] + streamMs;
}

export interface Choice {
  readonly path: Path;
  /** Null: it stays as it is. */
  readonly reason: Said | null;
}

/** The choice among the usable ones; `active` is the present one, stays where nothing is clearly better. Null: none is usable. */
export function choose(paths: Iterable<Path>, active: Path | null): Choice | null {
  const usable = [...paths].filter(path => path.usable);
  const trusted = usable.filter(path => !path.shunned);
  const ranked = (trusted.length > 0 ? trusted : usable).sort((a, b) => scoreOf(a) - scoreOf(b));
  const best = ranked[0];
  if (best === undefined) return null;
  if (active === null) return { path: best, reason: firstReason(best, ranked.length) };
  if (best === active) return { path: active, reason: null };
  if (!active.usable)
    return { path: best, reason: says('reason.silent', { path: nameSaid(active), other: describe(best) }) };
  if (active.shunned && !best.shunned)
    return { path: best, reason: says('reason.lossy', { path: nameSaid(active), other: describe(best) }) };
  if (!isClearlyBetter(best, active)) return { path: active, reason: null };
  return { path: best, reason: says('reason.better', { other: describe(best), path: describe(active) }) };
}

function isClearlyBetter(rival: Path, active: Path): boolean {
  if (active.state === 'heard' && rival.state === 'valid') return true;
  if (rival.state !== 'valid') return false;
  const [a, b] = [scoreOf(rival), scoreOf(active)];
  // Where plain UDP works a connection is the same way with more in it: a full queue alone makes it look better.
  if (isPlainUdp(active) && isStraight(rival) && active.loss < LOSSY) return false;
  if (isPlainUdp(rival) && isStraight(active) && rival.loss < LOSSY) return a < b;
  // Off the relay as soon as that is no loss; the other way there must be much to win.
  if (isRelayed(active.way) && !isRelayed(rival.way)) return a < b;
  return a < b * BETTER_BY_RATIO && a < b - BETTER_BY_MS;
}

const LOSSY = 0.2;
const isPlainUdp = ({ way }: Path): boolean => way.endpoint !== null;
const isStraight = ({ way }: Path): boolean => way.endpoint === null && !isRelayed(way);

function firstReason(path: Path, count: number): Said {
  const quality = qualityOf(path);
  return count === 1 ? says('reason.only', { quality }) : says('reason.best', { count, quality });
}

const labelSaid = ({ way }: Path): Said =>
  way.via === undefined
    ? says(`path.${way.class}`, { transport: transportName(way.transport) })
    : says('path.via', { relay: way.via });

/** `direct UDP`, `TURN WebRTC`, `via office-vps`. */
export const labelOf = (path: Path): string => labelSaid(path).words;

const transportName = (transport: string): string =>
  transport === 'webrtc' ? 'WebRTC' : transport.toUpperCase();

/** `direct UDP 198.51.100.7:41641`. */
export function nameSaid(path: Path): Said {
  const place = path.way.via === undefined ? placeOf(path.way) : null;
  return place === null ? labelSaid(path) : says('path.at', { path: labelSaid(path), place });
}

/** `198.51.100.7:41641`; null where it is not known. */
export function placeOf({ endpoint, place }: Way): string | null {
  const known = endpoint ?? place;
  return known === undefined ? null : formatEndpoint(known);
}

const describe = (path: Path): Said => says('path.with', { path: nameSaid(path), quality: qualityOf(path) });

function qualityOf({ srttMs, loss }: Path): Said {
  const quality =
    srttMs === null ? says('quality.unmeasured') : says('quality.ms', { ms: srttMs.toFixed(1) });
  return loss >= 0.005 ? says('quality.lossy', { quality, percent: (loss * 100).toFixed(1) }) : quality;
}

/** Of one that was measured; `seenAs`: how the other end sees us there. */
export function answeredSaid(path: Path, seenAs: Endpoint | null): Said {
  const { learnt, srttMs } = path;
  const facts = { path: nameSaid(path), learnt: saidWord('learnt', learnt), ms: (srttMs ?? 0).toFixed(1) };
  if (seenAs === null) return says('try.answered', facts);
  return says('try.answered-seen', { ...facts, place: formatEndpoint(seenAs) });
}
