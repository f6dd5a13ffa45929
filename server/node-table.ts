// The nodes in memory, found by number, address, key or name, and the addresses that are taken.
import type { Counters } from '../base/counters.ts';
import { serverErrors } from './errors.ts';
import { AddressPool } from './pool.ts';
import { nameOf } from './registry-entries.ts';
import type { NodeEntry } from './registry-entries.ts';

export class NodeTable {
  readonly pool: AddressPool;
  readonly #nodes = new Map<string, NodeEntry>();
  readonly #byAddress = new Map<string, string>();
  readonly #byWireguardKey = new Map<string, string>();
  readonly #byName = new Map<string, string>();

  constructor(pool4: string, entries: readonly NodeEntry[], counters: Counters) {
    this.pool = new AddressPool(pool4);
    for (const entry of entries) {
      if (!this.pool.claim(entry.assignment.ip4)) counters.counter('leases.conflicting').value++;
      this.put(entry);
    }
  }

  get all(): ReadonlyMap<string, NodeEntry> {
    return this.#nodes;
  }

  get(id: string): NodeEntry | undefined {
    return this.#nodes.get(id);
  }

  byAddress(address: string): NodeEntry | undefined {
    return this.#nodes.get(this.#byAddress.get(address) ?? '');
  }

  byName(name: string): NodeEntry | undefined {
    return this.#nodes.get(this.#byName.get(name.toLowerCase()) ?? '');
  }

  byWireguardKey(key: string): NodeEntry | undefined {
    return this.#nodes.get(this.#byWireguardKey.get(key) ?? '');
  }

  /** A new node, or what a known one is now. */
  put(entry: NodeEntry): void {
    const before = this.#nodes.get(entry.id);
    if (before !== undefined) this.#unname(before);
    this.#nodes.set(entry.id, entry);
    this.#byAddress.set(entry.assignment.ip4, entry.id).set(entry.assignment.ip6, entry.id);
    this.#byWireguardKey.set(entry.wireguardKey, entry.id);
    for (const name of [entry.name, nameOf(entry)]) this.#byName.set(name.toLowerCase(), entry.id);
  }

  /** Its address stays taken. */
  remove(id: string): void {
    const entry = this.#nodes.get(id);
    if (entry === undefined) return;
    this.#unname(entry);
    this.#nodes.delete(id);
    for (const address of [entry.assignment.ip4, entry.assignment.ip6])
      if (this.#byAddress.get(address) === id) this.#byAddress.delete(address);
    if (this.#byWireguardKey.get(entry.wireguardKey) === id) this.#byWireguardKey.delete(entry.wireguardKey);
  }

  /** Error: NAME_TAKEN. */
  refuseTakenName(name: string, id: string): void {
    const holder = this.#byName.get(name.toLowerCase());
    if (holder !== undefined && holder !== id) throw serverErrors('NAME_TAKEN', { name });
  }

  #unname(entry: NodeEntry): void {
    for (const name of [entry.name, nameOf(entry)])
      if (this.#byName.get(name.toLowerCase()) === entry.id) this.#byName.delete(name.toLowerCase());
  }
}
