// The forwarding route table (V7): where each node's own TCP door answers, and by which relays one is reached whose does not.
// It is made anew for whom it concerns when a relay comes, goes or fails (V13), and who needs to know is told at once (V9).
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type {
  NodeId,
  Registration,
  ServerMessage,
  SignedNode,
  TcpPlace,
} from '../../protocol/location/messages.ts';
import { chooseRelays, KEEP, orderFor } from './choice.ts';
import type { Kept } from './choice.ts';
import type { Door } from './doors.ts';
import { perNodeOf } from './facts.ts';
import type { RelayChoice, RelayFacts } from './facts.ts';
import { relaysToMeasure, withStandIns } from './measure.ts';
import { RelayBook } from './relay-book.ts';
import { factsOf, keptBy, newRow, readRelays } from './rows.ts';
import type { Row } from './rows.ts';
import { inOrder, inShort, MAX_PLACES, NO_WAY, tcpPlaceOf, wayInShort } from './told.ts';
import type { Way } from './told.ts';

const ROTATE_MS = 55_000;

export interface RouteTableOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly way: () => RelayChoice;
  /** Who it is, signed; null: no member, or it published no record yet. */
  readonly signed: (node: NodeId) => SignedNode | null;
  /** Is that address of use to everybody, or only on the server's own local network? */
  readonly isOutside: (place: Endpoint) => boolean;
  readonly tell: (node: NodeId, message: ServerMessage) => void;
  /** Who looked that node up, or talks with it. */
  readonly watchersOf: (node: NodeId) => readonly NodeId[];
  /** A node says that it could not reach that relay. */
  readonly doubted: (relay: NodeId) => void;
}

/** How the server itself sees a node. */
export interface Seen {
  /** Its connection comes from the server's own local network. */
  readonly isNear: boolean;
  readonly door: Door;
}

export class RouteTable {
  readonly book = new RelayBook();
  readonly #options: RouteTableOptions;
  readonly #rows = new Map<NodeId, Row>();
  /** Online nodes that need relays and have too few. */
  readonly #wanting = new Set<NodeId>();
  #far = 0;

  constructor(options: RouteTableOptions) {
    this.#options = options;
  }

  row(node: NodeId): Row | undefined {
    return this.#rows.get(node);
  }

  get rows(): Iterable<Row> {
    return this.#rows.values();
  }

  /** It connected anew: what it was told before may be lost. */
  arrived(node: NodeId): void {
    const row = this.#rows.get(node);
    if (row !== undefined) row.told = 'unknown';
  }

  /** What it registered, as the network's rules judge it. */
  registered(node: NodeId, registration: Registration, { isNear, door }: Seen): void {
    const row = this.#rows.get(node) ?? newRow(node, registration);
    this.#rows.set(node, row);
    row.registration = registration;
    if (row.told === '' && keptBy(row).length > 0) row.told = 'unknown';
    const failedBefore = new Set(row.failed.keys());
    readRelays(row, id => this.book.for(true).has(id), this.now);
    for (const failed of row.failed.keys()) if (!failedBefore.has(failed)) this.#options.doubted(failed);
    this.#online(row, true, isNear);
    this.doorSeen(node, door);
  }

  /** Where its own TCP door answers. `isOverdue`: what is not known by now counts as no. */
  doorSeen(node: NodeId, { state, places }: Door, isOverdue = false): void {
    const row = this.#rows.get(node);
    if (row?.isOnline !== true) return;
    row.door = places;
    row.isChecked ||= state !== 'checking' || isOverdue;
    this.#asRelay(row);
    this.#remake(row);
  }

  /** It has another record now. */
  published(node: NodeId): void {
    const row = this.#rows.get(node);
    if (row?.isOnline === true) this.#asRelay(row);
  }

  /** Its connection with the server ended. */
  left(node: NodeId): void {
    const row = this.#rows.get(node);
    if (row?.isOnline !== true) return;
    Object.assign(row, { door: [], isChecked: false, told: 'unknown' });
    this.#online(row, false, row.isNear);
    this.book.use(node, []);
    this.#wanting.delete(node);
    this.#asRelay(row);
    this.#reroute(row);
  }

  /** It is out of the network. */
  forget(node: NodeId): void {
    this.left(node);
    this.#rows.delete(node);
  }

  /** Relays are chosen another way from now on: whoever set that wants to see it. */
  choiceChanged(): void {
    for (const row of this.#rows.values()) row.kept = { ...row.kept, changedAt: null };
    for (const row of this.#rows.values()) this.#remake(row);
  }

  /** How `asker` reaches `node` (V10). */
  wayTo(node: NodeId, asker: NodeId): Way {
    const row = this.#rows.get(node);
    if (row?.isOnline !== true) return NO_WAY;
    const from = this.#rows.get(asker);
    const isNear = from?.isNear ?? false;
    const tcp = this.#placesFor(row.door, isNear).slice(0, MAX_PLACES);
    if (tcp.length > 0 && !this.#needsRelays(row)) return { tcp, relays: [] };
    const had = this.book.for(isNear && row.isNear);
    const standing = keptBy(row);
    const isStanding = ({ id }: RelayFacts): boolean => standing.includes(id);
    const relays = inOrder(row.kept.relays, standing).flatMap(id => had.get(id) ?? []);
    // Nobody reaches another through itself.
    const others = relays.filter(({ id }) => id !== asker && id !== node);
    const ordered = from === undefined ? others : this.#ordered(from, row, others);
    const best = [...ordered.filter(isStanding), ...ordered.filter(relay => !isStanding(relay))];
    return { tcp, relays: best.flatMap(relay => this.#place(relay, isNear) ?? []).slice(0, MAX_PLACES) };
  }

  // ---- one node

  /** Whether anybody is outside decides whether an address of the local network is enough. */
  #online(row: Row, isOnline: boolean, isNear: boolean): void {
    const before = this.#far > 0;
    if (row.isOnline && !row.isNear) this.#far--;
    Object.assign(row, { isOnline, isNear });
    if (isOnline && !isNear) this.#far++;
    if (this.#far > 0 !== before) for (const other of this.#rows.values()) this.#remake(other);
  }

  /** It offers to forward, its door answers, and it is here: or not any more. */
  #asRelay(row: Row): void {
    const { id, registration, door, isOnline } = row;
    const signed = this.#options.signed(id);
    const canForward = isOnline && registration.relay !== null && door.length > 0 && signed !== null;
    const offer = canForward ? inShort([{ node: signed, places: door }]) : '';
    if (!canForward) this.book.drop(id);
    else if (this.book.report(id, registration, door, door.some(this.#options.isOutside))) this.#isBack(id);
    if (offer === row.offer) return;
    row.offer = offer;
    for (const node of this.book.users(id)) this.#remakeOf(node);
  }

  /** What failed before it came back proves nothing now. */
  #isBack(relay: NodeId): void {
    for (const { failed } of this.#rows.values()) failed.delete(relay);
    for (const node of [...this.#wanting]) this.#remakeOf(node);
  }

  #needsRelays(row: Row): boolean {
    if (!row.isOnline) return false;
    const isReached = row.door.some(this.#options.isOutside) || (row.door.length > 0 && this.#far === 0);
    return !isReached && row.isChecked;
  }

  #remakeOf(node: NodeId): void {
    const row = this.#rows.get(node);
    if (row !== undefined) this.#remake(row);
  }

  /** Its relays, by the choice; then whoever needs to know hears of it. */
  #remake(row: Row): void {
    if (!row.isOnline || !row.isChecked) return;
    const before = row.kept;
    const had = this.book.for(row.isNear);
    row.kept = this.#needsRelays(row) ? this.#chosen(row, had) : { ...before, relays: [] };
    this.book.use(row.id, row.kept.relays);
    if (this.#needsRelays(row) && row.kept.relays.length < KEEP) this.#wanting.add(row.id);
    else this.#wanting.delete(row.id);
    this.#rotate(row);
    this.#tell(row);
    this.#reroute(row);
  }

  #chosen(row: Row, had: ReadonlyMap<NodeId, RelayFacts>): Kept {
    const { random, way } = this.#options;
    // What it kept before this server knew of it goes on.
    const kept =
      row.kept.relays.length > 0
        ? row.kept
        : {
            ...row.kept,
            relays: keptBy(row)
              .filter(id => had.has(id))
              .slice(0, KEEP),
          };
    const around = { way: way(), perNode: perNodeOf(had.values()) };
    return chooseRelays(factsOf(row), kept, had, { ...around, now: this.now, random });
  }

  /** Others to be measured, so that `nearest` finds good ones; and to go to while the server is away. */
  #rotate(row: Row): void {
    if (this.now - row.rotatedAt < ROTATE_MS && row.measure.length > 0) return;
    const had = this.book.for(row.isNear);
    const options = {
      ...{ node: row.id, region: row.registration.region, keep: row.kept.relays },
      ...{ measured: row.measured, now: this.now, random: this.#options.random },
    };
    const due = this.#options.way() === 'nearest' ? relaysToMeasure(had.values(), options) : [];
    row.measure = this.#needsRelays(row)
      ? withStandIns(had.values(), { ...options, due, before: row.measure })
      : due;
    if (row.measure.length > 0) row.rotatedAt = this.now;
  }

  // ---- who is told

  #tell(row: Row): void {
    if (!row.isOnline || !row.isChecked) return;
    const places = (ids: readonly NodeId[]): TcpPlace[] =>
      ids.flatMap(id => {
        const relay = this.book.for(row.isNear).get(id);
        return relay === undefined ? [] : (this.#place(relay, row.isNear) ?? []);
      });
    const others = row.measure.filter(id => !row.kept.relays.includes(id));
    const [keep, measure] = [places(row.kept.relays), places(others)];
    const told = keep.length + measure.length === 0 ? '' : `${inShort(keep)} | ${inShort(measure)}`;
    if (told === row.told) return;
    row.told = told;
    this.#options.tell(row.id, { type: 'relays', keep, measure });
  }

  /** V13. */
  #reroute(row: Row): void {
    const { watchersOf, tell } = this.#options;
    const way = wayInShort(this.wayTo(row.id, row.id));
    if (way === row.way) return;
    row.way = way;
    if (!row.isOnline) return;
    for (const watcher of watchersOf(row.id))
      tell(watcher, { type: 'rerouted', node: row.id, ...this.wayTo(row.id, watcher) });
  }

  #place(relay: RelayFacts, isNear: boolean): TcpPlace | null {
    return tcpPlaceOf(this.#options.signed(relay.id), this.#placesFor(relay.places, isNear));
  }

  #placesFor(places: readonly Endpoint[], isNear: boolean): readonly Endpoint[] {
    return isNear ? places : places.filter(this.#options.isOutside);
  }

  #ordered(from: Row, to: Row, relays: readonly RelayFacts[]): readonly RelayFacts[] {
    return orderFor(factsOf(from), factsOf(to), relays, this.#options.way());
  }

  /** By which the calm of a node's relays is counted, in ms. */
  get now(): number {
    return this.#options.clock.monotonicMs();
  }
}
