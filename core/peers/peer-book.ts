// The peers this node knows, verified, pinned and kept: a node runs on them when the server is away, through a restart too.
// Writes are few: flash is spared.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import { fromBase64Url } from '../../protocol/base64.ts';
import type { CandidateWords, NodeId, SignedNode } from '../../protocol/location/messages.ts';
import { verifyNode } from '../../protocol/location/signed.ts';
import type { SignedRefusal } from '../../protocol/location/signed.ts';
import type { DhKeyPair, Primitives } from '../../protocol/primitives.ts';
import { accepted, refused } from '../../protocol/result.ts';
import type { Result } from '../../protocol/result.ts';
import { peerErrors } from './errors.ts';
import { MAX_GOOD_ENDPOINTS, MAX_KEPT_CANDIDATES, MAX_PLACES, peerReader } from './peer.ts';
import type { GoodEndpoint, KnownPeer, Worked } from './peer.ts';
import type { Standings } from './standings.ts';
import { PeerWriter } from './peer-writer.ts';
import type { PeerStore } from './peer-writer.ts';

/** Beyond it the peer unheard of for longest is forgotten. */
export const MAX_PEERS = 4096;

export type PeerRefusal =
  | SignedRefusal
  | 'peer.network'
  /** It is this node itself. */
  | 'peer.self'
  | 'peer.expired'
  /** An older generation than the one known, or another record of the same generation. */
  | 'peer.generation'
  /** Another WireGuard or control key than the pinned one. */
  | 'peer.key-changed'
  /** A key that is none, or of low order. */
  | 'peer.key'
  /** It names the WireGuard key of another node. */
  | 'peer.key-taken'
  /** The server gave its address to another node since. */
  | 'peer.address-taken'
  /** By the server's latest word it is out of the network (V3). */
  | 'peer.removed'
  | 'peer.disabled';

export interface PeerBookEvents {
  /** A known node shows other keys: refused, for a person to hear of. */
  keyChanged(known: KnownPeer, problem: Error): void;
  /** The server gave this peer's address to another node, or it is out of the network. */
  forgotten(peer: KnownPeer): void;
  /** One that was disabled is in the network again. */
  returned(peer: KnownPeer): void;
}

export interface PeerBookOptions {
  readonly store: PeerStore;
  readonly primitives: Primitives;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  /** Milliseconds since 1970, as well as it is known. */
  readonly nowMs: () => number;
  /** base64url. */
  readonly network: string;
  /** The server's Ed25519 key, 32 bytes. */
  readonly serverIdentity: Uint8Array;
  readonly self: NodeId;
  /** Who is out. */
  readonly standings: Pick<Standings, 'keepsOut'>;
  /** This node's control keys: a peer's keys must give a secret with them. */
  readonly localStatic: DhKeyPair;
  readonly events?: Partial<PeerBookEvents>;
  /** Default 4096. */
  readonly maxPeers?: number;
}

export class PeerBook {
  readonly #options: PeerBookOptions;
  readonly #peers = new Map<NodeId, KnownPeer>();
  readonly #byAddress = new Map<string, NodeId>();
  readonly #byWireguardKey = new Map<string, NodeId>();
  /** Disabled ones: kept for their return, and known to nobody until then. */
  readonly #keptOut = new Map<NodeId, KnownPeer>();
  readonly #writer: PeerWriter;

  private constructor(options: PeerBookOptions) {
    this.#options = options;
    this.#writer = new PeerWriter({
      ...options,
      read: id => this.#peers.get(id) ?? this.#keptOut.get(id) ?? null,
    });
  }

  /** Reads what was kept; entries that are damaged or of another network are counted and left out. */
  static async open(options: PeerBookOptions): Promise<PeerBook> {
    const book = new PeerBook(options);
    const read = peerReader();
    for (const [, value] of await options.store.entries('')) {
      const peer = read(value);
      if (peer !== null && peer.node.record.network === options.network && book.#verifies(peer.node))
        book.#putOrKeepOut(peer);
      else options.counters.counter('peers.unreadable').value++;
    }
    return book;
  }

  /** The peer as it is known after this word of it; a refusal changes nothing. */
  accept(node: SignedNode): Result<KnownPeer, PeerRefusal> {
    const { id } = node.record;
    const known = this.#peers.get(id);
    if (known !== undefined && JSON.stringify(known.node) === JSON.stringify(node)) {
      this.#put(known);
      return accepted(known);
    }
    const doubt = this.#doubt(node, known);
    if (doubt !== null) return this.#refuse(doubt, known);
    const peer = { candidates: [], goodEndpoints: [], signalSerial: 0, ...known, node };
    if (known !== undefined) this.#unindex(known);
    this.#takeAddresses(node);
    this.#put(peer);
    this.#writer.now(id);
    this.#forgetOldest();
    return accepted(peer);
  }

  /** Why that node is none to talk to; null: it is, though its word may be older than the known one. Changes nothing. */
  doubt(node: SignedNode): PeerRefusal | null {
    const doubt = this.#doubt(node, this.#peers.get(node.record.id));
    return doubt === 'peer.generation' ? null : doubt;
  }

  get size(): number {
    return this.#peers.size;
  }

  all(): readonly KnownPeer[] {
    return [...this.#peers.values()];
  }

  byId(id: NodeId): KnownPeer | null {
    return this.#peers.get(id) ?? null;
  }

  /** A virtual IPv4 or IPv6 address, canonical. */
  byAddress(address: string): KnownPeer | null {
    return this.byId(this.#byAddress.get(address) ?? '');
  }

  /** base64. */
  byWireguardKey(key: string): KnownPeer | null {
    return this.byId(this.#byWireguardKey.get(key) ?? '');
  }

  /** What a person types: a name (in any case), a virtual IP, an id or a WireGuard key. */
  find(what: string): KnownPeer | null {
    const name = what.toLowerCase();
    const direct = this.byId(what) ?? this.byAddress(name) ?? this.byWireguardKey(what);
    if (direct !== null) return direct;
    // Two may share a name for a while after a renaming; the later word counts.
    return this.all().findLast(peer => peer.node.record.name.toLowerCase() === name) ?? null;
  }

  /** Is this signal's serial a new one? Then it is taken as seen. */
  admitSerial(id: NodeId, serial: number): boolean {
    const peer = this.#peers.get(id);
    if (peer === undefined || serial <= peer.signalSerial) return false;
    this.#change(peer, { signalSerial: serial });
    return true;
  }

  noteCandidates(id: NodeId, candidates: readonly CandidateWords[]): void {
    const peer = this.#peers.get(id);
    if (peer !== undefined) this.#change(peer, { candidates: candidates.slice(0, MAX_KEPT_CANDIDATES) });
  }

  /** A place where the peer answered just now. */
  noteGood(id: NodeId, good: Omit<GoodEndpoint, 'at'>): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    const others = peer.goodEndpoints.filter(other => !samePlace(other, good));
    const goodEndpoints = [{ ...good, at: this.#options.nowMs() }, ...others].slice(0, MAX_GOOD_ENDPOINTS);
    this.#change(peer, { goodEndpoints });
  }

  noteWorked(id: NodeId, { places, method }: Worked): void {
    const peer = this.#peers.get(id);
    const worked = { places: places.slice(0, MAX_PLACES), method };
    if (peer !== undefined) this.#change(peer, { worked });
  }

  /** The server's word on that node is another: it goes, or comes back. */
  judge(id: NodeId): void {
    const { standings, counters, events } = this.#options;
    const known = this.#peers.get(id);
    const peer = known ?? this.#keptOut.get(id);
    if (peer === undefined) return;
    const isOut = standings.keepsOut(peer.node.assignment) !== null;
    if (known === undefined && !isOut) this.#return(peer);
    if (known === undefined && isOut) this.#putOrKeepOut(peer);
    if (known === undefined || !isOut) return;
    counters.counter('peers.put-out').value++;
    this.#unindex(known);
    this.#peers.delete(id);
    this.#putOrKeepOut(known);
    events?.forgotten?.(known);
  }

  /** Is it the WireGuard key (base64) of a known node that is out of the network? */
  isKeptOut(wireguardKey: string): boolean {
    return [...this.#keptOut.values()].some(({ node }) => node.record.wireguardKey === wireguardKey);
  }

  /** Unpins it: the next word of it is taken as of a node never met. */
  forget(id: NodeId): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    this.#unindex(peer);
    this.#peers.delete(id);
    this.#keptOut.delete(id);
    this.#writer.now(id);
  }

  /** Writes what waits; settles when it is written, or was refused by the disk (logged, counted). */
  flush(): Promise<void> {
    return this.#writer.flush();
  }

  // ---- judging

  #doubt(node: SignedNode, known: KnownPeer | undefined): PeerRefusal | null {
    const { record } = node;
    if (record.network !== this.#options.network) return 'peer.network';
    if (record.id === this.#options.self) return 'peer.self';
    const verified = verifyNode(this.#options.primitives, this.#options.serverIdentity, node);
    if (!verified.ok) return verified.code;
    const out = this.#options.standings.keepsOut(node.assignment);
    if (out !== null) return `peer.${out}`;
    if (this.#isSuperseded(node)) return 'peer.address-taken';
    if (known !== undefined) return this.#doubtNews(node, known);
    if (record.expires <= this.#options.nowMs()) return 'peer.expired';
    if (!this.#isKey(record.controlKey) || !this.#isKey(record.wireguardKey)) return 'peer.key';
    return this.#byWireguardKey.has(record.wireguardKey) ? 'peer.key-taken' : null;
  }

  #doubtNews({ record, assignment }: SignedNode, { node: known }: KnownPeer): PeerRefusal | null {
    if (record.wireguardKey !== known.record.wireguardKey || record.controlKey !== known.record.controlKey)
      return 'peer.key-changed';
    if (record.generation < known.record.generation || assignment.issued < known.assignment.issued)
      return 'peer.generation';
    const isSame = record.signature === known.record.signature;
    if (record.generation === known.record.generation && !isSame) return 'peer.generation';
    return !isSame && record.expires <= this.#options.nowMs() ? 'peer.expired' : null;
  }

  #isSuperseded({ record, assignment }: SignedNode): boolean {
    const holder = this.byAddress(record.ip4)?.node;
    return (
      holder !== undefined && holder.record.id !== record.id && holder.assignment.issued > assignment.issued
    );
  }

  #isKey(text: string): boolean {
    const key = fromBase64Url(text.replaceAll('+', '-').replaceAll('/', '_').replace(/=$/, ''));
    return key?.length === 32 && this.#options.localStatic.diffieHellman(key) !== null;
  }

  #refuse(code: PeerRefusal, known: KnownPeer | undefined): Result<never, PeerRefusal> {
    this.#options.counters.counter(`peers.refused.${code}`).value++;
    if (code === 'peer.key-changed' && known !== undefined) {
      const problem = peerErrors('PEER_KEY_CHANGED', { name: known.node.record.name });
      this.#options.log.warn(problem.message, { id: known.node.record.id });
      this.#options.events?.keyChanged?.(known, problem);
    }
    return refused(code);
  }

  #verifies(node: SignedNode): boolean {
    return verifyNode(this.#options.primitives, this.#options.serverIdentity, node).ok;
  }

  // ---- keeping

  /** A removed one is forgotten, its keys too: let in anew, it may come with others. */
  #putOrKeepOut(peer: KnownPeer): void {
    const { id } = peer.node.record;
    const out = this.#options.standings.keepsOut(peer.node.assignment);
    if (out === null) this.#put(peer);
    else if (out === 'disabled') this.#keptOut.set(id, peer);
    else {
      this.#keptOut.delete(id);
      this.#writer.now(id);
    }
  }

  #return(peer: KnownPeer): void {
    const { record } = peer.node;
    this.#keptOut.delete(record.id);
    if (this.#isSuperseded(peer.node) || this.#byWireguardKey.has(record.wireguardKey)) {
      this.#writer.now(record.id);
      return;
    }
    this.#takeAddresses(peer.node);
    this.#put(peer);
    this.#options.events?.returned?.(peer);
  }

  /** Last in the map: the order is that of the last word. */
  #put(peer: KnownPeer): void {
    const { id, ip4, ip6, wireguardKey } = peer.node.record;
    this.#peers.delete(id);
    this.#peers.set(id, peer);
    this.#byAddress.set(ip4, id);
    this.#byAddress.set(ip6, id);
    this.#byWireguardKey.set(wireguardKey, id);
  }

  #change(peer: KnownPeer, change: Partial<KnownPeer>): void {
    const { id } = peer.node.record;
    this.#peers.set(id, { ...peer, ...change });
    this.#writer.later(id);
  }

  /** The server's latest word on an address counts: whoever had it before is gone. */
  #takeAddresses({ record }: SignedNode): void {
    const holder = this.byAddress(record.ip4);
    if (holder === null || holder.node.record.id === record.id) return;
    this.#options.counters.counter('peers.address-moved').value++;
    this.forget(holder.node.record.id);
    this.#options.events?.forgotten?.(holder);
  }

  #unindex(peer: KnownPeer): void {
    const { id, ip4, ip6, wireguardKey } = peer.node.record;
    for (const address of [ip4, ip6])
      if (this.#byAddress.get(address) === id) this.#byAddress.delete(address);
    if (this.#byWireguardKey.get(wireguardKey) === id) this.#byWireguardKey.delete(wireguardKey);
  }

  #forgetOldest(): void {
    if (this.#peers.size <= (this.#options.maxPeers ?? MAX_PEERS)) return;
    const [oldest] = this.#peers.values();
    if (oldest === undefined) return;
    this.#options.counters.counter('peers.forgotten').value++;
    this.forget(oldest.node.record.id);
    this.#options.events?.forgotten?.(oldest);
  }
}

const samePlace = (a: Omit<GoodEndpoint, 'at'>, b: Omit<GoodEndpoint, 'at'>): boolean =>
  a.transport === b.transport && a.remote.address === b.remote.address && a.remote.port === b.remote.port;
