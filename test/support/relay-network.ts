// A made-up network in motion, for the choice of relays: nodes on a plane with wandering demands, relays with wandering load
// of their own, and reports that are a minute old. Nothing of the server's but the choice itself.
import { seededRandom } from '../../base/random.ts';
import type { Random } from '../../base/random.ts';
import { chooseRelays } from '../../server/relays/choice.ts';
import type { Kept } from '../../server/relays/choice.ts';
import { perNodeOf } from '../../server/relays/facts.ts';
import type { NodeFacts, RelayChoice, RelayFacts } from '../../server/relays/facts.ts';
import { relaysToMeasure } from '../../server/relays/measure.ts';
import type { Measured } from '../../server/relays/measure.ts';

const MINUTE = 60_000;

interface Place {
  x: number;
  y: number;
}

interface SimulatedRelay extends Place {
  readonly id: string;
  readonly capacity: number;
  readonly places: RelayFacts['places'];
  /** CPU load that has nothing to do with relaying, and what of the bandwidth it forwards now. */
  own: number;
  used: number;
  report: { spare: number; cpuLoad: number; firsts: number; nodes: number };
}

interface SimulatedNode extends Place {
  readonly id: string;
  demand: number;
  kept: Kept;
  readonly measured: Map<string, Measured>;
  readonly changes: number[];
}

export class RelayNetwork {
  readonly relays: SimulatedRelay[];
  readonly nodes: SimulatedNode[];
  now = 0;
  readonly #random: Random;
  readonly #way: RelayChoice;

  /** `relays` of the `nodes` can forward. */
  constructor(way: RelayChoice, nodes: number, relays: number, seed: number) {
    this.#way = way;
    this.#random = seededRandom(seed);
    this.relays = Array.from({ length: relays }, (_, at) => ({
      ...this.#somewhere(),
      ...{ id: `relay-${at}`, capacity: this.#between(200e6, 600e6) },
      places: [{ family: 4, address: `198.51.${at >> 1}.7`, port: 7443 }],
      ...{ own: this.#between(0.02, 0.1), used: 0 },
      report: { spare: 100e6, cpuLoad: 0, firsts: 0, nodes: 0 },
    }));
    this.nodes = Array.from({ length: nodes - relays }, (_, at) => ({
      ...this.#somewhere(),
      ...{ id: `node-${at}`, demand: this.#between(2e6, 12e6), changes: [] },
      ...{ kept: { relays: [], changedAt: null }, measured: new Map() },
    }));
  }

  /** One minute: the world moves, every relay reports, every node registers once. */
  step(): void {
    this.now += MINUTE;
    this.#wander();
    this.#carry();
    for (const relay of this.relays) this.#reports(relay);
    const relays = this.facts();
    for (const node of this.nodes) this.#registers(node, relays);
    this.#carry();
  }

  gone(id: string): void {
    const at = this.relays.findIndex(relay => relay.id === id);
    this.relays.splice(at, 1);
  }

  /** The busiest relay's load over the mean of all, by the scarcer of bandwidth and CPU. */
  peakOverMean(): number {
    const loads = this.relays.map(relay => Math.max(relay.used / relay.capacity, this.#cpuOf(relay)));
    return Math.max(...loads) / (loads.reduce((sum, load) => sum + load, 0) / loads.length);
  }

  /** Mean round trip to the first choice, over what it would be with each node's nearest. */
  overOptimum(): number {
    let [sum, optimum] = [0, 0];
    for (const node of this.nodes) {
      sum += this.rtt(
        node,
        this.relays.find(({ id }) => id === node.kept.relays[0])!,
      );
      optimum += Math.min(...this.relays.map(relay => this.rtt(node, relay)));
    }
    return sum / optimum;
  }

  /** The shortest time between two changes of one node, in ms. */
  shortestCalm(): number {
    const gaps = this.nodes.flatMap(({ changes }) =>
      changes.slice(1).map((at, index) => at - changes[index]!),
    );
    return Math.min(Infinity, ...gaps);
  }

  rtt(node: Place, relay: Place): number {
    return 2 + Math.hypot(node.x - relay.x, node.y - relay.y);
  }

  /** As the server knows them; `firsts` and what hangs on it is kept up by whoever changes a node's relays. */
  facts(): Map<string, RelayFacts & { firsts: number; sinceReport: number }> {
    return new Map(
      this.relays.map(({ report, id, capacity, places, ...where }) => {
        const now = this.nodes.filter(({ kept }) => kept.relays[0] === id).length;
        const facts = { ...report, firsts: now, sinceReport: now - report.firsts };
        return [id, { id, region: regionOf(where), places, capacity, mostNodes: 512, ...facts }];
      }),
    );
  }

  #registers(node: SimulatedNode, relays: ReturnType<RelayNetwork['facts']>): void {
    const region = regionOf(node);
    if (this.#way === 'nearest') this.#measures(node, relays);
    const rtts = new Map([...node.measured].map(([id, { rttMs }]) => [id, rttMs!]));
    const facts: NodeFacts = { id: node.id, region, rtts, failed: new Set() };
    const around = { way: this.#way, perNode: perNodeOf(relays.values()) };
    const kept = chooseRelays(facts, node.kept, relays, { ...around, now: this.now, random: this.#random });
    if (kept.relays.join() !== node.kept.relays.join() && kept.changedAt !== node.kept.changedAt)
      node.changes.push(this.now);
    for (const [id, more] of [
      [node.kept.relays[0], -1],
      [kept.relays[0], 1],
    ] as const) {
      const relay = relays.get(id ?? '');
      if (relay === undefined) continue;
      relay.firsts += more;
      relay.sinceReport += more;
    }
    node.kept = kept;
  }

  #measures(node: SimulatedNode, relays: ReadonlyMap<string, RelayFacts>): void {
    const wanted = relaysToMeasure(relays.values(), {
      ...{ node: node.id, region: regionOf(node), keep: node.kept.relays, measured: node.measured },
      ...{ now: this.now, random: this.#random },
    });
    for (const relay of this.relays)
      if (wanted.includes(relay.id) || node.kept.relays.includes(relay.id))
        node.measured.set(relay.id, { rttMs: this.rtt(node, relay), at: this.now });
  }

  #reports(relay: SimulatedRelay): void {
    const firsts = this.nodes.filter(({ kept }) => kept.relays[0] === relay.id).length;
    const nodes = this.nodes.filter(({ kept }) => kept.relays.includes(relay.id)).length;
    relay.report = { spare: relay.capacity - relay.used, cpuLoad: this.#cpuOf(relay), firsts, nodes };
  }

  #carry(): void {
    const byId = new Map(this.relays.map(relay => [relay.id, relay]));
    for (const relay of this.relays) relay.used = 0;
    for (const { kept, demand } of this.nodes) {
      const first = byId.get(kept.relays[0] ?? '');
      if (first !== undefined) first.used += demand;
    }
  }

  /** A core forwards 2 Gbit/s. */
  #cpuOf({ own, used }: SimulatedRelay): number {
    return Math.min(1, own + used / 2e9);
  }

  /** Demands and loads change every minute, one node in fifty moves elsewhere every hour. */
  #wander(): void {
    for (const node of this.nodes) {
      node.demand = within(node.demand * this.#between(0.8, 1.25), 2e6, 12e6);
      if (this.#random.below(3000) === 0) {
        Object.assign(node, this.#somewhere());
        node.measured.clear();
      }
    }
    for (const relay of this.relays) relay.own = within(relay.own + this.#between(-0.02, 0.02), 0.02, 0.1);
  }

  #somewhere(): Place {
    return { x: this.#between(0, 200), y: this.#between(0, 200) };
  }

  #between(least: number, most: number): number {
    return least + ((most - least) * this.#random.below(1 << 30)) / (1 << 30);
  }
}

const regionOf = ({ x, y }: Place): string => `region ${Math.floor(x / 50)} ${Math.floor(y / 50)}`;

const within = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));
