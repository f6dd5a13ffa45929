// NATs of every kind in memory, after the behaviour of the kernel's own (RFC 4787's terms): for simulated time.
import type { Random } from '../../../base/random.ts';
import { formatEndpoint, type Endpoint } from '../../../protocol/address.ts';

export type NatKind = 'full' | 'arc' | 'prc' | 'prcnp' | 'naive' | 'sym' | 'seq' | 'adm' | 'firewall';

const UNREPLIED_MS = 30_000;
const STREAM_MS = 120_000;

/** How such a NAT differs from others of its kind. */
export interface NatHabits {
  /** Of `seq`: from one mapping to the next; negative: downwards. */
  readonly step?: number;
  /** Of `seq`: new mappings of others per second. */
  readonly foreign?: number;
  /** New flows beyond so many are dropped. */
  readonly room?: number;
}

interface Flow {
  readonly inner: Endpoint;
  readonly port: number;
  usedAt: number;
  replied: boolean;
}

export class SimNat {
  readonly kind: NatKind;
  wan: string;
  /** Where its own uplink goes: a carrier's NAT; null: the internet. */
  readonly parent: SimNat | null;
  readonly #random: Random;
  /** Inner endpoint → outer port, where the mapping is endpoint-independent. */
  #mappings = new Map<string, number>();
  /** `inner>outer` and `port<outer`: one entry of conntrack, found from both sides. */
  #flows = new Map<string, Flow>();
  /** Entries that strangers' packets made (only where the router's input accepts): `port<outer`. */
  #strays = new Map<string, number>();
  readonly #habits: NatHabits;
  /** New flows beyond so many are dropped. */
  room: number;
  /** What only it knows gets in no more: its peers guess in vain. */
  isDeaf = false;
  #next = 20_000;
  #foreignAt = 0;
  /** The most flows that lived at a time. */
  mostFlows = 0;
  /** New flows that found no room. */
  refused = 0;

  constructor(
    kind: NatKind,
    wan: string,
    random: Random,
    parent: SimNat | null = null,
    habits: NatHabits = {},
  ) {
    this.kind = kind;
    this.wan = wan;
    this.parent = parent;
    this.#random = random;
    this.#habits = habits;
    this.room = habits.room ?? Infinity;
  }

  /** Flows that live now. */
  flows(now: number): number {
    for (const [key, flow] of this.#flows) if (this.#isDead(flow, now)) this.#flows.delete(key);
    return this.#flows.size / 2;
  }

  /** Its line got another address. */
  moveTo(wan: string): void {
    this.flush();
    this.wan = wan;
  }

  /** A power cut, or a flushed table. */
  flush(): void {
    this.#mappings = new Map();
    this.#flows = new Map();
    this.#strays = new Map();
  }

  /** Null: there is no room for it. */
  out(inner: Endpoint, to: Endpoint, now: number): Endpoint | null {
    const key = `${formatEndpoint(inner)}>${formatEndpoint(to)}`;
    let flow = this.#flows.get(key);
    if (flow === undefined || this.#isDead(flow, now)) {
      if (this.#isFull(now)) return null;
      const port = this.#pick(inner, to, now);
      flow = { inner, port, usedAt: now, replied: false };
      this.#flows.set(key, flow);
      this.#flows.set(`${port}<${formatEndpoint(to)}`, flow);
    }
    flow.usedAt = now;
    return this.kind === 'firewall' ? inner : { family: 4, address: this.wan, port: flow.port };
  }

  #isFull(now: number): boolean {
    const { room } = this;
    const most = Math.min(room, this.mostFlows);
    const flows = this.#flows.size / 2 < most ? this.#flows.size / 2 : this.flows(now);
    if (flows >= room) this.refused++;
    else this.mostFlows = Math.max(this.mostFlows, flows + 1);
    return flows >= room;
  }

  #counted(now: number): number {
    const { step = 1, foreign = 0 } = this.#habits;
    for (; foreign > 0 && this.#foreignAt < now; this.#foreignAt += this.#pause(foreign)) this.#next += step;
    this.#next += step;
    return this.#next;
  }

  #pause(perSecond: number): number {
    return (-Math.log(1 - this.#random.below(1_000_000) / 1_000_000) * 1_000) / perSecond;
  }

  /** The inner endpoint that a packet from outside is for; null: dropped. */
  in(port: number, from: Endpoint, now: number): Endpoint | null {
    if (this.isDeaf && !from.address.startsWith('203.0.113.')) return null;
    const flow = this.#flows.get(`${port}<${formatEndpoint(from)}`);
    if (flow !== undefined && !this.#isDead(flow, now)) {
      flow.usedAt = now;
      flow.replied = true;
      return flow.inner;
    }
    const open = this.#openFor(port, from, now);
    if (open === null && this.kind === 'naive') this.#strays.set(`${port}<${formatEndpoint(from)}`, now);
    return open;
  }

  #openFor(port: number, from: Endpoint, now: number): Endpoint | null {
    if (this.kind !== 'full' && this.kind !== 'arc') return null;
    for (const [key, flow] of this.#flows) {
      if (flow.port !== port || this.#isDead(flow, now)) continue;
      if (this.kind === 'full' || key.startsWith(`${port}<${from.address}:`)) return flow.inner;
    }
    return null;
  }

  #isDead(flow: Flow, now: number): boolean {
    return now - flow.usedAt > (flow.replied ? STREAM_MS : UNREPLIED_MS);
  }

  #pick(inner: Endpoint, to: Endpoint, now: number): number {
    switch (this.kind) {
      case 'firewall':
        return inner.port;
      case 'sym':
        return 30_000 + this.#random.below(30_000);
      case 'seq':
        return this.#counted(now);
      case 'adm':
        return this.#mapped(
          `${formatEndpoint(inner)} ${to.address}`,
          () => 20_000 + this.#random.below(2048),
        );
      case 'prcnp':
        return this.#mapped(formatEndpoint(inner), () => 10_000 + this.#random.below(20_000));
      default: {
        const port = this.#mapped(formatEndpoint(inner), () => inner.port);
        const strayAt = this.#strays.get(`${port}<${formatEndpoint(to)}`) ?? -Infinity;
        return now - strayAt < UNREPLIED_MS ? 40_000 + this.#random.below(20_000) : port;
      }
    }
  }

  #mapped(key: string, make: () => number): number {
    const port = this.#mappings.get(key) ?? make();
    this.#mappings.set(key, port);
    return port;
  }
}
