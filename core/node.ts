// A node, built from one options object: brought up and down, asked and told through `NodeAdmin`. No globals.
import { hostname } from 'node:os';
import { decodeInvite } from '../protocol/location/invite.ts';
import type { NetcheckReport, NodeAdmin, NodeStatus, PingEvent, PingOptions, UpOptions } from './admin.ts';
import { openIdentity, type NodeIdentity } from './control/identity.ts';
import { joinByInvite, MembershipFile, type Membership } from './control/membership.ts';
import { nodeErrors } from './node/errors.ts';
import { conclusions } from './node/netcheck.ts';
import { NAME, type NodeOptions } from './node/options.ts';
import { pingPeer } from './node/ping-peer.ts';
import { statusOf } from './node/status.ts';
import { Stay } from './node/stay.ts';

export type Node = NodeAdmin & { close(): Promise<void> };

export function createNode(options: NodeOptions): Node {
  return new GinnelNode(options);
}

class GinnelNode implements Node {
  readonly #options: NodeOptions;
  readonly #kept: { identity?: NodeIdentity; membership?: MembershipFile } = {};
  #stay: Stay | null = null;
  #isStarting = false;

  constructor(options: NodeOptions) {
    this.#options = options;
  }

  status(): NodeStatus {
    const state = this.#isStarting ? 'starting' : this.#stay === null ? 'down' : 'up';
    return statusOf(state, this.#kept, this.#stay, this.#options.clock.monotonicMs());
  }

  /** Callers see to it that calls follow one another. */
  async up(wishes: UpOptions): Promise<NodeStatus> {
    this.#isStarting = true;
    try {
      await this.#leave();
      this.#stay = await this.#begin(wishes);
    } finally {
      this.#isStarting = false;
    }
    return this.status();
  }

  async down(): Promise<void> {
    await this.#leave();
  }

  async close(): Promise<void> {
    await this.#leave();
  }

  ping(options: PingOptions, signal: AbortSignal): AsyncIterable<PingEvent> {
    return pingPeer(this.#up(), this.#options.clock, options, signal);
  }

  async netcheck(signal: AbortSignal): Promise<NetcheckReport> {
    const { plugins, paths } = this.#up().parts;
    await Promise.all(plugins.traversal().map(plugin => plugin.refresh('full', signal)));
    const nat = paths.natReport;
    return { nat, conclusions: conclusions(nat) };
  }

  why(peer: string): readonly string[] {
    const { parts } = this.#up();
    const known = parts.book.find(peer);
    if (known === null) throw nodeErrors('PEER_UNKNOWN', { peer });
    return parts.paths.why(known.node.record.wireguardKey);
  }

  counters(): Record<string, number> {
    return this.#options.counters.snapshot();
  }

  #up(): Stay {
    if (this.#stay === null) throw nodeErrors('NODE_DOWN');
    return this.#stay;
  }

  async #leave(): Promise<void> {
    const stay = this.#stay;
    this.#stay = null;
    await stay?.end();
  }

  /** An invite that leads nowhere leaves the membership as it was. */
  async #begin(wishes: UpOptions): Promise<Stay> {
    const membership = await this.#membership();
    const before = membership.current;
    const identity = await this.#identity(before !== null);
    await membership.replace(joined(wishes, before));
    try {
      return await Stay.begin(this.#options, { identity, membership });
    } catch (error) {
      if (wishes.invite !== undefined) await membership.replace(before);
      throw error;
    }
  }

  async #membership(): Promise<MembershipFile> {
    const { folder, log, counters } = this.#options;
    return (this.#kept.membership ??= await MembershipFile.open({ folder, log, counters }));
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

/** The membership to go by: the present one, or what the invite makes of it, with the owner's wishes. */
function joined({ invite, name, udpPort }: UpOptions, before: Membership | null): Membership {
  if (name !== undefined && !NAME.test(name)) throw nodeErrors('NAME_WRONG', { name });
  const wanted = { name: name ?? before?.name ?? ownName(), udpPort: udpPort ?? before?.udpPort ?? 0 };
  if (invite === undefined) {
    if (before === null) throw nodeErrors('INVITE_NEEDED');
    return { ...before, ...wanted };
  }
  const decoded = decodeInvite(invite);
  if (!decoded.ok) throw nodeErrors('INVITE_UNREADABLE', { reason: decoded.code });
  return joinByInvite(decoded.value, wanted, before);
}

/** The machine's own name, made fit to be one here. */
function ownName(): string {
  const fit = (hostname().split('.')[0] ?? '')
    .replaceAll(/[^A-Za-z0-9-]/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
  return fit === '' ? 'box' : fit;
}
