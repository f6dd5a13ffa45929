// Relays as the server has them: whose TCP door answers, the route table made from that, and who is told. Joins what knows
// sockets and sessions with what does not.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import { systemRandom } from '../../base/random.ts';
import { fromBase64Url } from '../../protocol/base64.ts';
import type { NodeId, Registration, SignedNode } from '../../protocol/location/messages.ts';
import type { DhKeyPair, Primitives } from '../../protocol/primitives.ts';
import type { ServerLimits } from '../limits.ts';
import type { Presence } from '../presence.ts';
import { isMember } from '../registry-entries.ts';
import type { NodeEntry } from '../registry-entries.ts';
import type { Registry } from '../registry.ts';
import type { Session } from '../session.ts';
import { checkDoor } from './door-check.ts';
import { doorPlaces, isNear, reachOf } from './door-places.ts';
import type { DoorScopes } from './door-places.ts';
import { Doors } from './doors.ts';
import type { RelayChoice } from './facts.ts';
import type { OnLink } from './on-link.ts';
import { RouteTable } from './table.ts';
import type { Way } from './told.ts';

export interface RelaysOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly primitives: Primitives;
  readonly limits: ServerLimits;
  /** The server's own channel key. */
  readonly localStatic: DhKeyPair;
  readonly registry: Registry;
  readonly presence: Presence<Session>;
  readonly way: RelayChoice;
  readonly onLink: Pick<OnLink, 'has'>;
}

export class Relays {
  readonly doors: Doors;
  readonly table: RouteTable;
  readonly #options: RelaysOptions;
  #way: RelayChoice;

  constructor(options: RelaysOptions) {
    const { clock, counters, primitives, limits, localStatic, presence, registry } = options;
    this.#options = options;
    this.#way = options.way;
    const check = { primitives, clock, localStatic, timeoutMs: limits.doorTimeoutMs };
    this.doors = new Doors({
      ...{ clock, counters, most: limits.doorChecks, againMs: limits.doorAgainMs },
      look: (place, controlKey) => checkDoor(check, place, controlKey),
      changed: node => this.table.doorSeen(node, this.doors.door(node)),
    });
    this.table = new RouteTable({
      ...{ clock, random: systemRandom },
      way: () => this.#way,
      signed: node => memberOf(registry.nodes.get(node)),
      isOutside: ({ address }) => reachOf(this.#scopes, address) === 'outside',
      tell: (node, message) => {
        counters.counter(`relays.${message.type}`).value++;
        presence.session(node)?.send(message);
      },
      watchersOf: node => presence.watchersOf(node).map(session => session.node),
      doubted: relay => this.doors.doubt(relay),
    });
  }

  get way(): RelayChoice {
    return this.#way;
  }

  setWay(way: RelayChoice): void {
    if (way === this.#way) return;
    this.#way = way;
    this.table.choiceChanged();
  }

  arrived(session: Session): void {
    this.table.arrived(session.node);
  }

  registered(session: Session, registration: Registration): void {
    const { node, place } = session;
    const entry = this.#options.registry.nodes.get(node);
    const controlKey = fromBase64Url(entry?.controlKey ?? '');
    if (controlKey === null) return;
    this.doors.watch(node, {
      places: doorPlaces(registration, place, this.#scopes),
      ...{ controlKey, isRelay: registration.relay !== null },
    });
    this.table.registered(node, registration, {
      ...{ isNear: isNear(this.#scopes, place), door: this.doors.door(node) },
    });
    if (this.table.row(node)?.isChecked === false) this.#awaitDoor(node);
  }

  published(node: NodeId): void {
    this.table.published(node);
  }

  left(node: NodeId): void {
    this.doors.left(node);
    this.table.left(node);
  }

  forget(node: NodeId): void {
    this.doors.forget(node);
    this.table.forget(node);
  }

  /** How `asker` reaches `node`. */
  wayTo(node: NodeId, asker: NodeId): Way {
    return this.table.wayTo(node, asker);
  }

  close(): void {
    this.doors.close();
  }

  /** A router that drops says nothing for seconds: meanwhile the node gets relays. */
  #awaitDoor(node: NodeId): void {
    const { clock, limits } = this.#options;
    clock.after(limits.doorGraceMs, () => this.table.doorSeen(node, this.doors.door(node), true));
  }

  get #scopes(): DoorScopes {
    const { registry, limits, onLink } = this.#options;
    const isOnLink = (address: string): boolean => onLink.has(address);
    return { table: registry.rules.table, isOnLink, loopbackIsPublic: limits.loopbackDoors };
  }
}

/** Null where it is no member, or published no record yet. */
function memberOf(entry: NodeEntry | undefined): SignedNode | null {
  if (entry?.record == null || !isMember(entry)) return null;
  return { record: entry.record, assignment: entry.assignment };
}
