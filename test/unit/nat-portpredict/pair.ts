// Two homes behind NATs that count (or don't), with others' mappings in between, and one try of each by its volley: do
// two packets find each other? From the measurement on, so much as the timing of a real try asks for.
import type { Random } from '../../../base/random.ts';
import type { PunchShot, VolleySide } from '../../../core/contract/punch.ts';
import { foresee, NOTHING_KNOWN, type Sample } from '../../../plugins/nat-portpredict/model.ts';
import { predictVolley, tcpVolley } from '../../../plugins/nat-portpredict/volley.ts';
import { MAX_WINDOW } from '../../../plugins/nat-portpredict/window.ts';
import type { Forecast } from '../../../protocol/location/messages.ts';
import { endpoint } from '../nat-stun/network.ts';

export interface EndSpec {
  readonly kind: number | 'fixed';
  /** Others' new mappings per second. */
  readonly rate: number;
  /** How many places of the server are asked. */
  readonly packets?: number;
}

const ONE_WAY_MS = 20;
const SKEW_MS = 100;
/** Between two packets of one burst. */
const GAP_MS = 0.1;

class Counting {
  readonly spec: EndSpec;
  readonly address: string;
  readonly #random: Random;
  readonly #mappings = new Map<string, number>();
  #next = 20_000;
  #foreignAt: number;

  constructor(spec: EndSpec, address: string, random: Random) {
    this.spec = spec;
    this.address = address;
    this.#random = random;
    this.#foreignAt = this.#pause();
  }

  /** The outer port for that destination, at that time. */
  port(to: string, atMs: number): number {
    const { kind } = this.spec;
    if (kind === 'fixed') return this.portOf(to) ?? this.#map(to, 41_641);
    for (; this.#foreignAt < atMs; this.#foreignAt += this.#pause()) this.#next += kind;
    return this.portOf(to) ?? this.#map(to, (this.#next += kind));
  }

  portOf(to: string): number | undefined {
    return this.#mappings.get(to);
  }

  #map(to: string, port: number): number {
    this.#mappings.set(to, port);
    return port;
  }

  #pause(): number {
    if (this.spec.rate === 0) return Infinity;
    return (-Math.log(1 - this.#random.below(1_000_000) / 1_000_000) * 1_000) / this.spec.rate;
  }
}

/** P2 and P3: asks and forecasts. */
function measured(nat: Counting, atMs: number): Forecast {
  const samples = Array.from({ length: nat.spec.packets ?? 4 }, (_, order): Sample => {
    const mapped = endpoint(nat.address, nat.port(`server ${order}`, atMs + order * GAP_MS));
    return { order, localPort: 40_000, to: endpoint(`203.0.113.${order}`, 3478), mapped, atMs };
  });
  return foresee({ asked: samples.length, samples, localPort: 40_000 }, NOTHING_KNOWN, 1)!.forecast;
}

const sideOf = (forecast: Forecast): VolleySide => ({
  nat: { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent', ports: '' },
  forecast,
});

/** One try: the offer goes there, is answered, and both fire. */
export function meets(
  offererSpec: EndSpec,
  answererSpec: EndSpec,
  random: Random,
  method: 'predict' | 'tcp' = 'predict',
): boolean {
  const offerer = new Counting(offererSpec, '198.51.100.1', random);
  const answerer = new Counting(answererSpec, '198.51.100.2', random);
  const offered = measured(offerer, 0);
  // The answers of the server, the offer's way through it, and then those of the answerer.
  const askedAt = 2 * ONE_WAY_MS + random.below(60) + 2 * ONE_WAY_MS;
  const answered = measured(answerer, askedAt);
  const answeredAt = askedAt + 2 * ONE_WAY_MS + random.below(60);
  const heardAt = answeredAt + 2 * ONE_WAY_MS;
  const startsAt = [heardAt + random.below(SKEW_MS), heardAt + random.below(SKEW_MS)] as const;
  const sides = [sideOf(offered), sideOf(answered)] as const;
  const shots = (['offerer', 'answerer'] as const).map((role, at) => {
    const propose = method === 'tcp' ? tcpVolley : predictVolley;
    const ask = { method, role, holdBackMs: 60, failures: 0 } as const;
    const volley = propose({ ...ask, own: sides[at]!, theirs: sides[1 - at]! }, MAX_WINDOW);
    const begin = startsAt[at]!;
    return (volley?.shots ?? []).map((shot, index) => ({
      ...shot,
      atMs: begin + shot.atMs + index * GAP_MS,
    }));
  });
  return fight([offerer, answerer], [shots[0]!, shots[1]!]);
}

/** A packet gets in where the other's NAT has a mapping at that port for whence it comes. */
function fight(
  nats: readonly [Counting, Counting],
  shots: readonly [readonly PunchShot[], readonly PunchShot[]],
): boolean {
  const all = ([0, 1] as const)
    .flatMap(end => shots[end].map(shot => ({ ...shot, end })))
    .sort((a, b) => a.atMs - b.atMs);
  const arriving: { atMs: number; end: 0 | 1; from: string; port: number }[] = [];
  for (const { end, to, atMs, ttl } of all) {
    const outer = nats[end].port(`${to.address}:${to.port}`, atMs);
    const from = `${nats[end].address}:${outer}`;
    if (ttl === 'full')
      arriving.push({ atMs: atMs + ONE_WAY_MS, end: end === 0 ? 1 : 0, from, port: to.port });
  }
  // All were sent; what came before the other's had left was dropped.
  return arriving.some(({ atMs, end, from, port }) => {
    const opened = all.some(
      shot => shot.end === end && shot.atMs <= atMs && `${shot.to.address}:${shot.to.port}` === from,
    );
    return opened && nats[end].portOf(from) === port;
  });
}
