// A node, built from one options object: brought up and down, asked and told through `NodeAdmin`. No globals.
import { hostname } from 'node:os';
import type { SettingShown, SettingsChange } from '../base/settings.ts';
import { decodeInvite } from '../protocol/location/invite.ts';
import type { Enrolled, ServerPlaces } from '../protocol/location/messages.ts';
import type {
  NetcheckReport,
  NodeAdmin,
  NodeRelays,
  NodeStatus,
  PeerWhy,
  PingEvent,
  PingOptions,
  UpOptions,
} from './admin.ts';
import { NOTHING_CHECKED, type NatReport } from './contract/nat-report.ts';
import { openIdentity, type NodeIdentity } from './control/identity.ts';
import { joinByInvite, MembershipFile, type Membership } from './control/membership.ts';
import { credentialOf } from './node/credential.ts';
import { nodeErrors } from './node/errors.ts';
import { conclusions, otherSide, summary } from './node/netcheck.ts';
import { NAME, type NodeOptions } from './node/options.ts';
import type { Belongings, Parts } from './node/parts.ts';
import { pingPeer } from './node/ping-peer.ts';
import { bindToMembership } from './node/settings.ts';
import { statusOf, strangerReason } from './node/status.ts';
import { Stay } from './node/stay.ts';
import { noteLeftCard, pluginChoices } from './node/stores.ts';
import { says } from './paths/sayings.ts';
import { createPluginHost, type PluginHost } from './plugin-host/host.ts';

export interface Node extends NodeAdmin {
  /** What stands between this box and the world, as far as it was measured: a part of `status`, for less. */
  readonly nat: NatReport;
  /** The location server of the same box said where it is: believed by its signature, as from anybody. */
  hearPlaces(places: ServerPlaces): void;
  /** `leavesCard`: the virtual card stays, with what is connected over it, for the process that comes at once. */
  close(options?: { readonly leavesCard?: boolean }): Promise<void>;
  /** An error that nobody caught: was it a plugin's? Then that plugin is stopped, and the node lives on. */
  takesBlame(error: unknown): boolean;
}

export function createNode(options: NodeOptions): Node {
  return new GinnelNode(options);
}

class GinnelNode implements Node {
  readonly plugins: PluginHost;
  readonly #options: NodeOptions;
  readonly #kept: { identity?: NodeIdentity; membership?: MembershipFile } = {};
  #stay: Stay | null = null;
  /** The `up` under way: `down` breaks it off. */
  #starting: AbortController | null = null;
  #isClosed = false;
  #opening: Promise<MembershipFile> | null = null;
  /** `up` and `down` follow one another. */
  #turns: Promise<unknown> = Promise.resolve();

  constructor(options: NodeOptions) {
    this.#options = options;
    const { settings, store, pluginDirectories, clock, random, counters, log } = options;
    this.plugins = createPluginHost({
      ...{ clock, random, counters, directories: pluginDirectories },
      choices: pluginChoices(store),
      log: log.child('plugins'),
    });
    settings.onChange(() => this.#stay?.reconfigure(settings.values));
  }

  status(): NodeStatus {
    const state = this.#starting !== null ? 'starting' : this.#stay === null ? 'down' : 'up';
    return statusOf(
      state,
      { ...this.#kept, plugins: this.plugins },
      this.#stay,
      this.#options.clock.monotonicMs(),
      this.#options.without,
    );
  }

  async look(): Promise<void> {
    await this.#stay?.parts.roll.look();
  }

  get nat(): NatReport {
    return this.#stay?.parts.paths.natReport ?? NOTHING_CHECKED;
  }

  /** Rejects with what kept it from coming up; NODE_DOWN where `down` came meanwhile. A node that was up stays so. */
  up(wishes: UpOptions): Promise<NodeStatus> {
    return this.#turn(async () => {
      if (this.#isClosed) throw nodeErrors('NODE_DOWN');
      const starting = (this.#starting = new AbortController());
      try {
        await this.#goUp(wishes, starting.signal);
      } finally {
        this.#starting = null;
      }
      return this.status();
    });
  }

  down(): Promise<void> {
    this.#starting?.abort(nodeErrors('NODE_DOWN'));
    return this.#turn(() => this.#leave());
  }

  /** For good. */
  close({ leavesCard = false }: { readonly leavesCard?: boolean } = {}): Promise<void> {
    this.#isClosed = true;
    this.#starting?.abort(nodeErrors('NODE_DOWN'));
    return this.#turn(() => this.#leave(leavesCard));
  }

  ping(options: PingOptions, signal: AbortSignal): AsyncIterable<PingEvent> {
    return pingPeer(this.#up(), this.#options.clock, options, signal);
  }

  async netcheck(signal: AbortSignal): Promise<NetcheckReport> {
    const { plugins, paths } = this.#up().parts;
    await Promise.all(plugins.traversal().map(plugin => plugin.refresh('full', signal)));
    const said = this.#reachability();
    return {
      nat: paths.natReport,
      summary: said.summary.words,
      conclusions: said.conclusions.map(({ words }) => words),
      said,
    };
  }

  /** How others reach this box. */
  #reachability(): NetcheckReport['said'] {
    const { plugins, paths } = this.#up().parts;
    const nat = paths.natReport;
    const can = plugins.traversal().flatMap(({ puncher }) => puncher?.methods ?? []);
    const mapped = paths.candidates.find(
      ({ kind, transport, endpoint }) => kind === 'mapped' && transport === 'udp' && endpoint.family === 4,
    );
    return {
      summary: summary(nat, can, mapped !== undefined),
      conclusions: conclusions(nat, can, mapped?.endpoint),
    };
  }

  why(peer: string): PeerWhy {
    const { parts } = this.#up();
    const known = parts.book.find(peer);
    const own = this.#reachability();
    const here = [own.summary, ...own.conclusions];
    const why = known === null ? null : parts.paths.why(known.node.record.wireguardKey);
    if (why === null) return { ...strangerWhy(strangerOf(parts, peer), peer), here };
    return { ...why, here, there: why.there === null ? [] : otherSide(why.there) };
  }

  relays(): NodeRelays {
    return this.#up().parts.words.relays;
  }

  async settings(): Promise<readonly SettingShown[]> {
    await this.#membership();
    return this.#options.settings.settings();
  }

  /** In turn with `up` and `down`: they change the membership too, in which some settings lie. */
  changeSettings(change: SettingsChange): Promise<readonly SettingShown[]> {
    return this.#turn(async () => {
      await this.#membership();
      return this.#options.settings.changeSettings(change);
    });
  }

  takesBlame(error: unknown): boolean {
    return this.plugins.takesBlame(error);
  }

  hearPlaces(places: ServerPlaces): void {
    this.#stay?.parts.control.hearPlaces(places);
  }

  counters(): Record<string, number> {
    return this.#options.counters.snapshot();
  }

  #up(): Stay {
    if (this.#stay === null) throw nodeErrors('NODE_DOWN');
    return this.#stay;
  }

  #turn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turns.then(work);
    this.#turns = done.catch(() => undefined);
    return done;
  }

  async #leave(leavesCard = false): Promise<void> {
    const stay = this.#stay;
    this.#stay = null;
    const card = stay?.card ?? '';
    await stay?.end(leavesCard && card !== '' && (await this.#noteLeft(card)));
  }

  /** False: whoever comes would not know of the card, so it must not stay. */
  async #noteLeft(card: string): Promise<boolean> {
    try {
      await noteLeftCard(this.#options, card);
      return true;
    } catch (error) {
      this.#options.log.warn('the card goes with this process', { reason: String(error) });
      return false;
    }
  }

  /** Wishes that cannot be granted, and an invite that leads nowhere, leave things as they were. */
  async #goUp(wishes: UpOptions, signal: AbortSignal): Promise<void> {
    const membership = await this.#membership();
    joined(wishes, membership.current);
    const credential = credentialOf(wishes);
    const wasUp = this.#stay !== null;
    await this.#leave();
    const before = membership.current;
    const identity = await this.#identity(before !== null);
    try {
      const wanted = joined(wishes, before);
      await membership.replace(wanted);
      const joinsAnew = credential !== null || (wishes.invite !== undefined && wanted.token !== null);
      await this.#begin({ identity, membership, credential, joinsAnew, plugins: this.plugins }, signal);
    } catch (error) {
      await this.#putBack(membership, before);
      if (wasUp && !signal.aborted)
        await this.#resume({ identity, membership, plugins: this.plugins }, signal);
      throw error;
    }
  }

  async #putBack(membership: MembershipFile, before: Membership | null): Promise<void> {
    try {
      await membership.replace(asBefore(membership.current, before));
    } catch (error) {
      this.#options.log.error('the former membership could not be kept', { reason: String(error) });
    }
  }

  async #begin(own: Omit<Belongings, 'values'>, signal: AbortSignal): Promise<void> {
    const { settings } = this.#options;
    const { values } = settings;
    this.#stay = await Stay.begin(this.#options, { ...own, values }, signal);
    settings.started({ ...values, 'udp-port': this.#stay.parts.udpPort });
  }

  async #resume(belongings: Omit<Belongings, 'values'>, signal: AbortSignal): Promise<void> {
    try {
      await this.#begin(belongings, signal);
    } catch (error) {
      this.#options.log.warn('the node did not come back up', { reason: String(error) });
    }
  }

  #membership(): Promise<MembershipFile> {
    return (this.#opening ??= this.#openMembership().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    }));
  }

  async #openMembership(): Promise<MembershipFile> {
    const { folder, log, counters } = this.#options;
    const membership = await MembershipFile.open({ folder, log, counters });
    bindToMembership(this.#options.settings, membership, {
      published: async () => this.#stay?.parts.control.publish(),
      serverChosen: () => this.#stay?.parts.control.lookAgain(),
    });
    return (this.#kept.membership = membership);
  }

  async #identity(isJoined: boolean): Promise<NodeIdentity> {
    const { folder, primitives, log, counters } = this.#options;
    return (this.#kept.identity ??= await openIdentity({
      folder,
      primitives,
      log,
      counters,
      joined: isJoined,
    }));
  }
}

/** One whom the location server alone told of; null: none, or it is out. */
function strangerOf({ roll, standings }: Parts, peer: string): Enrolled | null {
  const member = roll.find(peer);
  return member === null || standings.keepsOut(member) !== null ? null : member;
}

/** Of one whom the location server alone told of. Error: PEER_UNKNOWN. */
function strangerWhy(member: Enrolled | null, peer: string): Omit<PeerWhy, 'here'> {
  if (member === null) throw nodeErrors('PEER_UNKNOWN', { peer });
  const reason = strangerReason(member);
  const [state, advice] = member.lastSeen === null ? ['idle', []] : ['offline', [says('advice.wake')]];
  const lines = [`${member.name} is ${state}: ${reason.words}`];
  return { lines, reason, advice, there: [], tries: [] };
}

/** The membership to go by: the present one, or what the invite makes of it, with the owner's wishes. */
function joined(wishes: UpOptions, before: Membership | null): Membership {
  const { name, udpPort, invite, network } = wishes;
  if (name !== undefined && !NAME.test(name)) throw nodeErrors('NAME_WRONG', { name });
  const wanted = { name: name ?? before?.name ?? ownName(), udpPort: udpPort ?? before?.udpPort ?? 0 };
  const hasCredential = wishes.account !== undefined || wishes.certificate !== undefined;
  const line = invite ?? network;
  if (line === undefined) {
    if (before === null) throw nodeErrors(hasCredential ? 'NETWORK_NEEDED' : 'INVITE_NEEDED');
    return { ...before, ...wanted };
  }
  const decoded = decodeInvite(line);
  if (!decoded.ok) throw nodeErrors('INVITE_UNREADABLE', { reason: decoded.code });
  if (decoded.value.token.length === 0 && !hasCredential && before === null) throw nodeErrors('INVITE_EMPTY');
  return joinByInvite(decoded.value, wanted, before);
}

/** After a failed try. What was learnt on the way is kept, so that a box that was let in need not be invited again. */
function asBefore(now: Membership | null, before: Membership | null): Membership | null {
  if (before === null) return now?.assignment == null ? null : now;
  if (now?.network !== before.network || now.serverIdentity !== before.serverIdentity) return before;
  const { name, udpPort, addresses, serverKey, token } = before;
  return { ...now, name, udpPort, addresses, serverKey, token };
}

/** The machine's own name, made fit to be one here. */
function ownName(): string {
  const fit = (hostname().split('.')[0] ?? '')
    .replaceAll(/[^A-Za-z0-9-]/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
  return fit === '' ? 'box' : fit;
}
