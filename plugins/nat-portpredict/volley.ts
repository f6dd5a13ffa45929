// What one try sends, and when (P5, P6, P7). First, from all of an end's places at once, packets that open the own NAT
// and die before the other's; once the other end has sent its own, full ones behind them, again and again by the same
// mappings. The core sends them, under its budget.
import type { PunchShot, Volley, VolleyAsk, VolleySide } from '../../core/contract/punch.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { portAfter } from './ports.ts';
import { MAX_WINDOW, windowBetween, windowTo } from './window.ts';

/** Full passes after `holdBackMs`: a lost packet is one of four, and an end that starts late finds some left. */
const PASSES_MS = [0, 100, 350, 750];
/** A refused or lost SYN is tried anew from the same port. */
const TCP_PASSES_MS = [0, 150, 400, 800, 1_400];
/** After the last pass: a round trip for whatever got in. */
const PREDICT_ENDS_MS = 1_100;
const TCP_ENDS_MS = 2_500;

/** Each connection is a socket: fewer than packets. */
const MAX_TCP_WINDOW = 24;

/** One address gets no more than this many packets of one volley, and no more than `MAX_WINDOW` in one turn. */
export const MAX_PREDICT_SHOTS = (1 + TCP_PASSES_MS.length) * MAX_WINDOW;

/** Null: at one of the ends there is no rule. `most`: the most places. `from`: which socket the own forecast is for. */
export function predictVolley(
  ask: VolleyAsk,
  most: number,
  from: 'main' | 'measured' = 'measured',
): Volley | null {
  const places = placesOf(ask, { anyone: MAX_WINDOW, here: most });
  if (places === null) return null;
  return passes(from, places, ask.holdBackMs, PASSES_MS, PREDICT_ENDS_MS);
}

/** P7: over TCP both ends measure, and connect from the port that they measured from. */
export function tcpVolley(ask: VolleyAsk, most: number): Volley | null {
  const here = Math.min(most, MAX_TCP_WINDOW);
  const places = placesOf(ask, { anyone: MAX_TCP_WINDOW, here });
  return places === null ? null : passes('measured', places, ask.holdBackMs, TCP_PASSES_MS, TCP_ENDS_MS);
}

/** The other end's port or ports, the likeliest order of sending first; null: no rule is known. */
function placesOf(
  { role, own, theirs }: VolleyAsk,
  most: { readonly anyone: number; readonly here: number },
): readonly Endpoint[] | null {
  const { address, port, step, drift } = theirs.forecast;
  if (step === null || own.forecast.step === null) return null;
  if (step === 0) return [{ family: 4, address, port }];
  const { first, stride, count } = isFixed(own)
    ? windowTo(drift, most.here)
    : windowBetween(role, driftsOf(role, own, theirs), most);
  const places = Array.from({ length: count }, (_, at): Endpoint => {
    return { family: 4, address, port: portAfter(port, step, first + at * stride) };
  });
  return places.filter((place, at) => places.findIndex(one => one.port === place.port) === at);
}

const driftsOf = (role: VolleyAsk['role'], own: VolleySide, theirs: VolleySide) =>
  role === 'offerer'
    ? { offerer: own.forecast.drift, answerer: theirs.forecast.drift }
    : { offerer: theirs.forecast.drift, answerer: own.forecast.drift };

/** Whatever it sends to leaves by the port that is forecast. */
export const isFixed = ({ forecast }: VolleySide): boolean => forecast.step === 0;

function passes(
  from: PunchShot['from'],
  places: readonly Endpoint[],
  holdBackMs: number,
  timesMs: readonly number[],
  endsMs: number,
): Volley {
  const pass = (atMs: number, ttl: PunchShot['ttl']): readonly PunchShot[] =>
    places.map(to => ({ from, to, atMs, ttl }));
  const shots = [pass(0, 'low'), ...timesMs.map(time => pass(holdBackMs + time, 'full'))].flat();
  return { shots, endsMs: holdBackMs + endsMs, isHeavy: false };
}
