// Who is in the network: nodes with their addresses (V1, V3). One change at a time, each written as a whole before anybody
// is told, so that nothing lets two in and no address is given twice. What lets a new one in stands in files of its own.
import type { Clock } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import { GinnelError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { ScopedStore } from '../base/store.ts';
import { fromBase64Url } from '../protocol/base64.ts';
import { networkPrefix6, virtualIp6 } from '../protocol/location/addresses.ts';
import type { LoginRequest, NodeRecord } from '../protocol/location/messages.ts';
import { signAssignment } from '../protocol/location/signed.ts';
import type { Primitives } from '../protocol/primitives.ts';
import { Accounts } from './accounts.ts';
import { Audit } from './audit.ts';
import type { AuditedChange } from './audit.ts';
import { Certificates } from './certificates.ts';
import { Changes } from './changes.ts';
import { serverErrors } from './errors.ts';
import { Invites } from './invites.ts';
import type { ServerKeys } from './keys.ts';
import { openNetwork } from './network.ts';
import type { SetUp } from './network.ts';
import { NodeTable } from './node-table.ts';
import { OwnAuthority } from './own-authority.ts';
import { PasswordChecks } from './password-checks.ts';
import { refuseClash } from './pool.ts';
import { Standings } from './standings.ts';
import type { StandingEntry } from './standings.ts';
import { Members } from './members.ts';
import { Rules } from './rules.ts';
import { Stamps } from './stamps.ts';
import { judgeRecord } from './record-rules.ts';
import { isMember, nodeEntries, standingOf } from './registry-entries.ts';
import type { NetworkEntry, NodeEntry } from './registry-entries.ts';
import type { Ticket } from './ticket.ts';
import type { ServerTime } from './time.ts';

export interface RegistryOptions {
  /** Seen under the network's own prefix. */
  readonly store: ScopedStore;
  readonly primitives: Primitives;
  readonly keys: ServerKeys;
  readonly time: ServerTime;
  readonly clock: Clock;
  /** For the key of the network's own certificate authority. */
  readonly stateDir: string;
  readonly counters: Counters;
  readonly log: Log;
}

export class Registry {
  readonly accounts: Accounts;
  readonly certificates: Certificates;
  readonly audit: Audit;
  readonly invites: Invites;
  readonly members: Members;
  readonly rules: Rules;
  readonly standings: Standings;
  readonly #stamps = new Stamps();
  readonly #options: RegistryOptions;
  readonly #network: NetworkEntry;
  readonly #changes: Changes;
  #table: NodeTable;

  private constructor(options: RegistryOptions, network: NetworkEntry, audit: Audit) {
    this.#options = options;
    this.audit = audit;
    this.standings = new Standings(options);
    this.#network = network;
    this.#changes = new Changes(audit, () => this.#load());
    this.#table = new NodeTable(network.pool4, [], options.counters);
    const shared = { ...options, changes: this.#changes, nodes: () => this.#table.all.values() };
    this.invites = new Invites(shared);
    this.accounts = new Accounts({ ...shared, checks: new PasswordChecks(options) });
    const own = new OwnAuthority(options);
    this.certificates = new Certificates({ ...shared, own, networkName: () => this.networkName });
    this.rules = new Rules(options.store, this.#changes);
    this.members = new Members({
      ...{ changes: this.#changes, standings: this.standings, stamps: this.#stamps, time: options.time },
      table: () => this.#table,
      openInvites: () => this.invites.list().flatMap(({ id, state }) => (state === 'open' ? id : [])),
    });
  }

  /** Reads what is stored; makes the network at the first set-up. Errors: POOL_*, and the store's. */
  static async open(options: RegistryOptions, setUp: SetUp): Promise<Registry> {
    const network = await openNetwork(options.store, options.time, setUp);
    const registry = new Registry(options, network, await Audit.open(options));
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
    return this.#table.all;
  }

  byAddress(address: string): NodeEntry | undefined {
    return this.#table.byAddress(address);
  }

  byName(name: string): NodeEntry | undefined {
    return this.#table.byName(name);
  }

  byWireguardKey(key: string): NodeEntry | undefined {
    return this.#table.byWireguardKey(key);
  }

  /**
   * A node whose log-in proof holds: known, or let in by what it brings (`ticket`, asked for in this very turn). Errors:
   * KEY_CHANGED, NAME_TAKEN, POOL_CLASH, POOL_EXHAUSTED, the ticket's and the store's.
   */
  admit(login: LoginRequest, ticket: () => Ticket): Promise<NodeEntry> {
    return this.#changes.run(async () => {
      const known = this.#table.get(login.node);
      if (known === undefined) return this.#letIn(login, this.#ticket(login.node, ticket));
      const sameKeys = known.wireguardKey === login.wireguardKey && known.controlKey === login.controlKey;
      if (!sameKeys) throw serverErrors('KEY_CHANGED');
      return known;
    });
  }

  /** By name (in any case), number or virtual address. */
  find(text: string): NodeEntry | undefined {
    return this.#table.byName(text) ?? this.#table.get(text) ?? this.#table.byAddress(text);
  }

  /** Errors: RECORD_WRONG, RECORD_OLD, PREFIX_CLASH, NAME_TAKEN, and the store's. False: it was known already. */
  publish(id: string, record: NodeRecord): Promise<boolean> {
    return this.#changes.run(async () => {
      const entry = this.#table.get(id);
      if (entry === undefined) throw serverErrors('NODE_UNKNOWN');
      const { primitives } = this.#options;
      const fresh = judgeRecord(primitives, entry, record, [this.pool4, this.prefix6]);
      if (!fresh) return false;
      this.#table.refuseTakenName(record.name, id);
      const wantedName = record.name === entry.wantedName ? null : (entry.wantedName ?? null);
      await this.#keep({ ...entry, name: record.name, wantedName, record });
      return true;
    });
  }

  /** In memory only: presence stays off the disk until `keepLastSeen`. */
  seen(id: string): void {
    const entry = this.#table.get(id);
    if (entry !== undefined) this.#table.put({ ...entry, lastSeen: this.#options.time.now() });
  }

  /** At a clean stop. */
  keepLastSeen(ids: readonly string[]): Promise<void> {
    return this.#changes.run(async () => {
      const entries = ids.flatMap(id => this.#table.get(id) ?? []);
      if (entries.length === 0) return;
      await this.#changes.write(entries.map(value => ({ type: 'put', key: `node/${value.id}`, value })));
    });
  }

  /** Forgets what is long over. */
  async tidy(): Promise<void> {
    await this.invites.tidy();
    await this.certificates.tidy();
  }

  /** Whoever was removed and comes without anything new hears that, not that it lacks an invite. */
  #ticket(node: string, ticket: () => Ticket): Ticket {
    try {
      return this.#unlessRemovedBy(node, ticket());
    } catch (error) {
      const isBare = error instanceof GinnelError && error.code === 'INVITE_NEEDED';
      const isRemoved = this.standings.of(node)?.state === 'removed';
      throw isBare && isRemoved ? serverErrors('NODE_REMOVED') : error;
    }
  }

  /** Nor does a removed box come back under another key: its certificate was used, and by the rest one is approved first. */
  #unlessRemovedBy(node: string, ticket: Ticket): Ticket {
    const before = this.standings.cameBy(ticket.admission, node);
    const [first] = before;
    if (ticket.admission.by === 'certificate' && first !== undefined)
      throw serverErrors('CERTIFICATE_USED', { name: first.name });
    // Who was approved since is not held against others.
    const isOut = ({ standing }: StandingEntry): boolean => {
      const now = this.#table.get(standing.id);
      return now === undefined || !isMember(now);
    };
    return { ...ticket, needsApproval: ticket.needsApproval || before.some(isOut) };
  }

  /**
   * What a removed box still has from before (an account, a certificate, an old invite) does not bring it back unseen; nor
   * does anything let in one that is disabled and that this server lost: it is kept out by all others until approved.
   */
  #standingBy(node: string, { needsApproval, admission }: Ticket): Pick<NodeEntry, 'standing' | 'admission'> {
    const before = this.standings.entryOf(node);
    const isFresh =
      before === null ||
      (before.standing.state !== 'disabled' &&
        admission.by === 'invite' &&
        !before.invites.includes(admission.invite));
    return { standing: needsApproval || !isFresh ? 'pending' : 'member', admission };
  }

  async #letIn(login: LoginRequest, ticket: Ticket): Promise<NodeEntry> {
    const { time, counters } = this.#options;
    const table = this.#table;
    refuseClash(this.pool4, login.localNetworks);
    table.refuseTakenName(login.name, login.node);
    if (table.byWireguardKey(login.wireguardKey) !== undefined) throw serverErrors('KEY_CHANGED');
    const ip4 = table.pool.take();
    try {
      const entry = { ...this.#makeEntry(login, ip4), ...this.#standingBy(login.node, ticket) };
      const { issued } = entry.assignment;
      const used = ticket.use(entry.id, issued);
      await this.#changes.write(
        [{ type: 'put', key: `node/${entry.id}`, value: entry }, ...used],
        ticket.told(entry.name),
        standingOf(entry) === 'pending'
          ? { what: 'node-waiting', by: entry.name, subject: entry.name }
          : { what: 'node-joined', by: entry.name, subject: entry.name, facts: { address: ip4 } },
      );
      ticket.used();
      table.put(entry);
      time.note(time.now());
      counters.counter('nodes.registered').value++;
      return entry;
    } catch (error) {
      table.pool.release(ip4);
      throw error;
    }
  }

  #makeEntry(login: LoginRequest, ip4: string): NodeEntry {
    const { primitives, keys, time } = this.#options;
    const identityKey = fromBase64Url(login.node)!;
    // Later than any removal of the same node, whatever the clock says.
    const issued = this.#stamps.next(time.now());
    const ip6 = virtualIp6(primitives, keys.networkBytes, identityKey);
    const unsigned = { v: 1, network: keys.network, id: login.node, ip4, ip6, issued } as const;
    const { node: id, name, wireguardKey, controlKey } = login;
    const assignment = signAssignment(primitives, keys.identitySeed, unsigned);
    return { v: 1, id, name, wireguardKey, controlKey, assignment, record: null, lastSeen: issued };
  }

  /** From within a change. */
  async #keep(entry: NodeEntry, ...told: readonly AuditedChange[]): Promise<void> {
    await this.#changes.write([{ type: 'put', key: `node/${entry.id}`, value: entry }], ...told);
    this.#table.put(entry);
  }

  async #load(): Promise<void> {
    const { store, time, counters } = this.#options;
    const nodes = await nodeEntries(store);
    for (const way of [this.invites, this.accounts, this.certificates]) await way.load();
    await this.standings.load();
    await this.rules.load();
    this.#table = new NodeTable(this.#network.pool4, nodes, counters);
    for (const { assignment } of nodes) {
      time.note(assignment.issued);
      this.#stamps.note(assignment.issued);
    }
    for (const { standing, ip4 } of this.standings.entries) {
      this.#stamps.note(standing.at);
      if (ip4 !== null && this.#table.byAddress(ip4) === undefined) this.#table.pool.rest(ip4);
    }
  }
}
