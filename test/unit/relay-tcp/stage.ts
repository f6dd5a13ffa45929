// A node with the plugin on it, in a network in memory: what the location server would say and hear is at hand.
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { seededRandom } from '../../../base/random.ts';
import type {
  NetworkRoute,
  NetworkWords,
  PluginContext,
  StunDoor,
  TransportPlugin,
} from '../../../core/contract/plugin.ts';
import type { RelayInUse, TcpPlace } from '../../../protocol/location/messages.ts';
import { FIRST_HOPS, FRAME_HEAD, writeHead } from '../../../protocol/stream/frame.ts';
import { createPlugin } from '../../../plugins/relay-tcp/index.ts';
import type { Machine } from '../../../plugins/relay-tcp/load.ts';
import { primitives } from '../../../system/crypto.ts';
import { MemoryNetwork, type MemoryNode } from '../../support/memory-streams.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { noHome, noLinks, noSignals } from '../../support/no-streams.ts';

type Facts = Parameters<NetworkWords['tell']>[0];
type Told = Parameters<Parameters<NetworkWords['onRelays']>[0]>[0];

/** The location server's part: routes by node. */
export class MemoryWords implements NetworkWords {
  readonly routes = new Map<string, Omit<NetworkRoute, 'node'>>();
  readonly asked: string[] = [];
  readonly tells: Facts[] = [];
  answerAfterMs = 5;
  readonly #network: MemoryNetwork;
  readonly #listeners = new Set<(told: Told) => void>();
  #told: Told = { keep: [], measure: [] };

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** What was told of each fact last. */
  get facts(): Facts {
    return Object.assign({}, ...this.tells) as Facts;
  }

  /** How often it told of the relays that it uses. */
  get inUseTold(): number {
    return this.tells.filter(({ relays }) => relays !== undefined).length;
  }

  /** `NAME state`, of the last registration. */
  get inUse(): readonly string[] {
    return (this.facts.relays ?? []).map(
      ({ node, state }: RelayInUse) => `${this.#network.nodes.get(node)?.name} ${state}`,
    );
  }

  async route(to: { readonly address: string } | { readonly node: string }): Promise<NetworkRoute> {
    const found = [...this.#network.nodes.values()].find(node =>
      'node' in to ? node.node === to.node : node.peer.ip6 === to.address,
    );
    this.asked.push('node' in to ? (found?.name ?? to.node) : to.address);
    await new Promise<void>(resolve => this.#network.clock.after(this.answerAfterMs, resolve));
    if (found === undefined) throw new Error('NODE_UNKNOWN');
    return { node: found.signed, ...(this.routes.get(found.node) ?? { tcp: [], relays: [] }) };
  }

  onRelays(told: (relays: Told) => void): () => void {
    this.#listeners.add(told);
    told(this.#told);
    return () => void this.#listeners.delete(told);
  }

  tell(facts: Facts): void {
    this.tells.push(facts);
  }

  say(keep: readonly MemoryNode[], measure: readonly MemoryNode[] = []): void {
    const places = (nodes: readonly MemoryNode[]): TcpPlace[] => nodes.map(({ place }) => place);
    this.#told = { keep: places(keep), measure: places(measure) };
    for (const listener of [...this.#listeners]) listener(this.#told);
  }
}

export class NetworkNews implements StunDoor {
  readonly #listeners = new Set<() => void>();
  main = (): null => null;
  fresh = (): Promise<never> => Promise.reject(new Error('no sockets here'));
  servers = (): readonly [] => [];
  localAddresses = (): readonly [] => [];

  get listeners(): number {
    return this.#listeners.size;
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  change(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** A machine that tells nothing. */
export const DARK: Machine = {
  tables: { read: () => null, list: () => [] },
  processMicros: () => 0,
  loadPerCore: () => null,
};

export interface Stage {
  readonly clock: ManualClock;
  readonly network: MemoryNetwork;
  readonly box: MemoryNode;
  readonly words: MemoryWords;
  readonly news: NetworkNews;
  readonly counters: Counters;
  readonly plugin: TransportPlugin;
  readonly context: PluginContext;
  /** Time passes, and what is promised settles. */
  pass(ms: number): Promise<void>;
  count(name: string): number;
}

export interface StageOptions {
  readonly settings?: object;
  readonly machine?: Machine;
  readonly signal?: AbortSignal;
}

/** `box` has the plugin. */
export function stage({ settings = {}, machine = DARK, signal }: StageOptions = {}): Stage {
  const clock = new ManualClock();
  const network = new MemoryNetwork(clock);
  const box = network.node('box');
  return stageAt(clock, box, { settings, machine, ...(signal === undefined ? {} : { signal }) });
}

export function stageAt(clock: ManualClock, box: MemoryNode, options: StageOptions = {}): Stage {
  const { network } = box;
  box.isRelay = true;
  const words = new MemoryWords(network);
  const news = new NetworkNews();
  const counters = new Counters();
  const context: PluginContext = {
    settings: {
      serve: true,
      bandwidth: 0,
      'node-bandwidth': 0,
      connections: 512,
      region: '',
      ...options.settings,
    },
    log: silentLog,
    clock,
    random: seededRandom(1),
    primitives,
    counters: counters.scope('plugins.relay-tcp'),
    store: memoryStore(),
    signal: options.signal ?? new AbortController().signal,
    stun: news,
    streams: box,
    network: words,
    home: noHome,
    signals: noSignals,
    links: noLinks,
  };
  const plugin = createPlugin(context, options.machine ?? DARK);
  const count = (name: string): number => counters.snapshot()[`plugins.relay-tcp.${name}`] ?? 0;
  const pass = (ms: number): Promise<void> => passTime(clock, ms);
  return { clock, network, box, words, news, counters, plugin, context, pass, count };
}

export async function started(options: StageOptions = {}): Promise<Stage> {
  const made = stage(options);
  await made.plugin.start(new AbortController().signal);
  await made.pass(0);
  return made;
}

export async function passTime(clock: ManualClock, ms: number): Promise<void> {
  const stepMs = ms > 20_000 ? 100 : 10;
  for (let left = ms; left > 0; left -= stepMs) {
    await settle();
    clock.advance(Math.min(stepMs, left));
  }
  await settle();
}

const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** A data frame with whatever in its head a node may be tempted to write. */
export function frameOf(
  source: Uint8Array,
  destination: Uint8Array,
  hops = FIRST_HOPS,
  payload = new Uint8Array(100),
): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD + payload.length);
  const head = { kind: 'data', hops, segment: payload.length, length: payload.length, number: 0 } as const;
  writeHead(frame, 0, head, source, destination);
  frame.set(payload, FRAME_HEAD);
  return frame;
}

export const batchOf = (payload: Uint8Array) => ({
  bytes: payload,
  offset: 0,
  length: payload.length,
  segment: payload.length,
});
