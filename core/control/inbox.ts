// What the server tells unasked, and which word of other nodes is believed: verified records, sealed signals, new serials.
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type {
  Registration,
  RouteAnswer,
  ServerPlaces,
  SignalDelivery,
  SignedNode,
  TcpPlace,
} from '../../protocol/location/messages.ts';
import type { KnownPeer } from '../peers/peer.ts';
import type { PeerBook } from '../peers/peer-book.ts';
import type { Standings } from '../peers/standings.ts';
import { isSendable } from './candidate-rules.ts';
import type { CandidateRules } from './candidate-rules.ts';
import type { MachineEvents } from './machine-types.ts';
import type { SignalSealer } from './signals.ts';
import type { ControlEvents, RouteFound } from './types.ts';
import { vouched } from './vouching.ts';

export interface InboxOptions {
  readonly peers: PeerBook;
  readonly sealer: SignalSealer;
  readonly log: Log;
  readonly counters: Counters;
  readonly events: ControlEvents;
  readonly rules: CandidateRules;
  readonly learnPlaces: (places: ServerPlaces) => void;
  readonly standings: Pick<Standings, 'learn'>;
  /** The owner of the network gave this node that name. */
  readonly renamed: (name: string) => void;
}

export class Inbox {
  readonly #options: InboxOptions;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  told(message: Parameters<MachineEvents['told']>[0]): void {
    const { events, learnPlaces, standings, renamed } = this.#options;
    switch (message.type) {
      case 'signal':
        this.#signalled(message);
        return;
      case 'changed': {
        const peer = this.believed(message.node);
        if (peer !== null) events.nodeChanged(peer.node, message.online);
        return;
      }
      case 'seen':
        events.seenFrom(message.endpoint);
        return;
      case 'places':
        learnPlaces(message.places);
        return;
      case 'standing':
        standings.learn(message.standing);
        return;
      case 'renamed':
        renamed(message.name);
        return;
      case 'rules':
        events.rulesTold(message.rules);
        return;
      case 'relays':
        events.relaysTold({ keep: this.tcpPlaces(message.keep), measure: this.tcpPlaces(message.measure) });
        return;
      case 'rerouted':
        events.rerouted(message.node, this.route(message));
        return;
    }
  }

  /** The peer after this word of it; the known one where the server's word is merely older; null: not to be believed. */
  believed(node: SignedNode): KnownPeer | null {
    const { peers, log } = this.#options;
    const judged = peers.accept(node);
    if (judged.ok) return judged.value;
    if (judged.code === 'peer.generation') return peers.byId(node.record.id);
    log.warn('the word of a node was refused', {
      id: node.record.id,
      name: node.record.name,
      code: judged.code,
    });
    return null;
  }

  /**
   * What the server says that the peer registered, without candidates that nobody may send to. It is not the peer's own
   * word: kept only until the first sealed signal.
   */
  registered(peer: KnownPeer, registration: Registration | null): Registration | null {
    if (registration === null) return null;
    const candidates = registration.candidates.filter(({ endpoint }) =>
      isSendable(endpoint, this.#options.rules),
    );
    const isFirstWord = peer.signalSerial === 0 && candidates.length > 0;
    if (isFirstWord) this.#options.peers.noteCandidates(peer.node.record.id, candidates);
    return { ...registration, candidates };
  }

  /** Of a route: without nodes that are not believed, and without places that nobody may send to. */
  route({ tcp, relays }: Pick<RouteAnswer, 'tcp' | 'relays'>): Pick<RouteFound, 'tcp' | 'relays'> {
    return { tcp: this.#sendable(tcp), relays: this.tcpPlaces(relays) };
  }

  tcpPlaces(places: readonly TcpPlace[]): readonly TcpPlace[] {
    return places.flatMap(({ node, places: all }) => {
      const peer = this.believed(node);
      const sendable = this.#sendable(all);
      return peer === null || sendable.length === 0 ? [] : [{ node: peer.node, places: sendable }];
    });
  }

  #sendable(places: readonly Endpoint[]): readonly Endpoint[] {
    return places.filter(place => isSendable(place, this.#options.rules));
  }

  #signalled(message: SignalDelivery): void {
    const { peers, sealer, counters, events, rules } = this.#options;
    const peer = message.node.record.id === message.from ? this.believed(message.node) : null;
    if (peer === null) {
      counters.counter('signal.unbelieved').value++;
      return;
    }
    const signal = sealer.open(peer.node.record, message.sealed);
    if (!signal.ok) return;
    if (!peers.admitSerial(message.from, signal.value.serial)) {
      counters.counter('signal.replayed').value++;
      return;
    }
    if (signal.value.type === 'transport') {
      events.transportSignalled(peer.node, signal.value);
      return;
    }
    peers.noteCandidates(message.from, signal.value.candidates);
    events.signalled(peer.node, vouched(signal.value, message.seen ?? [], rules, counters));
  }
}
