// Home NATs as pure code: what the lab's kernel rules do, for tests that need no kernel. A packet goes out and gets an
// outer endpoint; one that comes in finds an inner endpoint, or nothing.
import type { Random } from '../../../base/random.ts';
import { formatEndpoint, type Endpoint } from '../../../protocol/address.ts';

export type NatKind =
  'public' | 'full' | 'arc' | 'prc' | 'prcnp' | 'eimprcnp' | 'sym' | 'adm' | `seq${number}`;

export interface NatOptions {
  readonly kind: NatKind;
  readonly wan: string;
  readonly random: Random;
  readonly nowMs: () => number;
  /** Idle time after which a mapping is gone. */
  readonly timeoutMs?: number;
  readonly hairpin?: boolean;
}

interface Mapping {
  readonly key: string;
  readonly inner: Endpoint;
  readonly outer: Endpoint;
  /** Where it has sent to: addresses and endpoints. */
  readonly sentTo: Set<string>;
  usedAtMs: number;
}

export class NatModel {
  readonly #options: NatOptions;
  readonly #mappings = new Map<string, Mapping>();
  #next = 20_000;

  constructor(options: NatOptions) {
    this.#options = options;
  }

  get hairpins(): boolean {
    return this.#options.hairpin ?? false;
  }

  /** Foreign traffic behind the same NAT takes so many ports. */
  noise(mappings: number): void {
    for (let count = 0; count < mappings; count++) this.#next += this.#step();
  }

  /** Under which endpoint the packet leaves. */
  outbound(inner: Endpoint, to: Endpoint): Endpoint {
    if (this.#options.kind === 'public') return inner;
    const key = this.#key(inner, to);
    let mapping = this.#alive(key);
    if (mapping === null) {
      const outer = { ...inner, address: this.#options.wan, port: this.#port(inner, to) };
      mapping = { key, inner, outer, sentTo: new Set(), usedAtMs: 0 };
      this.#mappings.set(key, mapping);
    }
    mapping.usedAtMs = this.#options.nowMs();
    mapping.sentTo.add(to.address).add(formatEndpoint(to));
    return mapping.outer;
  }

  /** Whom a packet reaches that came from `from` to the outer endpoint; null: dropped. */
  inbound(from: Endpoint, outer: Endpoint): Endpoint | null {
    if (this.#options.kind === 'public') return outer;
    const candidates = [...this.#mappings.values()].filter(({ outer: own }) => own.port === outer.port);
    const mapping = candidates.find(one => this.#alive(one.key) === one && this.#admits(one, from));
    if (mapping === undefined) return null;
    mapping.usedAtMs = this.#options.nowMs();
    return mapping.inner;
  }

  #alive(key: string): Mapping | null {
    const mapping = this.#mappings.get(key);
    if (mapping === undefined) return null;
    const { nowMs, timeoutMs = Infinity } = this.#options;
    return nowMs() - mapping.usedAtMs < timeoutMs ? mapping : null;
  }

  #key(inner: Endpoint, to: Endpoint): string {
    const own = formatEndpoint(inner);
    if (this.#options.kind === 'adm') return `${own} ${to.address}`;
    if (this.#options.kind === 'sym' || this.#options.kind.startsWith('seq'))
      return `${own} ${formatEndpoint(to)}`;
    return own;
  }

  #port(inner: Endpoint, to: Endpoint): number {
    switch (this.#options.kind) {
      case 'prcnp':
      case 'eimprcnp':
        return 10_000 + this.#options.random.below(20_000);
      case 'sym':
        return 1_024 + this.#options.random.below(64_000);
      case 'adm':
        return 30_000 + ((inner.port * 31 + Number(to.address.split('.')[3]) * 977) % 2_048);
      case 'public':
      case 'full':
      case 'arc':
      case 'prc':
        return inner.port;
      default:
        this.#next += this.#step();
        return this.#next;
    }
  }

  #step(): number {
    return Number(this.#options.kind.slice(3)) || 1;
  }

  #admits(mapping: Mapping, from: Endpoint): boolean {
    if (this.#options.kind === 'full') return true;
    return mapping.sentTo.has(this.#options.kind === 'arc' ? from.address : formatEndpoint(from));
  }
}
