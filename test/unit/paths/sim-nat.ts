// NATs of every kind in memory, after the behaviour of the kernel's own (RFC 4787's terms): for simulated time.
import type { Random } from '../../../base/random.ts';
import { formatEndpoint, type Endpoint } from '../../../protocol/address.ts';

export type NatKind = 'full' | 'arc' | 'prc' | 'prcnp' | 'naive' | 'sym' | 'seq' | 'adm' | 'firewall';

const UNREPLIED_MS = 30_000;
const STREAM_MS = 120_000;

interface Flow {
  readonly inner: Endpoint;
  readonly port: number;
  usedAt: number;
  replied: boolean;
}

export class SimNat {
  readonly kind: NatKind;
  readonly wan: string;
  /** Where its own uplink goes: a carrier's NAT; null: the internet. */
  readonly parent: SimNat | null;
  readonly #random: Random;
  /** Inner endpoint → outer port, where the mapping is endpoint-independent. */
  #mappings = new Map<string, number>();
  /** `inner>outer` and `port<outer`: one entry of conntrack, found from both sides. */
  #flows = new Map<string, Flow>();
  /** Entries that strangers' packets made (only where the router's input accepts): `port<outer`. */
  #strays = new Map<string, number>();
  #next = 20_000;

  constructor(kind: NatKind, wan: string, random: Random, parent: SimNat | null = null) {
    this.kind = kind;
    this.wan = wan;
    this.parent = parent;
    this.#random = random;
  }

  /** A power cut, or a flushed table. */
  flush(): void {
    this.#mappings = new Map();
    this.#flows = new Map();
    this.#strays = new Map();
  }

  out(inner: Endpoint, to: Endpoint, now: number): Endpoint {
    const key = `${formatEndpoint(inner)}>${formatEndpoint(to)}`;
    let flow = this.#flows.get(key);
    if (flow === undefined || this.#isDead(flow, now)) {
      const port = this.#pick(inner, to, now);
      flow = { inner, port, usedAt: now, replied: false };
      this.#flows.set(key, flow);
      this.#flows.set(`${port}<${formatEndpoint(to)}`, flow);
    }
    flow.usedAt = now;
    return this.kind === 'firewall' ? inner : { family: 4, address: this.wan, port: flow.port };
  }

  /** The inner endpoint that a packet from outside is for; null: dropped. */
  in(port: number, from: Endpoint, now: number): Endpoint | null {
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
        return this.#next++;
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
