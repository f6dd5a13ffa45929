// One stay in the network, from `up` to `down`: starts the parts in order, and takes everything away again.
import type { Socket } from 'node:net';
import type { Timer } from '../../base/clock.ts';
import { parseIp } from '../../protocol/ip/address.ts';
import { rulesWith } from '../../protocol/ip/classify.ts';
import type { PacketOffload } from '../../protocol/ip/offload.ts';
import type { AddressTable } from '../../protocol/ip/classify.ts';
import { formatPrefix, networkOf } from '../../protocol/ip/prefix.ts';
import type { ScopeRule } from '../../protocol/location/messages.ts';
import type { TunOffloads } from '../../system/doors.ts';
import type { ControlState } from '../control/types.ts';
import { Card, type Place } from './card.ts';
import { nodeErrors } from './errors.ts';
import { HomePlace } from './home.ts';
import { cpuLoad } from './load.ts';
import type { NodeOptions } from './options.ts';
import { joinParts } from './parts.ts';
import type { Belongings, Parts } from './parts.ts';
import { withFacts } from './network-words.ts';
import { registrationOf } from './registration.ts';
import { openTcpDoor, type TcpDoor } from './tcp-door.ts';
import { pluginContext, leftCard, noteLeftCard } from './stores.ts';
import { externalEndpoints, type NodeValues } from './settings.ts';

const REGISTER_EVERY_MS = 60_000;

export class Stay {
  /** In words, why the control side stands as it does. */
  controlReason = 'starting';
  readonly #options: NodeOptions;
  readonly #belongings: Belongings;
  /** V5: what counts as private and public, by the network's own rules. */
  #scopes: AddressTable = scopesOf([]);
  #rules: readonly ScopeRule[] = [];
  readonly #ready = outcome();
  /** Of peers that showed other keys than the known ones: what a person should read, by node id. */
  readonly #keyChanges = new Map<string, Error>();
  /** As they are now, where they can be taken over while it lasts. */
  #values: NodeValues;
  #tcpDoor: TcpDoor | null = null;
  /** Of ports that were wanted and not to be had. */
  readonly #portProblems: Error[] = [];
  #parts: Parts | null = null;
  #card: Card | null = null;
  #registering: Timer | null = null;
  /** What the server itself said last, should its signed word not have come by. */
  #refusedAs: 'removed' | 'disabled' | null = null;
  #unsubscribe = (): void => undefined;

  private constructor(options: NodeOptions, belongings: Belongings) {
    this.#options = options;
    this.#belongings = belongings;
    this.#values = belongings.values;
  }

  /**
   * Settles when the virtual card is there: at once for a member, after the first welcome for whoever joins, or joins anew
   * (a member whose server is away has its old place meanwhile); without a card, where the server registered this box and
   * has somebody approve it first. Rejects where a door does not open, or the server could not be reached or refused before
   * there ever was a card, or with the signal's reason where that is aborted first; nothing stays behind.
   */
  static async begin(options: NodeOptions, belongings: Belongings, signal: AbortSignal): Promise<Stay> {
    const stay = new Stay(options, belongings);
    try {
      await stay.#begin(signal);
      return stay;
    } catch (error) {
      await stay.end();
      throw error;
    }
  }

  /** Throws NODE_DOWN once it has ended: whoever still asks (a ping under way) hears that. */
  get parts(): Parts {
    if (this.#parts === null) throw nodeErrors('NODE_DOWN');
    return this.#parts;
  }

  /** The virtual card's name; empty while there is none. */
  get card(): string {
    return this.#card?.name ?? '';
  }

  /** Null while there is none. */
  get cardOffloads(): TunOffloads | null {
    return this.#card?.offloads ?? null;
  }

  /** Why there is no card though there should be one. */
  get cardProblem(): Error | null {
    return this.#card?.problem ?? null;
  }

  /** The server's word that this very box is out of the network, by whomever it came; null: it is in. */
  get out(): 'removed' | 'disabled' | null {
    const assignment = this.#belongings.membership.current?.assignment ?? null;
    const kept = assignment === null ? null : this.parts.standings.keepsOut(assignment);
    return kept ?? this.#refusedAs;
  }

  get self(): { readonly id: string; readonly name: string } {
    const { identity, membership } = this.#belongings;
    return { id: identity.id, name: membership.current?.name ?? '' };
  }

  get addresses(): { readonly ip4: string; readonly ip6: string } {
    const { ip4 = '', ip6 = '' } = this.#card?.place?.assignment ?? {};
    return { ip4, ip6 };
  }

  get portProblems(): readonly Error[] {
    return this.#portProblems;
  }

  get tcpPorts(): readonly number[] {
    return this.#tcpDoor?.ports ?? [];
  }

  get keyChanges(): readonly Error[] {
    return [...this.#keyChanges.values()];
  }

  /** An echo by way of the data plane; `ms` null: no reply. */
  async echo(destination: string, timeoutMs: number): Promise<{ readonly ms: number | null }> {
    const to = parseIp(destination);
    const { ip4, ip6 } = this.addresses;
    const from = parseIp(destination.includes(':') ? ip6 : ip4);
    if (!to.ok || !from.ok) return { ms: null };
    return this.parts.echoer.send(from.value.bytes, to.value.bytes, timeoutMs);
  }

  /** What can be taken over while it lasts. */
  reconfigure(values: NodeValues): void {
    const isOther = values.upgrade !== this.#values.upgrade;
    this.#values = values;
    if (isOther) this.#parts?.paths.upgradesChanged();
    this.#parts?.paths.setConfigured(externalEndpoints(values));
  }

  /**
   * What sends stops before what it sends through; idempotent, never rejects. `leavesCard`: for a process that comes at once,
   * where the door can do so.
   */
  async end(leavesCard = false): Promise<void> {
    const parts = this.#parts;
    this.#registering?.cancel();
    if (!leavesCard || this.#card?.leave() !== true) this.#card?.close();
    if (parts === null) return;
    this.#parts = null;
    const { membership } = this.#belongings;
    await this.#each([
      () => parts.echoer.close(),
      () => parts.introductions.close(),
      () => parts.hearsay.close(),
      // At once, before anything is waited for: no word of the server comes in any more.
      () => parts.control.stop(),
      () => this.#unsubscribe(),
      () => parts.plugins.rest(),
      () => parts.paths.stop(),
      () => parts.streams.close(),
      () => this.#tcpDoor?.close(),
      () => parts.engine.close(),
      () => parts.transport.close(),
      () => parts.network.close(),
      () => parts.book.flush(),
      () => membership.flush(),
    ]);
  }

  /** One that fails does not keep the others open. */
  async #each(steps: readonly (() => void | Promise<void>)[]): Promise<void> {
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        this.#options.counters.counter('node.end.failed').value++;
        this.#options.log.error('a part did not end cleanly', { reason: String(error) });
      }
    }
  }

  // ---- beginning

  async #begin(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    const parts = await joinParts(this.#options, this.#belongings, {
      deliver: (bytes, offset, length, offload) => this.#deliver(bytes, offset, length, offload),
      superPackets: () => this.#card?.superPackets ?? null,
      localNetworks: () => this.#localNetworks(),
      keyChanged: ({ node }, problem) => void this.#keyChanges.set(node.record.id, problem),
      rulesTold: rules => this.#rulesTold(rules),
      upgrades: () => this.#values.upgrade,
      selfChanged: () => this.#register(),
      controlChanged: (state, reason) => this.#controlChanged(state, reason),
      welcomed: ({ assignment, prefix4, prefix6 }) => this.#settle({ assignment, prefix4, prefix6 }),
    });
    this.#parts = parts;
    const left = await leftCard(this.#options);
    this.#card = this.#newCard(parts, left);
    signal.throwIfAborted();
    signal.addEventListener('abort', () => this.#ready.reject(signal.reason), { once: true });
    const place = this.#formerPlace();
    if (place !== null && this.#belongings.joinsAnew !== true) this.#settle(place);
    else this.#tryCard(parts);
    if (this.cardProblem !== null) throw this.cardProblem;
    // Without a place in the network the card that was left is taken later: until then it must not be forgotten.
    if (left !== '' && this.card !== '') await noteLeftCard(this.#options, '');
    parts.network.onChange(() => parts.control.kick());
    await this.#openTcpDoor(parts);
    signal.throwIfAborted();
    parts.paths.start();
    this.#pluginsChanged(parts);
    parts.introductions.everyoneKnown();
    this.#unsubscribe = parts.plugins.onChange(() => this.#pluginsChanged(parts));
    const home = new HomePlace({
      ...{ network: parts.network, udpPort: parts.udpPort, server: this.#options.serverPorts ?? null },
      tcpPorts: () => this.tcpPorts,
    });
    parts.plugins
      .start(key =>
        pluginContext(this.#options, key, {
          stun: parts.paths.stun,
          streams: parts.streams,
          network: parts.words,
          home,
          signals: parts.signals,
          links: parts.paths.links,
        }),
      )
      .catch((error: unknown) => log.error('plugins could not be looked for', { reason: String(error) }));
    parts.control.start();
    this.#registerRegularly();
    await this.#ready.promise;
  }

  #pluginsChanged({ plugins, paths }: Parts): void {
    paths.setTraversal(plugins.traversal());
    paths.setConnections(plugins.transports(), this.#tcpDoor?.ports ?? []);
  }

  async #openTcpDoor(parts: Parts): Promise<void> {
    const { tcp, log } = this.#options;
    const { values } = this.#belongings;
    const take = (socket: Socket): void => parts.streams.accept(socket);
    const door = await openTcpDoor(tcp, values, take, log, error => void this.#portProblems.push(error));
    if (this.#parts !== parts) await door.close();
    else this.#tcpDoor = door;
  }

  /** The place in the network by the last welcome. */
  #formerPlace(): Place | null {
    const { assignment, prefix4, prefix6 } = this.#belongings.membership.current ?? {};
    return assignment && prefix4 && prefix6 ? { assignment, prefix4, prefix6 } : null;
  }

  /** Before the log-in: an invite is not used up by a box that then could have no card. Throws NOT_ROOT, TUN_MISSING, … */
  #tryCard({ doors }: Parts): void {
    const { card: name, mtu } = this.#belongings.values;
    doors.openTun({ name, mtu, addresses: [], routes: [] }).close();
  }

  #newCard({ doors, engine }: Parts, left: string): Card {
    const { clock, counters, log } = this.#options;
    const { card: name, mtu } = this.#belongings.values;
    return new Card({
      ...{ name, mtu, left, clock, counters, log },
      open: options => doors.openTun(options),
      onPacket: (bytes, offset, length, offload) => engine.outbound(bytes, offset, length, offload),
      onTurnEnded: () => engine.flush(),
    });
  }

  /** Takes the place in the network: the card with its addresses (V1), the routes into it and no others (V2). */
  #settle(place: Place): void {
    if (this.#parts === null) return;
    const { engine, paths, streams } = this.#parts;
    streams.setAddress(place.assignment.ip6);
    const overlay = [place.prefix4, place.prefix6];
    engine.setOverlay(overlay);
    paths.setOverlay(overlay);
    try {
      this.#card?.take(place);
      this.#ready.resolve();
    } catch (error) {
      this.#ready.reject(error);
    }
  }

  // ---- while it lasts

  #deliver(bytes: Uint8Array, offset: number, length: number, offload: PacketOffload): void {
    if (this.#parts?.echoer.takes(bytes, offset, length) === true) return;
    const result = this.#card?.write(bytes, offset, length, offload) ?? 'closed';
    if (result !== 'sent') this.#options.counters.counter(`node.card.${result}`).value++;
  }

  #controlChanged(state: ControlState, reason: string): void {
    this.controlReason = reason;
    const problem = this.#parts?.control.problem;
    if (state !== 'away') this.#refusedAs = outBy(problem?.code);
    if (this.card !== '') return;
    if (state === 'waiting') this.#registered(problem?.code);
    if (state === 'away') this.#settleMeanwhile();
    // After that it is too late where the card was opened.
    if (problem && (state === 'away' || state === 'refused')) this.#ready.reject(problem);
  }

  /** Nothing left to do here: it takes its place as soon as somebody approves. What let it in is spent, and an old place void. */
  #registered(code: string | undefined): void {
    if (code === 'PENDING_APPROVAL')
      this.#belongings.membership.update({ token: null, assignment: null, prefix4: null, prefix6: null });
    this.#ready.resolve();
  }

  /** Whoever was a member is one until the server says otherwise. */
  #settleMeanwhile(): void {
    const place = this.#formerPlace();
    if (place !== null && this.out === null) this.#settle(place);
  }

  /** Networks that this box sits on, so that the server can tell a clash with the overlay. */
  #localNetworks(): string[] {
    const networks = this.parts.network.addresses().filter(({ name }) => name !== this.card && name !== 'lo');
    return networks.flatMap(({ address, prefixLength }) => {
      const ip = parseIp(address);
      return ip.ok ? [formatPrefix(networkOf(ip.value, prefixLength))] : [];
    });
  }

  #rulesTold(rules: readonly ScopeRule[]): void {
    if (JSON.stringify(rules) === JSON.stringify(this.#rules)) return;
    this.#rules = rules;
    this.#scopes = scopesOf(rules);
    this.#register();
  }

  #registerRegularly(): void {
    this.#registering = this.#options.clock.after(REGISTER_EVERY_MS, () => {
      this.#register();
      this.#registerRegularly();
    });
  }

  #register(): void {
    if (this.#parts === null) return;
    const { control, paths, words } = this.#parts;
    const registration = registrationOf({
      candidates: paths.candidates,
      nat: paths.natReport,
      cpuLoad: cpuLoad(),
      scopes: this.#scopes,
      tcpPorts: this.tcpPorts,
    });
    control.register(withFacts(registration, words.facts));
  }
}

const outBy = (code: string | undefined): 'removed' | 'disabled' | null =>
  code === 'NODE_REMOVED' ? 'removed' : code === 'NODE_DISABLED' ? 'disabled' : null;

function scopesOf(rules: readonly ScopeRule[]): AddressTable {
  const scopes = rulesWith(rules);
  if (!scopes.ok) throw new TypeError(scopes.code);
  return scopes.value;
}

interface Outcome {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

function outcome(): Outcome {
  let resolve: Outcome['resolve'] = () => undefined;
  let reject: Outcome['reject'] = () => undefined;
  const promise = new Promise<void>((settle, refuse) => {
    resolve = settle;
    reject = refuse;
  });
  // Whoever waits for it may fail of something else before: then nobody is left to hear of this.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
