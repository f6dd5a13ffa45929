// Words of transport plugins to the same plugin at another node, sealed like every signal.
import type { Counters } from '../../base/counters.ts';
import type { SignedNode, TransportSignal } from '../../protocol/location/messages.ts';
import { MAX_SIGNAL_WORDS, type StreamPeer } from '../contract/plugin.ts';
import type { Control } from '../control/types.ts';
import type { PeerBook } from '../peers/peer-book.ts';
import type { SignalsGiven } from '../plugin-host/doors.ts';
import { nodeErrors } from './errors.ts';

type Listener = (from: StreamPeer, words: string) => void;

export interface PluginSignalsOptions {
  readonly control: Pick<Control, 'signal'>;
  readonly book: Pick<PeerBook, 'byId'>;
  readonly counters: Counters;
}

export class PluginSignals implements SignalsGiven {
  readonly #options: PluginSignalsOptions;
  /** By the plugin's name. */
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(options: PluginSignalsOptions) {
    this.#options = options;
  }

  async send(plugin: string, node: string, words: string): Promise<void> {
    const { control, book } = this.#options;
    const to = book.byId(node)?.node;
    if (to === undefined) throw nodeErrors('PEER_UNKNOWN', { peer: node });
    if (words.length > MAX_SIGNAL_WORDS) throw new TypeError('the words are too long');
    await control.signal(to, { type: 'transport', serial: 0, transport: plugin, words });
  }

  onSignal(plugin: string, heard: Listener): () => void {
    const listeners = this.#listeners.get(plugin) ?? new Set();
    this.#listeners.set(plugin, listeners.add(heard));
    return () => void listeners.delete(heard);
  }

  /** A verified signal of a verified node. */
  heard({ record: { id, name, ip6 } }: SignedNode, { transport, words }: TransportSignal): void {
    const listeners = [...(this.#listeners.get(transport) ?? [])];
    // The plugin is off here.
    if (listeners.length === 0) this.#options.counters.counter('node.signal-to-nobody').value++;
    for (const heard of listeners) heard({ node: id, name, ip6 }, words);
  }
}
