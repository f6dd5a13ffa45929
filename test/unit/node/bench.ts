// A whole node on loopback: real sockets, store and server; the virtual card alone is made up, since it needs root.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { GinnelError } from '../../../base/errors.ts';
import { silentLog } from '../../../base/log.ts';
import { systemRandom } from '../../../base/random.ts';
import { openStore } from '../../../base/store.ts';
import { createNode, type Node } from '../../../core/node.ts';
import type { NodeOptions } from '../../../core/node/options.ts';
import { openNodeSettings } from '../../../core/node/settings.ts';
import { openAead } from '../../../system/aead.ts';
import { primitives } from '../../../system/crypto.ts';
import type { Doors, TunDoor, TunOptions } from '../../../system/doors.ts';
import { openDoors } from '../../../system/doors-linux.ts';
import { testTcp } from '../../support/tcp-ports.ts';

export class MadeUpCard implements TunDoor {
  readonly name: string;
  readonly mtu: number;
  readonly options: TunOptions;
  readonly offloads = { tcp: false, udp: false };
  onPacket: TunDoor['onPacket'] = () => undefined;
  onTurnEnded: TunDoor['onTurnEnded'] = () => undefined;
  onLost: TunDoor['onLost'] = () => undefined;
  isOpen = true;

  constructor(name: string, options: TunOptions) {
    this.name = name;
    this.mtu = options.mtu;
    this.options = options;
  }

  write(): 'sent' | 'closed' {
    return this.isOpen ? 'sent' : 'closed';
  }

  setRoutes(): void {
    // A made-up card has none.
  }

  close(): void {
    this.isOpen = false;
  }

  /** Somebody deletes it. */
  lose(): void {
    this.isOpen = false;
    this.onLost(new GinnelError('TUN_LOST', 'The card was deleted. (TUN_LOST)', { retry: true }));
  }
}

export interface Bench {
  readonly node: Node;
  readonly counters: Counters;
  readonly folder: string;
  /** All that were ever opened, the latest last. */
  readonly cards: MadeUpCard[];
  /** What the next cards fail with; null: they open. */
  cardError: GinnelError | null;
  /** Sockets and network doors that are open now. */
  openDoors(): number;
}

/** `change` replaces options; `doors` may change what opens. */
export async function openNode(
  t: Test,
  change: Partial<NodeOptions> = {},
  changeDoors: (doors: Doors) => Doors = doors => doors,
): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'ginnel-node-'));
  const counters = new Counters();
  const store = await openStore({ path: join(folder, 'store'), firstSetUp: true, counters });
  const open = new Set<object>();
  const cards: MadeUpCard[] = [];
  const bench = { cards, cardError: null as GinnelError | null, openDoors: () => open.size };
  const track = <T extends { close(): void }>(door: T): T => {
    const close = door.close.bind(door);
    open.add(door);
    door.close = () => {
      open.delete(door);
      close();
    };
    return door;
  };
  const doorsOf = (real: Doors): Doors => ({
    ...real,
    openUdp: options => track(real.openUdp(options)),
    openNetwork: () =>
      track({
        addresses: () => [],
        gateway: () => null,
        onChange: () => () => undefined,
        close: () => undefined,
      }),
    openTun(options) {
      if (bench.cardError !== null) throw bench.cardError;
      const card = new MadeUpCard(`ginnel${cards.length}`, options);
      // One without addresses only tries whether there could be any.
      if (options.addresses.length === 0) return card;
      cards.push(card);
      return card;
    },
  });
  const node = createNode({
    ...{ folder, store, primitives, counters, openAead },
    openDoors: () => changeDoors(doorsOf(openDoors())),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    pluginDirectories: [],
    without: new Set(),
    tcp: testTcp(counters),
    settings: await openNodeSettings(store.scope('settings/')),
    ...change,
  });
  t.teardown(async () => {
    await node.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return Object.assign(bench, { node, counters, folder });
}

/** Waits for a condition, for ten seconds at most. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not within 10 s: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
