// The remotes of one UDP socket, interned: the same object stands for the same place, found from the raw bytes of a
// sockaddr without making garbage. Strangers cannot push out those that were spoken to.
import type { Endpoint, IpFamily } from '../protocol/address.ts';
import { formatIp } from '../protocol/ip/address.ts';
import type { UdpRemote } from './doors.ts';

/** An address as four native 32-bit words; IPv4 uses the first only. */
export interface AddressWords {
  w0: number;
  w1: number;
  w2: number;
  w3: number;
}

export class Remote implements UdpRemote, AddressWords {
  readonly family: IpFamily;
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  readonly port: number;
  /** The interface of a link-local IPv6 address; else 0. */
  readonly scope: number;
  /** The local address to send from, while `hasLocal`. */
  readonly local: AddressWords = { w0: 0, w1: 0, w2: 0, w3: 0 };
  hasLocal = false;
  /** The kernel could not cut a batch for it: the way there takes smaller ones only. */
  uncuttable = false;
  /** Was it sent to, or asked for? Others are strangers. */
  known = false;
  /** Chain of the same hash; neighbours in order of use. */
  chained: Remote | null = null;
  newer: Remote | null = null;
  older: Remote | null = null;
  #endpoint: Endpoint | null = null;
  #localAddress: string | null = null;

  constructor(family: IpFamily, words: AddressWords, port: number, scope: number) {
    this.family = family;
    this.w0 = words.w0;
    this.w1 = words.w1;
    this.w2 = words.w2;
    this.w3 = words.w3;
    this.port = port;
    this.scope = scope;
  }

  get endpoint(): Endpoint {
    return (this.#endpoint ??= {
      family: this.family,
      address: wordsToText(this.family, this),
      port: this.port,
    });
  }

  get localAddress(): string | null {
    if (!this.hasLocal) return null;
    return (this.#localAddress ??= wordsToText(this.family, this.local));
  }

  setLocal(w0: number, w1: number, w2: number, w3: number): void {
    const { local } = this;
    if (this.hasLocal && local.w0 === w0 && local.w1 === w1 && local.w2 === w2 && local.w3 === w3) return;
    this.hasLocal = true;
    this.#localAddress = null;
    local.w0 = w0;
    local.w1 = w1;
    local.w2 = w2;
    local.w3 = w3;
  }

  forgetLocal(): void {
    this.hasLocal = false;
    this.#localAddress = null;
  }
}

export const MAX_KNOWN_REMOTES = 4096;
/** Anybody can make us hear from any number of forged addresses: few are remembered. */
export const MAX_STRANGERS = 256;

export class RemoteTable {
  readonly #family: IpFamily;
  readonly #byHash = new Map<number, Remote>();
  readonly #known: UseOrder;
  readonly #strangers: UseOrder;

  constructor(family: IpFamily, maxKnown = MAX_KNOWN_REMOTES, maxStrangers = MAX_STRANGERS) {
    this.#family = family;
    this.#known = new UseOrder(maxKnown);
    this.#strangers = new UseOrder(maxStrangers);
  }

  get size(): number {
    return this.#known.size + this.#strangers.size;
  }

  /** The one a datagram came from. */
  heard(words: AddressWords, port: number, scope: number): Remote {
    const remote = this.#find(words, port, scope) ?? this.#add(words, port, scope);
    this.#orderOf(remote).use(remote);
    return remote;
  }

  /** The one that is, or will be, sent to: strangers cannot push it out. */
  know(remote: Remote): void {
    if (!remote.known) {
      if (this.#find(remote, remote.port, remote.scope) === remote) this.#strangers.remove(remote);
      else this.#chain(remote);
      remote.known = true;
      this.#insert(this.#known, remote);
    }
    this.#known.use(remote);
  }

  *[Symbol.iterator](): Iterator<Remote> {
    yield* this.#known;
    yield* this.#strangers;
  }

  #orderOf(remote: Remote): UseOrder {
    return remote.known ? this.#known : this.#strangers;
  }

  #find(words: AddressWords, port: number, scope: number): Remote | null {
    let remote = this.#byHash.get(hashOf(words, port)) ?? null;
    while (remote !== null && !isPlace(remote, words, port, scope)) remote = remote.chained;
    return remote;
  }

  #add(words: AddressWords, port: number, scope: number): Remote {
    const remote = new Remote(this.#family, words, port, scope);
    this.#chain(remote);
    this.#insert(this.#strangers, remote);
    return remote;
  }

  #chain(remote: Remote): void {
    const hash = hashOf(remote, remote.port);
    remote.chained = this.#byHash.get(hash) ?? null;
    this.#byHash.set(hash, remote);
  }

  #insert(order: UseOrder, remote: Remote): void {
    const forgotten = order.insert(remote);
    if (forgotten === null) return;
    forgotten.known = false;
    this.#unchain(forgotten);
  }

  #unchain(remote: Remote): void {
    const hash = hashOf(remote, remote.port);
    let before = this.#byHash.get(hash) ?? null;
    if (before === remote) {
      if (remote.chained === null) this.#byHash.delete(hash);
      else this.#byHash.set(hash, remote.chained);
    } else {
      while (before !== null && before.chained !== remote) before = before.chained;
      if (before !== null) before.chained = remote.chained;
    }
    remote.chained = null;
  }
}

/** Remotes from the most to the least recently used, at most so many. */
class UseOrder {
  readonly #limit: number;
  #newest: Remote | null = null;
  #oldest: Remote | null = null;
  size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Puts it first; returns the one that had to go. */
  insert(remote: Remote): Remote | null {
    this.#link(remote);
    const { size } = this;
    const forgotten = size > this.#limit ? this.#oldest : null;
    if (forgotten !== null) this.remove(forgotten);
    return forgotten;
  }

  use(remote: Remote): void {
    if (remote === this.#newest) return;
    this.remove(remote);
    this.#link(remote);
  }

  remove(remote: Remote): void {
    if (remote.newer === null) this.#newest = remote.older;
    else remote.newer.older = remote.older;
    if (remote.older === null) this.#oldest = remote.newer;
    else remote.older.newer = remote.newer;
    remote.newer = remote.older = null;
    this.size--;
  }

  *[Symbol.iterator](): Iterator<Remote> {
    for (let remote = this.#newest; remote !== null; remote = remote.older) yield remote;
  }

  #link(remote: Remote): void {
    remote.older = this.#newest;
    if (this.#newest === null) this.#oldest = remote;
    else this.#newest.newer = remote;
    this.#newest = remote;
    this.size++;
  }
}

const isPlace = (remote: Remote, words: AddressWords, port: number, scope: number): boolean =>
  remote.port === port &&
  remote.w0 === words.w0 &&
  remote.w1 === words.w1 &&
  remote.w2 === words.w2 &&
  remote.w3 === words.w3 &&
  remote.scope === scope;

function hashOf(words: AddressWords, port: number): number {
  let hash = Math.imul(words.w0 ^ port, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ words.w1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ words.w2, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16) ^ words.w3, 0x27d4eb2f);
  return (hash ^ (hash >>> 15)) & 0x3fffffff;
}

function wordsToText(family: IpFamily, words: AddressWords): string {
  const view = new DataView(new ArrayBuffer(16));
  [words.w0, words.w1, words.w2, words.w3].forEach((word, index) => view.setInt32(4 * index, word, true));
  return formatIp(new Uint8Array(view.buffer, 0, family === 4 ? 4 : 16));
}
