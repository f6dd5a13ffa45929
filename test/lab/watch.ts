// What leaves a box and what arrives directly, by the kernel's counters: every probe and every first packet of a connection
// by second and target, and the packets of the virtual network that two homes exchange without anybody between.
import type { Place } from './place.ts';
import type { Home, Lab } from './topology.ts';

const TABLE = 'ip watch';
const SECONDS = 'typeof meta hour . ip daddr; size 65535; flags dynamic; counter;';
/** A STUN Binding request: its type, and the magic cookie four bytes on. */
const PROBE = 'udp dport != 0 @th,64,16 0x0001 @th,96,32 0x2112a442';
const UDP_HEADERS = 28;
const CALL = 'tcp flags & (syn | ack) == syn';

export interface Sent {
  readonly packets: number;
  /** In one second of the clock: to everybody together, and to one address. */
  readonly mostPerSecond: number;
  readonly mostPerSecondToOne: number;
  /** To one address in all. */
  readonly mostToOne: number;
}

export interface Left {
  /** STUN Binding requests, those to the location server included. */
  readonly probes: Sent;
  /** TCP's first packets. */
  readonly calls: Sent;
}

/** Counts what leaves this box from now on. `besides`: addresses that are no target, such as the server's. */
export class Departures {
  readonly #place: Place;
  readonly #besides: ReadonlySet<string>;

  private constructor(place: Place, besides: ReadonlySet<string>) {
    this.#place = place;
    this.#besides = besides;
  }

  static async watch(place: Place, besides: readonly string[]): Promise<Departures> {
    const departures = new Departures(place, new Set(besides));
    await departures.reset();
    return departures;
  }

  /** Counts anew. */
  async reset(): Promise<void> {
    const rules = `table ${TABLE}
      delete table ${TABLE}
      table ${TABLE} {
        set probes {\n ${SECONDS}\n}
        set calls {\n ${SECONDS}\n}
        chain output {
          type filter hook output priority 0; policy accept;
          ${PROBE} update @probes { meta hour . ip daddr }
          ${CALL} update @calls { meta hour . ip daddr }
        }
      }`;
    await this.#place.exec('nft -f -', { input: `${rules}\n` });
  }

  async left(): Promise<Left> {
    const [probes, calls] = await Promise.all(
      ['probes', 'calls'].map(async set => this.#sent(await elementsOf(this.#place, set))),
    );
    if (probes === undefined || calls === undefined) throw new TypeError('two sets');
    return { probes, calls };
  }

  #sent(elements: readonly Element[]): Sent {
    const toTargets = elements.filter(({ key }) => !this.#besides.has(String(key[1])));
    return {
      packets: elements.reduce((sum, { packets }) => sum + packets, 0),
      mostPerSecond: mostOf(elements, ({ key }) => String(key[0])),
      mostPerSecondToOne: mostOf(toTargets, ({ key }) => key.join(' ')),
      mostToOne: mostOf(toTargets, ({ key }) => String(key[1])),
    };
  }
}

/** Bytes of pings of `PING_BYTES`, with most of what is put around them. */
export interface Direct {
  readonly udp: number;
  readonly tcp: number;
}

/** Larger than a probe, smaller than what probes a path's MTU. */
export const PING_BYTES = 576;
/** Sealed, by the fast profile and by the stock one. */
const SEALED = [637, 640];
/** Of a ping in `Direct`, at least. */
export const COUNTED_BYTES = 620;
/** The kernel joins datagrams of one size into a super-packet, with one header for all. */
const MOST_JOINED = 10;
const LENGTHS = SEALED.flatMap(size =>
  Array.from({ length: MOST_JOINED }, (_, more) => UDP_HEADERS + (more + 1) * size),
);

/** Counts in the core what two homes send each other directly; only what such pings may be. */
export class Meetings {
  readonly #core: Place;

  private constructor(core: Place) {
    this.#core = core;
  }

  static async watch(lab: Lab): Promise<Meetings> {
    // With a delay each packet passes twice; it is counted when it comes in by a cable.
    const rules = `table ${TABLE} {
      set pairs {\n typeof ip saddr . ip daddr . meta l4proto; size 65535; flags dynamic; counter;\n}
      chain forward {
        type filter hook forward priority -5; policy accept;
        iifname "delay0" accept
        meta l4proto udp meta length { ${LENGTHS.join(', ')}\n} update @pairs { ip saddr . ip daddr . meta l4proto }
        meta l4proto tcp meta length > ${COUNTED_BYTES} update @pairs { ip saddr . ip daddr . meta l4proto }
      }
    }`;
    await lab.core.exec('nft -f -', { input: `${rules}\n` });
    return new Meetings(lab.core);
  }

  async between(from: Home, to: Home): Promise<Direct> {
    const elements = await elementsOf(this.#core, 'pairs');
    const of = (protocol: string): number =>
      elements.find(
        ({ key }) =>
          key[0] === from.outerAddress && key[1] === to.outerAddress && String(key[2]) === protocol,
      )?.bytes ?? 0;
    return { udp: of('udp'), tcp: of('tcp') };
  }
}

interface Element {
  readonly key: readonly (string | number)[];
  readonly packets: number;
  readonly bytes: number;
}

/** As nft tells a set with counters. */
interface Told {
  readonly elem: {
    readonly val: { readonly concat: readonly (string | number)[] };
    readonly counter: { readonly packets: number; readonly bytes: number };
  };
}

async function elementsOf(place: Place, set: string): Promise<Element[]> {
  const { stdout } = await place.exec(`nft -j list set ${TABLE} ${set}`);
  const { nftables } = JSON.parse(stdout) as { nftables: readonly { set?: { elem?: readonly Told[] } }[] };
  return nftables
    .flatMap(({ set: found }) => found?.elem ?? [])
    .map(({ elem }) => ({ key: elem.val.concat, ...elem.counter }));
}

function mostOf(elements: readonly Element[], by: (element: Element) => string): number {
  const sums = new Map<string, number>();
  for (const element of elements) sums.set(by(element), (sums.get(by(element)) ?? 0) + element.packets);
  return Math.max(0, ...sums.values());
}
