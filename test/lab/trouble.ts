// What a test does to the net between two homes, in the core's packet filter: no UDP between these, nothing to and from that
// one, and bytes counted between each pair of addresses.
import type { Home, Lab } from './topology.ts';

const TABLE = 'trouble';

export interface PairCount {
  readonly packets: number;
  readonly bytes: number;
}

export class Trouble {
  readonly #lab: Lab;

  private constructor(lab: Lab) {
    this.#lab = lab;
  }

  static async open(lab: Lab): Promise<Trouble> {
    // With a delay each packet passes twice; it is counted and judged when it comes in by a cable.
    const rules = `table ip ${TABLE} {
      set silent {\n type ipv4_addr;\n}
      set noudp {\n type ipv4_addr . ipv4_addr;\n}
      set parted {\n type ipv4_addr . ipv4_addr;\n}
      set pairs {\n type ipv4_addr . ipv4_addr; size 4096; flags dynamic; counter;\n}
      chain forward {
        type filter hook forward priority -5; policy accept;
        iifname "delay0" accept
        update @pairs { ip saddr . ip daddr }
        ip saddr @silent drop
        ip daddr @silent drop
        ip saddr . ip daddr @parted drop
        meta l4proto udp ip saddr . ip daddr @noudp drop
      }
    }`;
    await lab.core.exec('nft -f -', { input: `${rules}\n` });
    return new Trouble(lab);
  }

  /** Drops all UDP between two homes, without a word; `false`: no longer. */
  async noUdp(one: Home, other: Home, isOn: boolean): Promise<void> {
    const [a, b] = [one.outerAddress, other.outerAddress];
    await this.#element(isOn, 'noudp', `${a} . ${b}, ${b} . ${a}`);
  }

  /** Drops everything between two homes, without a word; `false`: no longer. */
  async parted(one: Home, other: Home, isOn: boolean): Promise<void> {
    const [a, b] = [one.outerAddress, other.outerAddress];
    await this.#element(isOn, 'parted', `${a} . ${b}, ${b} . ${a}`);
  }

  /** Drops everything to and from a home, without a word; `false`: no longer. */
  async silent(home: Home, isOn: boolean): Promise<void> {
    await this.#element(isOn, 'silent', home.outerAddress);
  }

  /** What the kernel counted on the way from one home's outer address to another's. */
  async between(from: Home, to: Home): Promise<PairCount> {
    const { stdout } = await this.#lab.core.exec(`nft -j list set ip ${TABLE} pairs`);
    const { nftables } = JSON.parse(stdout) as {
      nftables: readonly { set?: { elem?: readonly Counted[] } }[];
    };
    const all = nftables.flatMap(({ set }) => set?.elem ?? []).map(({ elem }) => elem);
    const found = all.find(
      ({ val: { concat } }) => concat[0] === from.outerAddress && concat[1] === to.outerAddress,
    );
    return found?.counter ?? { packets: 0, bytes: 0 };
  }

  #element(isOn: boolean, set: string, elements: string): Promise<unknown> {
    return this.#lab.core.exec(`nft ${isOn ? 'add' : 'delete'} element ip ${TABLE} ${set} '{ ${elements} }'`);
  }
}

/** As nft tells a set with counters. */
interface Counted {
  readonly elem: { readonly val: { readonly concat: readonly string[] }; readonly counter: PairCount };
}
