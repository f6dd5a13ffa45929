// Who is in the network: nodes with their addresses (V1, V3), and invites. One change at a time, each written as a whole
// before anybody is told; so no invite lets two in, and no address is given twice.
import type { Counters } from '../base/counters.ts';
import type { ScopedStore, StoreOperation } from '../base/store.ts';
import { toBase64Url } from '../protocol/base64.ts';
import { networkPrefix6, virtualIp6 } from '../protocol/location/addresses.ts';
import type { LoginRequest, NodeRecord } from '../protocol/location/messages.ts';
import { signAssignment } from '../protocol/location/signed.ts';
import { fromBase64Url } from '../protocol/base64.ts';
import type { Primitives } from '../protocol/primitives.ts';
import { serverErrors } from './errors.ts';
import type { ServerKeys } from './keys.ts';
import { AddressPool, choosePool, refuseClash } from './pool.ts';
import { judgeRecord } from './record-rules.ts';
import { expiryOf, inviteEntries, isForgotten, nodeEntries, readNetwork } from './registry-entries.ts';
import type { InviteEntry, NetworkEntry, NodeEntry } from './registry-entries.ts';
import type { ServerTime } from './time.ts';

export interface RegistryOptions {
  /** Seen under the network's own prefix. */
  readonly store: ScopedStore;
  readonly primitives: Primitives;
  readonly keys: ServerKeys;
  readonly time: ServerTime;
  readonly counters: Counters;
}

export interface SetUp {
  readonly pool4: string | undefined;
  readonly networkName: string | undefined;
  /** This machine's own networks. */
  readonly localNetworks: readonly string[];
}

export class Registry {
  readonly #options: RegistryOptions;
  #network: NetworkEntry = { v: 1, pool4: '', networkName: '', setUpAt: 0 };
  #pool = new AddressPool('10.77.0.0/16');
  #nodes = new Map<string, NodeEntry>();
  #byAddress = new Map<string, string>();
  #byWireguardKey = new Map<string, string>();
  #byName = new Map<string, string>();
  #invites = new Map<string, InviteEntry>();
  #changes: Promise<void> = Promise.resolve();
  /** A write failed: what the disk holds now is to be read anew. */
  #stale = false;

  private constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** Reads what is stored; makes the network at the first set-up. Errors: POOL_*, and the store's. */
  static async open(options: RegistryOptions, setUp: SetUp): Promise<Registry> {
    const registry = new Registry(options);
    await registry.#openNetwork(setUp);
    await registry.#load();
    await registry.tidy();
    return registry;
  }

  get pool4(): string {
    return this.#network.pool4;
  }

  get networkName(): string {
    return this.#network.networkName;
  }

  get prefix6(): string {
    return networkPrefix6(this.#options.primitives, this.#options.keys.networkBytes);
  }

  get nodes(): ReadonlyMap<string, NodeEntry> {
    return this.#nodes;
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

  /** The id under which a token is kept: the token itself is not stored. */
  inviteId(token: Uint8Array): string {
    return toBase64Url(
      this.#options.primitives.blake2s(new TextEncoder().encode('ginnel invite v1\n'), token),
    );
  }

  /** Milliseconds since 1970 at which it expires. */
  addInvite(token: Uint8Array, validMs: number): Promise<number> {
    return this.#change(async () => {
      const id = this.inviteId(token);
      const entry: InviteEntry = {
        v: 1,
        issued: this.#options.time.now(),
        validMs,
        usedBy: null,
        usedAt: null,
      };
      await this.#write([{ type: 'put', key: `invite/${id}`, value: entry }]);
      this.#invites.set(id, entry);
      this.#options.time.note(entry.issued);
      return entry.issued + validMs;
    });
  }

  /**
   * A node whose log-in proof holds: known, or let in by an invite. Errors: KEY_CHANGED, INVITE_*, NAME_TAKEN,
   * POOL_CLASH, POOL_EXHAUSTED, and the store's.
   */
  admit(login: LoginRequest): Promise<NodeEntry> {
    return this.#change(async () => {
      const known = this.#nodes.get(login.node);
      if (known === undefined) return this.#letIn(login);
      const sameKeys = known.wireguardKey === login.wireguardKey && known.controlKey === login.controlKey;
      if (!sameKeys) throw serverErrors('KEY_CHANGED');
      return known;
    });
  }

  /** Errors: RECORD_WRONG, RECORD_OLD, PREFIX_CLASH, NAME_TAKEN, and the store's. False: it was known already. */
  publish(id: string, record: NodeRecord): Promise<boolean> {
    return this.#change(async () => {
      const entry = this.#nodes.get(id);
      if (entry === undefined) throw serverErrors('NODE_UNKNOWN');
      const { primitives } = this.#options;
      const fresh = judgeRecord(primitives, entry, record, [this.pool4, this.prefix6]);
      if (!fresh) return false;
      this.#refuseTakenName(record.name, id);
      const changed = { ...entry, name: record.name, record };
      await this.#write([{ type: 'put', key: `node/${id}`, value: changed }]);
      this.#byName.delete(entry.name.toLowerCase());
      this.#remember(changed);
      return true;
    });
  }

  /** In memory only: presence stays off the disk until `keepLastSeen`. */
  seen(id: string): void {
    const entry = this.#nodes.get(id);
    if (entry !== undefined) this.#nodes.set(id, { ...entry, lastSeen: this.#options.time.now() });
  }

  /** At a clean stop. */
  keepLastSeen(ids: readonly string[]): Promise<void> {
    return this.#change(async () => {
      const entries = ids.flatMap(id => this.#nodes.get(id) ?? []);
      if (entries.length === 0) return;
      await this.#write(entries.map(value => ({ type: 'put', key: `node/${value.id}`, value })));
    });
  }

  /** Forgets old invites; those issued by a wrong clock count from now on, once it is right. */
  tidy(): Promise<void> {
    return this.#change(async () => {
      const { time } = this.#options;
      if (!time.isRight()) return;
      const changes: StoreOperation[] = [];
      for (const [id, entry] of this.#invites) {
        if (isForgotten(entry, time)) changes.push({ type: 'delete', key: `invite/${id}` });
        else if (!time.wasRight(entry.issued)) {
          changes.push({ type: 'put', key: `invite/${id}`, value: { ...entry, issued: time.now() } });
        }
      }
      if (changes.length === 0) return;
      await this.#write(changes);
      this.#invites = await inviteEntries(this.#options.store);
    });
  }

  async #letIn(login: LoginRequest): Promise<NodeEntry> {
    const [inviteId, invite] = this.#usableInvite(login);
    refuseClash(this.pool4, login.localNetworks);
    this.#refuseTakenName(login.name, login.node);
    if (this.#byWireguardKey.has(login.wireguardKey)) throw serverErrors('KEY_CHANGED');
    const ip4 = this.#pool.take();
    try {
      const entry = this.#makeEntry(login, ip4);
      const used: InviteEntry = { ...invite, usedBy: login.node, usedAt: entry.assignment.issued };
      await this.#write([
        { type: 'put', key: `node/${entry.id}`, value: entry },
        { type: 'put', key: `invite/${inviteId}`, value: used },
      ]);
      this.#invites.set(inviteId, used);
      this.#remember(entry);
      this.#options.time.note(entry.assignment.issued);
      this.#options.counters.counter('nodes.registered').value++;
      return entry;
    } catch (error) {
      this.#pool.release(ip4);
      throw error;
    }
  }

  #usableInvite(login: LoginRequest): [string, InviteEntry] {
    const token = login.token === undefined ? null : fromBase64Url(login.token);
    if (token === null) throw serverErrors('INVITE_NEEDED');
    const id = this.inviteId(token);
    const invite = this.#invites.get(id);
    if (invite === undefined) throw serverErrors('INVITE_UNKNOWN');
    if (invite.usedBy !== null) throw serverErrors('INVITE_USED');
    const expiry = expiryOf(invite, this.#options.time);
    if (expiry !== null && this.#options.time.isRight() && this.#options.time.now() > expiry) {
      throw serverErrors('INVITE_EXPIRED', { until: new Date(expiry).toISOString() });
    }
    return [id, invite];
  }

  #makeEntry(login: LoginRequest, ip4: string): NodeEntry {
    const { primitives, keys, time } = this.#options;
    const identityKey = fromBase64Url(login.node)!;
    const issued = time.now();
    const ip6 = virtualIp6(primitives, keys.networkBytes, identityKey);
    const unsigned = { v: 1, network: keys.network, id: login.node, ip4, ip6, issued } as const;
    const { node: id, name, wireguardKey, controlKey } = login;
    const assignment = signAssignment(primitives, keys.identitySeed, unsigned);
    return { v: 1, id, name, wireguardKey, controlKey, assignment, record: null, lastSeen: issued };
  }

  #refuseTakenName(name: string, id: string): void {
    const holder = this.#byName.get(name.toLowerCase());
    if (holder !== undefined && holder !== id) throw serverErrors('NAME_TAKEN', { name });
  }

  async #openNetwork(setUp: SetUp): Promise<void> {
    const { store, time } = this.#options;
    const found = await readNetwork(store);
    if (found !== null && setUp.pool4 !== undefined && setUp.pool4 !== found.pool4) {
      throw serverErrors('POOL_FIXED', { pool: found.pool4, wanted: setUp.pool4 });
    }
    this.#network = found ?? {
      v: 1,
      pool4: choosePool(setUp.pool4, setUp.localNetworks),
      networkName: setUp.networkName ?? 'home',
      setUpAt: time.now(),
    };
    if (setUp.networkName !== undefined) this.#network = { ...this.#network, networkName: setUp.networkName };
    if (this.#network !== found) await store.put('network', this.#network);
  }

  async #load(): Promise<void> {
    const { store, time, counters } = this.#options;
    const nodes = await nodeEntries(store);
    this.#invites = await inviteEntries(store);
    this.#pool = new AddressPool(this.#network.pool4);
    for (const map of [this.#nodes, this.#byAddress, this.#byWireguardKey, this.#byName]) map.clear();
    for (const entry of nodes) {
      if (!this.#pool.claim(entry.assignment.ip4)) counters.counter('leases.conflicting').value++;
      this.#remember(entry);
      time.note(entry.assignment.issued);
    }
    this.#stale = false;
  }

  #remember(entry: NodeEntry): void {
    this.#nodes.set(entry.id, entry);
    this.#byAddress.set(entry.assignment.ip4, entry.id).set(entry.assignment.ip6, entry.id);
    this.#byWireguardKey.set(entry.wireguardKey, entry.id);
    this.#byName.set(entry.name.toLowerCase(), entry.id);
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#changes.then(async () => {
      if (this.#stale) await this.#load();
      return work();
    });
    this.#changes = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  async #write(operations: readonly StoreOperation[]): Promise<void> {
    try {
      await this.#options.store.batch(operations);
    } catch (error) {
      this.#stale = true;
      throw error;
    }
  }
}
