// What the tests of relays begin with: homes and public boxes that forward for them, and what is asked of both.
import { startServer } from './ginnel.ts';
import type { Chosen, LocationServer } from './ginnel.ts';
import { joinHome } from './homes.ts';
import type { Box } from './homes.ts';
import { buildLab } from './topology.ts';
import type { Home, Lab } from './topology.ts';
import { Trouble } from './trouble.ts';
import { until } from './waiting.ts';

export const TCP_PORT = 7443;
const BOUND_MS = 30_000;
/** A node without a way in keeps so many. */
const KEPT = 2;

export interface RelayLabOptions {
  /** Kinds of homes: boxes `home0`, `home1`, … */
  readonly homes: readonly string[];
  /** So many public boxes: `relay0`, `relay1`, … */
  readonly relays: number;
  readonly delayMs?: number;
  readonly chosen?: { readonly homes?: Chosen; readonly relays?: Chosen };
}

export class RelayLab {
  readonly lab: Lab;
  readonly server: LocationServer;
  readonly trouble: Trouble;
  readonly homes: readonly Box[];
  readonly relays: readonly Box[];

  private constructor(
    lab: Lab,
    server: LocationServer,
    trouble: Trouble,
    homes: readonly Box[],
    relays: readonly Box[],
  ) {
    this.lab = lab;
    this.server = server;
    this.trouble = trouble;
    this.homes = homes;
    this.relays = relays;
  }

  /** Resolves when every home keeps the relays that it wants. */
  static async start({
    homes: kinds,
    relays,
    delayMs = 10,
    chosen = {},
  }: RelayLabOptions): Promise<RelayLab> {
    const publicHomes = Array.from({ length: relays }, () => 'public');
    const lab = await buildLab({
      homes: [...publicHomes, ...kinds].map(kind => ({ kind })),
      delayMs,
      server: { addresses: 2 },
    });
    try {
      const trouble = await Trouble.open(lab);
      const server = await startServer(lab);
      const join = (homes: readonly Home[], name: string, choice: Chosen = {}): Promise<Box[]> =>
        Promise.all(homes.map((home, index) => joinHome(server, home, `${name}${index}`, choice)));
      const forwarding = await join(lab.homes.slice(0, relays), 'relay', chosen.relays);
      const boxes = await join(lab.homes.slice(relays), 'home', chosen.homes);
      const made = new RelayLab(lab, server, trouble, boxes, forwarding);
      for (const box of boxes) await made.keeps(box, Math.min(KEPT, relays));
      return made;
    } catch (error) {
      await lab.stop();
      throw error;
    }
  }

  /** Boxes that forward, by their homes, for `whoCarries`. */
  get names(): ReadonlyMap<Home, string> {
    return new Map(this.relays.map(({ home, node }) => [home, node.name]));
  }

  /** The relays that a box has a connection with, by the kernel's table of its machine. */
  async keptBy(box: Box): Promise<Box[]> {
    const connections = await box.node.place.connections();
    return this.relays.filter(({ home }) =>
      connections.some(({ remote }) => remote === `${home.outerAddress}:${TCP_PORT}`),
    );
  }

  /** Waits until it has connections with so many relays that live. Throws an Error after half a minute. */
  async keeps(box: Box, count: number): Promise<void> {
    await box.node.explained(
      until(`${box.node.name} to keep ${count} relays`, BOUND_MS, async () => {
        const living = (await this.keptBy(box)).filter(({ node }) => node.pid !== null);
        return living.length >= count;
      }),
    );
  }

  /** Pings until both say that they go by a relay. */
  async meetByRelay(from: Box, to: Box): Promise<void> {
    await from.node.explained(
      until(`${from.node.name} to reach ${to.node.name} by a relay`, BOUND_MS, async () => {
        await from.node.place.exec(`ping -q -c 1 -W 1 ${to.ip}`, { mayFail: true });
        return (await this.relayBetween(from, to)) !== null && (await this.relayBetween(to, from)) !== null;
      }),
    );
  }

  /** The relay that `from` sends to now; null: it goes another way. */
  async relayBetween(from: Box, to: Box): Promise<Box | null> {
    const label = (await from.node.peer(to.node.name))?.path?.label ?? '';
    return this.relays.find(({ node }) => label === `via ${node.name}`) ?? null;
  }

  /** Waits until `from` sends to another relay than `left`. Answers it. */
  async otherRelay(from: Box, to: Box, left: Box): Promise<Box> {
    return until(`${from.node.name} to leave ${left.node.name}`, BOUND_MS, async () => {
      const now = await this.relayBetween(from, to);
      return now === left ? null : now;
    });
  }

  stop(): Promise<void> {
    return this.lab.stop();
  }
}
