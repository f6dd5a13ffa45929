// By how much a counting NAT's ports grow from one new mapping to the next, from a few of them in the order of asking:
// mappings that others made in between make a distance a multiple, a packet overtaken turns one round, and where the
// NAT's range ends, one leads all the way back.
import { signedDistance } from './ports.ts';

/** A mapped port, and its place among all that was asked: an answer may be missing in between. */
export interface Mapping {
  readonly order: number;
  readonly port: number;
}

/** Further apart than this, two ports have nothing to do with each other. */
const MAX_STEP = 512;
/** What a single distance may be: chance makes one as short in 1 of 250 cases. */
const MAX_SINGLE_STEP = 128;
/** So many ports at most are believed to have gone to others between two packets of one turn. */
const MAX_BETWEEN = 8;

/** The step, negative for a NAT that counts downwards; null: there is none. `known`: what was measured here before. */
export function stepOf(mappings: readonly Mapping[], known: number | null): number | null {
  const hops = mappings.slice(1).map((mapping, at) => hopBetween(mappings[at]!, mapping));
  // One distance that leads back is no news to who knows the step: the range ended, or a packet was overtaken.
  if (known !== null && hops.length === 1 && hops[0]! * known < 0) return known;
  const limit = hops.length === 1 ? MAX_SINGLE_STEP : MAX_STEP;
  const short = hops.filter(hop => hop !== 0 && Math.abs(hop) <= limit);
  const upwards = short.filter(hop => hop > 0).length;
  const sign = upwards * 2 === short.length ? Math.sign(known ?? 1) : upwards * 2 > short.length ? 1 : -1;
  const onwards = short.filter(hop => hop * sign > 0).map(Math.abs);
  if (onwards.length === 0 || onwards.length * 2 < hops.length) return null;
  return refined(sign * onwards.reduce(gcd), known);
}

/** Per packet: a missing answer in between stands for a mapping of ours. */
function hopBetween(a: Mapping, b: Mapping): number {
  const distance = signedDistance(a.port, b.port);
  const packets = b.order - a.order;
  return distance % packets === 0 ? distance / packets : distance;
}

/** A multiple of the known step is that step, with ports of others in between. */
function refined(step: number, known: number | null): number {
  if (known === null || known === 0 || step % known !== 0) return step;
  const times = step / known;
  return times >= 1 && times <= MAX_BETWEEN ? known : step;
}

/** The port that was given away last, and whether the NAT came to the end of its range on the way to it. */
export function lastOf(
  mappings: readonly Mapping[],
  step: number,
): { readonly last: Mapping; readonly wrapped: boolean } {
  let [at, furthest, last, wrapped] = [0, 0, mappings[0]!, false];
  for (const [index, mapping] of mappings.slice(1).entries()) {
    const before = mappings[index]!.port;
    const distance = signedDistance(before, mapping.port);
    const isFar = Math.abs(distance) > MAX_STEP || distance % step !== 0;
    at += isFar ? step : distance;
    wrapped ||= isFar && (mapping.port - before) * step < 0;
    if (at * step > furthest * step) [furthest, last] = [at, mapping];
  }
  return { last, wrapped };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
