// Probes on the wire: finds the pair by its tag, authenticates, answers, and keeps account of what this node asked.
import type { Counters } from '../../base/counters.ts';
import type { Clock } from '../../base/clock.ts';
import type { DhKeyPair, Primitives } from '../../protocol/primitives.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type { DecodedStun } from '../../protocol/stun/codec.ts';
import type { PeerId } from '../dataplane/engine.ts';
import type { Budget } from './budget.ts';
import type { MachineOutput } from './machine.ts';
import {
  encodeAnswer,
  encodeRequest,
  openAnswer,
  openRequest,
  probeKeys,
  ProbeOrder,
  tagOf,
  type ProbeKeys,
} from './probe.ts';
import type { DatagramLink } from './udp-transport.ts';

export interface ProbingOptions {
  readonly primitives: Primitives;
  readonly wireguard: DhKeyPair;
  readonly network: string;
  readonly budget: Budget;
  readonly clock: Clock;
  readonly counters: Counters;
  /** An authenticated request, already answered. */
  readonly requested: (peer: PeerId, link: DatagramLink, inUse: boolean) => void;
  /** False: that peer's machine never asked this there. */
  readonly answered: (
    peer: PeerId,
    link: DatagramLink,
    transaction: string,
    seenAs: Endpoint | null,
  ) => boolean;
}

interface Pair {
  readonly id: PeerId;
  readonly keys: ProbeKeys;
  readonly order: ProbeOrder;
  /** Of our probes to it. */
  count: number;
}

const MAX_ASKED = 4096;

export class Probing {
  readonly #options: ProbingOptions;
  readonly #run: Uint8Array;
  readonly #pairs = new Map<PeerId, Pair>();
  readonly #byTag = new Map<string, Pair>();
  readonly #ownTags = new Set<string>();
  /** Transaction → whom it was meant for. */
  readonly #asked = new Map<string, Pair>();

  constructor(options: ProbingOptions) {
    this.#options = options;
    this.#run = options.primitives.randomBytes(4);
  }

  /** False: the key is of low order, and such a peer gets no probes. */
  add(id: PeerId, publicKey: Uint8Array): boolean {
    if (this.#pairs.has(id)) return true;
    const keys = probeKeys(
      this.#options.primitives,
      this.#options.wireguard,
      publicKey,
      this.#options.network,
    );
    if (keys === null) return false;
    const pair = { id, keys, order: new ProbeOrder(), count: 0 };
    this.#pairs.set(id, pair);
    this.#byTag.set(keys.receiveTag, pair);
    this.#ownTags.add(keys.sendTag);
    return true;
  }

  remove(id: PeerId): void {
    const pair = this.#pairs.get(id);
    if (pair === undefined) return;
    this.#pairs.delete(id);
    this.#byTag.delete(pair.keys.receiveTag);
    this.#ownTags.delete(pair.keys.sendTag);
  }

  /** `size`: padded to so many bytes, and to arrive in one piece or not at all; 0: neither. */
  ask(
    id: PeerId,
    link: DatagramLink,
    { transaction, ttl, inUse, size }: Extract<MachineOutput, { type: 'probe' }>,
  ): void {
    const bytes = this.request(id, { transaction, inUse, size });
    if (bytes === null) return;
    if (link.sendOwn(bytes, ttl, size > 0) !== 'sent') this.#refuse('probe.not-sent');
    else if (size > 0) this.#refuse('probe.size-sent');
    else this.#refuse(ttl === null ? 'probe.sent' : 'probe.opener-sent');
  }

  /** The next probe to that peer, on the wire; null: nobody known. */
  request(
    id: PeerId,
    {
      transaction,
      inUse,
      size,
    }: Pick<Extract<MachineOutput, { type: 'probe' }>, 'transaction' | 'inUse' | 'size'>,
  ): Uint8Array | null {
    const pair = this.#pairs.get(id);
    if (pair === undefined) return null;
    const transactionId = Uint8Array.from(Buffer.from(transaction, 'hex'));
    // Each pair counts for itself: what goes to others must not make these look old.
    const probe = { transactionId, run: this.#run, count: ++pair.count, inUse, size };
    this.#asked.set(transaction, pair);
    if (this.#asked.size > MAX_ASKED) this.#asked.delete(this.#asked.keys().next().value ?? '');
    return encodeRequest(this.#options.primitives, pair.keys, probe);
  }

  received(link: DatagramLink, message: DecodedStun): void {
    if (message.class === 'request') this.#request(link, message);
    else this.#answer(link, message);
  }

  #request(link: DatagramLink, message: DecodedStun): void {
    const tag = tagOf(message);
    const pair = this.#byTag.get(tag ?? '');
    if (pair === undefined) {
      this.#refuse(this.#ownTags.has(tag ?? '') ? 'probe.reflected' : 'probe.unknown-tag');
      return;
    }
    const { primitives, budget, clock } = this.#options;
    const opened = openRequest(primitives, pair.keys, pair.order, message);
    if (!opened.ok) {
      this.#refuse(opened.code);
      return;
    }
    if (budget.mayAnswer(clock.monotonicMs()))
      link.sendOwn(encodeAnswer(primitives, pair.keys, message.transactionId, link.remote), null);
    this.#options.requested(pair.id, link, opened.value.inUse);
  }

  #answer(link: DatagramLink, message: DecodedStun): void {
    const transaction = Buffer.from(message.transactionId).toString('hex');
    const pair = this.#asked.get(transaction);
    if (pair === undefined) {
      this.#refuse('probe.stray-answer');
      return;
    }
    const opened = openAnswer(this.#options.primitives, pair.keys, message);
    if (!opened.ok) {
      this.#refuse(opened.code);
      return;
    }
    this.#asked.delete(transaction);
    if (!this.#options.answered(pair.id, link, transaction, opened.value)) this.#refuse('probe.stray-answer');
  }

  #refuse(code: string): void {
    this.#options.counters.counter(code).value++;
  }
}
