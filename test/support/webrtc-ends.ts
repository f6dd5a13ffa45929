// Two ends of the webrtc plugin that hear each other's signals: on the real library, over this machine's own addresses.
import { networkInterfaces } from 'node:os';
import { systemClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import type { Batch, Link } from '../../core/contract/link.ts';
import type { LinkInlet, PluginContext, StreamPeer, TransportPlugin } from '../../core/contract/plugin.ts';
import { HandedLinks } from '../../core/paths/handed-links.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { createPlugin } from '../../plugins/webrtc/index.ts';
import type { Library } from '../../plugins/webrtc/library.ts';
import { primitives } from '../../system/crypto.ts';
import { memoryStore } from './memory-store.ts';
import { noHome, noNetwork, noStreams } from './no-streams.ts';

export interface WebrtcEnd {
  readonly peer: StreamPeer;
  readonly plugin: TransportPlugin;
  readonly links: HandedLinks;
  readonly counters: Counters;
  /** Every word that it said, to whom. */
  readonly said: { readonly to: string; readonly words: string }[];
  /** Links that stand, as the core sees them. */
  readonly standing: Set<Link>;
  readonly closed: string[];
  received: (link: Link, batch: Batch) => void;
  /** Its own addresses are these now; called for nothing, they are as they were. */
  moved(addresses?: readonly string[]): void;
  /** Says that to it, as from `from`. */
  hear(from: StreamPeer, words: string): void;
  dial(other: WebrtcEnd, signal?: AbortSignal): Promise<Link>;
  stop(): Promise<void>;
}

export interface EndOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly load?: () => Promise<Library>;
  /** May something be sent there? */
  readonly isPlace?: (endpoint: Endpoint) => boolean;
  /** Words for others are handed to it instead of the other end. */
  readonly say?: (to: string, words: string) => void;
}

const DEFAULTS = { turn: [], 'turn-user': '', 'host-ranges': [] };

/** Of each family the first that is none of the loopback's. */
export const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flat()
    .flatMap(each =>
      each === undefined || each.internal || each.address.startsWith('fe80') ? [] : [each.address],
    );

/** They hear each other as long as both are there. */
export class Signalling {
  readonly ends = new Map<string, WebrtcEnd>();
}

export interface ContextOptions extends Pick<EndOptions, 'settings' | 'isPlace'> {
  readonly node: string;
  readonly signal: AbortSignal;
  readonly send?: (to: string, words: string) => void;
}

export interface Context {
  readonly context: PluginContext;
  readonly links: HandedLinks;
  readonly counters: Counters;
  hear(from: StreamPeer, words: string): void;
  moved(addresses?: readonly string[]): void;
}

/** What the core gives the plugin, and the ways to make it hear of something. */
export function contextFor({ node, signal, settings, isPlace = () => true, send }: ContextOptions): Context {
  const counters = new Counters();
  const listeners = new Set<(from: StreamPeer, words: string) => void>();
  const changes = new Set<() => void>();
  const links = new HandedLinks({ counters, isPlace });
  let addresses: readonly string[] = ownAddresses();
  const context: PluginContext = {
    settings: { ...DEFAULTS, ...settings },
    log: silentLog,
    ...{ clock: systemClock, random: systemRandom, primitives, counters, signal },
    store: memoryStore(),
    streams: { ...noStreams, node },
    ...{ network: noNetwork, home: noHome, links },
    signals: {
      send(to, words) {
        send?.(to, words);
        return Promise.resolve();
      },
      onSignal(heard) {
        listeners.add(heard);
        return () => void listeners.delete(heard);
      },
    },
    stun: {
      main: () => null,
      fresh: () => Promise.reject(new Error('there is none')),
      servers: () => [],
      localAddresses: () =>
        addresses.map(address => ({ family: address.includes(':') ? 6 : 4, address }) as const),
      onChange(changed) {
        changes.add(changed);
        return () => void changes.delete(changed);
      },
    },
  };
  return {
    ...{ context, links, counters },
    hear(from, words) {
      for (const heard of [...listeners]) setImmediate(() => heard(from, words));
    },
    moved(next = addresses) {
      addresses = next;
      for (const changed of [...changes]) changed();
    },
  };
}

export async function startEnd(
  name: string,
  signalling: Signalling,
  { load, say, ...options }: EndOptions = {},
): Promise<WebrtcEnd> {
  const abort = new AbortController();
  const peer: StreamPeer = { node: name.padEnd(43, '_'), name, ip6: 'fd00::1' };
  const said: { to: string; words: string }[] = [];
  const { context, ...rest } = contextFor({
    ...{ ...options, node: peer.node, signal: abort.signal },
    send(to, words) {
      said.push({ to, words });
      if (say !== undefined) say(to, words);
      else signalling.ends.get(to)?.hear(peer, words);
    },
  });
  const plugin = createPlugin(context, load);
  const end: WebrtcEnd = {
    ...{ ...rest, peer, plugin, said },
    standing: new Set(),
    closed: [],
    received: () => undefined,
    dial(other, signal = new AbortController().signal) {
      const [candidate] = other.plugin.candidates();
      if (candidate === undefined) throw new Error('it tells no candidate');
      return plugin.dial(candidate, other.peer, signal);
    },
    async stop() {
      signalling.ends.delete(peer.node);
      await plugin.stop();
      abort.abort();
    },
  };
  follow(end);
  signalling.ends.set(peer.node, end);
  await plugin.start(abort.signal);
  return end;
}

/** What the core would see. */
function follow(end: WebrtcEnd): void {
  const { links } = end;
  const opened = links.opened.bind(links);
  links.opened = (link: Link): LinkInlet => {
    const inlet = opened(link);
    const handed = links.linkBy(link.id);
    if (handed !== null) end.standing.add(handed);
    return inlet;
  };
  links.events = {
    wireguard: (link, batch) => end.received(link, batch),
    stun: () => undefined,
    sent: () => undefined,
    turnEnded: () => undefined,
    closed(link, reason) {
      end.standing.delete(link);
      end.closed.push(reason);
    },
  };
}
