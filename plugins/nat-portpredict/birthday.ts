// Against a NAT that picks its ports at random (the birthday method): behind it many sockets send to the other end's one
// place, and the other end guesses. With 256 ports open, every 252nd guess gets in on average.
import { MAX_BURST_SOCKETS, type PunchShot, type Volley, type VolleyAsk } from '../../core/contract/punch.ts';
import type { Random } from '../../base/random.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { isFixed } from './volley.ts';

/** Each guess costs the router of who guesses an entry for 30 s; home routers went down at 5 to 6 thousand. */
export const MAX_GUESSES = 2_048;
/** Guesses per second: slowly at first, so that a small router shows what it suffers before it is full. */
const [FIRST_RATE, LAST_RATE, GROWTH] = [100, 300, 100];
const ENDS_MS = 8_000;
/** For the answer to the last guess. */
const LAST_WORD_MS = 250;

/** Sockets that open at a time: the router's entries grow in stages that can be watched. */
const STAGES = [
  { atMs: 0, sockets: 32 },
  { atMs: 150, sockets: 64 },
  { atMs: 400, sockets: 80 },
  { atMs: 800, sockets: 80 },
] as const;

const [LOWEST_PORT, PORT_COUNT] = [1_024, 64_512];

/** Null: both ends have one place, or neither has. */
export function birthdayVolley(ask: VolleyAsk, random: Random): Volley | null {
  const [own, theirs] = [isFixed(ask.own), isFixed(ask.theirs)];
  if (own === theirs) return null;
  return { shots: own ? guesses(ask, random) : openers(ask), endsMs: ENDS_MS, isHeavy: true };
}

/** Where the openers that die early failed, they may have died too early: then they are sent all the way. */
function openers({ theirs, failures }: VolleyAsk): readonly PunchShot[] {
  const { address, port } = theirs.forecast;
  const to: Endpoint = { family: 4, address, port };
  const times = STAGES.flatMap(({ atMs, sockets }) => Array.from({ length: sockets }, () => atMs));
  const ttl = failures % 2 === 0 ? 'low' : 'full';
  return times.slice(0, MAX_BURST_SOCKETS).map((atMs, from) => ({ from, to, atMs, ttl }));
}

function guesses({ theirs, holdBackMs }: VolleyAsk, random: Random): readonly PunchShot[] {
  const { address } = theirs.forecast;
  const times = guessTimes(holdBackMs);
  return distinctPorts(times.length, random).map((port, at) => {
    return { from: 'main', to: { family: 4, address, port }, atMs: times[at]!, ttl: 'full' };
  });
}

function guessTimes(beginMs: number): readonly number[] {
  const times: number[] = [];
  for (let atMs = beginMs; atMs <= ENDS_MS - LAST_WORD_MS && times.length < MAX_GUESSES;) {
    times.push(Math.round(atMs));
    atMs += 1_000 / Math.min(LAST_RATE, FIRST_RATE + (GROWTH * (atMs - beginMs)) / 1_000);
  }
  return times;
}

/** None twice: a port that was tried is shut. */
function distinctPorts(count: number, random: Random): readonly number[] {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(LOWEST_PORT + random.below(PORT_COUNT));
  return [...ports];
}
