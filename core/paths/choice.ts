// Which of several paths carries the session: the smallest score, with hysteresis, and always a reason in words.
import { formatEndpoint } from '../../protocol/address.ts';
import type { PathClass } from '../contract/link.ts';
import { isRelayed, type Path, type Way } from './path.ts';

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
  readonly reason: string;
}

/** The choice among the usable ones; `active` is the present one, stays where nothing is clearly better. Null: none is usable. */
export function choose(paths: Iterable<Path>, active: Path | null): Choice | null {
  const usable = [...paths].filter(path => path.usable);
  const trusted = usable.filter(path => !path.shunned);
  const ranked = (trusted.length > 0 ? trusted : usable).sort((a, b) => scoreOf(a) - scoreOf(b));
  const best = ranked[0];
  if (best === undefined) return null;
  if (active === null) return { path: best, reason: firstReason(best, ranked.length) };
  if (best === active) return { path: active, reason: '' };
  if (!active.usable)
    return { path: best, reason: `${nameOf(active)} fell silent; ${describe(best)} still answers` };
  if (active.shunned && !best.shunned)
    return { path: best, reason: `${nameOf(active)} loses what goes by it; ${describe(best)} answers too` };
  if (!isClearlyBetter(best, active)) return { path: active, reason: '' };
  return { path: best, reason: `${describe(best)} is better than ${describe(active)}` };
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

const firstReason = (path: Path, count: number): string =>
  `${count === 1 ? 'the only path' : `the best of ${count} paths`} that answered, ${qualityOf(path)}`;

const CLASS_NAME: Readonly<Record<PathClass, string>> = {
  lan: 'LAN',
  direct: 'direct',
  turn: 'TURN',
  relay: 'relay',
};

/** `direct UDP`, `TURN WebRTC`, `via office-vps`. */
export const labelOf = ({ way }: Path): string =>
  way.via === undefined ? `${CLASS_NAME[way.class]} ${transportName(way.transport)}` : `via ${way.via}`;

const transportName = (transport: string): string =>
  transport === 'webrtc' ? 'WebRTC' : transport.toUpperCase();

/** `direct UDP 198.51.100.7:41641`. */
export function nameOf(path: Path): string {
  const place = path.way.via === undefined ? placeOf(path.way) : null;
  return place === null ? labelOf(path) : `${labelOf(path)} ${place}`;
}

/** `198.51.100.7:41641`; null where it is not known. */
export function placeOf({ endpoint, place }: Way): string | null {
  const known = endpoint ?? place;
  return known === undefined ? null : formatEndpoint(known);
}

const describe = (path: Path): string => `${nameOf(path)} (${qualityOf(path)})`;

function qualityOf(path: Path): string {
  const rtt = path.srttMs === null ? 'not yet measured' : `${path.srttMs.toFixed(1)} ms`;
  return path.loss >= 0.005 ? `${rtt}, ${(path.loss * 100).toFixed(1)} % lost` : rtt;
}
