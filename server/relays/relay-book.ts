// The relays that can be had now, with their figures, and who uses which: what the choice reads and the table keeps up.
import type { Endpoint } from '../../protocol/address.ts';
import type { NodeId, Registration } from '../../protocol/location/messages.ts';
import type { RelayFacts } from './facts.ts';

/** Where neither its owner nor its line says how much it carries. */
const UNTOLD_CAPACITY = 100e6;

interface Relay extends RelayFacts {
  region: string;
  places: readonly Endpoint[];
  capacity: number;
  spare: number | null;
  cpuLoad: number;
  nodes: number;
  mostNodes: number;
  firsts: number;
  sinceReport: number;
  /** Nodes connected to it, by its last report. */
  reported: number;
}

export class RelayBook {
  readonly #all = new Map<NodeId, Relay>();
  /** Those that can be reached from outside the server's own local network. */
  readonly #outside = new Map<NodeId, Relay>();
  readonly #users = new Map<NodeId, Set<NodeId>>();
  readonly #using = new Map<NodeId, readonly NodeId[]>();
  readonly #firsts = new Map<NodeId, number>();

  /** For whom: everybody, or who is on the server's own local network. */
  for(isNear: boolean): ReadonlyMap<NodeId, RelayFacts> {
    return isNear ? this.#all : this.#outside;
  }

  /** Its own word, and where its door answers; true where it can be had only now. */
  report(
    id: NodeId,
    { relay, region, bandwidth, cpuLoad }: Registration,
    places: readonly Endpoint[],
    isOutside: boolean,
  ): boolean {
    if (relay === null) return false;
    const known = this.#all.get(id);
    const capacity =
      relay.limit ?? bandwidth ?? Math.max(relay.spare ?? UNTOLD_CAPACITY, known?.capacity ?? 0);
    const facts = {
      ...{ id, region, places, capacity, spare: relay.spare, cpuLoad: cpuLoad ?? 0 },
      ...{ nodes: 0, mostNodes: relay.mostNodes, reported: relay.nodes },
      ...{ firsts: this.#firsts.get(id) ?? 0, sinceReport: 0 },
    };
    const current = known === undefined ? facts : Object.assign(known, facts);
    this.#all.set(id, current);
    if (isOutside) this.#outside.set(id, current);
    else this.#outside.delete(id);
    this.#count(id);
    return known === undefined;
  }

  /** Nobody can have it any more; true where somebody could. */
  drop(id: NodeId): boolean {
    this.#outside.delete(id);
    return this.#all.delete(id);
  }

  users(id: NodeId): readonly NodeId[] {
    return [...(this.#users.get(id) ?? [])];
  }

  /** That node's relays are these now, the first choice first. */
  use(node: NodeId, after: readonly NodeId[]): void {
    const before = this.#using.get(node) ?? [];
    if (after.length === 0) this.#using.delete(node);
    else this.#using.set(node, after);
    for (const id of before) if (!after.includes(id)) this.#users.get(id)?.delete(node);
    for (const id of after) {
      const users = this.#users.get(id) ?? new Set();
      this.#users.set(id, users.add(node));
    }
    if (before[0] !== after[0]) {
      this.#first(before[0], -1);
      this.#first(after[0], 1);
    }
    for (const id of new Set([...before, ...after])) this.#count(id);
  }

  #first(id: NodeId | undefined, more: number): void {
    if (id === undefined) return;
    const firsts = (this.#firsts.get(id) ?? 0) + more;
    if (firsts === 0) this.#firsts.delete(id);
    else this.#firsts.set(id, firsts);
    const relay = this.#all.get(id);
    if (relay === undefined) return;
    relay.firsts = firsts;
    relay.sinceReport += more;
  }

  #count(id: NodeId): void {
    const users = this.#users.get(id);
    if (users?.size === 0) this.#users.delete(id);
    const relay = this.#all.get(id);
    if (relay !== undefined) relay.nodes = Math.max(relay.reported, users?.size ?? 0);
  }
}
