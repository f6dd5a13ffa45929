// One stay in the network, from `up` to `down`: starts the parts in order, and takes everything away again.
import type { Timer } from '../../base/clock.ts';
import { parseIp } from '../../protocol/ip/address.ts';
import { ADDRESS_RULES, compileRules } from '../../protocol/ip/classify.ts';
import type { AddressTable } from '../../protocol/ip/classify.ts';
import { formatPrefix, networkOf } from '../../protocol/ip/prefix.ts';
import type { Assignment } from '../../protocol/location/messages.ts';
import type { TunDoor } from '../../system/doors.ts';
import type { ControlState } from '../control/types.ts';
import { cpuLoad } from './load.ts';
import type { NodeOptions } from './options.ts';
import { joinParts } from './parts.ts';
import type { Belongings, Parts } from './parts.ts';
import { registrationOf } from './registration.ts';

const REGISTER_EVERY_MS = 60_000;

/** The virtual addresses and the prefixes they stand in. */
interface Place {
  readonly assignment: Assignment;
  readonly prefix4: string;
  readonly prefix6: string;
}

export class Stay {
  /** In words, why the control side stands as it does. */
  controlReason = 'starting';
  readonly #options: NodeOptions;
  readonly #belongings: Belongings;
  readonly #scopes: AddressTable;
  readonly #ready = outcome();
  #parts: Parts | null = null;
  #tun: TunDoor | null = null;
  #place: Place | null = null;
  #registering: Timer | null = null;

  private constructor(options: NodeOptions, belongings: Belongings) {
    this.#options = options;
    this.#belongings = belongings;
    const scopes = compileRules(ADDRESS_RULES);
    if (!scopes.ok) throw new TypeError(scopes.code);
    this.#scopes = scopes.value;
  }

  /**
   * Settles when the virtual card is there: at once for a member, after the first welcome for a new one. Rejects where a
   * door does not open, or the server could not be reached or refused before there ever was a card; nothing stays behind.
   */
  static async begin(options: NodeOptions, belongings: Belongings): Promise<Stay> {
    const stay = new Stay(options, belongings);
    try {
      await stay.#begin();
      return stay;
    } catch (error) {
      await stay.end();
      throw error;
    }
  }

  get parts(): Parts {
    if (this.#parts === null) throw new TypeError('not begun');
    return this.#parts;
  }

  /** The virtual card's name; empty while there is none. */
  get card(): string {
    return this.#tun?.name ?? '';
  }

  get addresses(): { readonly ip4: string; readonly ip6: string } {
    const { ip4 = '', ip6 = '' } = this.#place?.assignment ?? {};
    return { ip4, ip6 };
  }

  /** An echo by way of the data plane; `ms` null: no reply. */
  async echo(destination: string, timeoutMs: number): Promise<{ readonly ms: number | null }> {
    const to = parseIp(destination);
    const { ip4, ip6 } = this.addresses;
    const from = parseIp(destination.includes(':') ? ip6 : ip4);
    if (!to.ok || !from.ok) return { ms: null };
    return this.parts.echoer.send(from.value.bytes, to.value.bytes, timeoutMs);
  }

  /** What sends stops before what it sends through; idempotent. */
  async end(): Promise<void> {
    const parts = this.#parts;
    this.#registering?.cancel();
    this.#tun?.close();
    this.#tun = null;
    if (parts === null) return;
    this.#parts = null;
    parts.echoer.close();
    await parts.plugins.close();
    await parts.control.stop();
    parts.paths.stop();
    parts.engine.close();
    parts.transport.close();
    parts.network.close();
    await parts.book.flush();
    await this.#belongings.membership.flush();
  }

  // ---- beginning

  async #begin(): Promise<void> {
    const parts = await joinParts(this.#options, this.#belongings, {
      deliver: (bytes, offset, length) => this.#deliver(bytes, offset, length),
      localNetworks: () => this.#localNetworks(),
      selfChanged: () => this.#register(),
      controlChanged: (state, reason) => this.#controlChanged(state, reason),
      welcomed: ({ assignment, prefix4, prefix6 }) => this.#settle({ assignment, prefix4, prefix6 }),
    });
    this.#parts = parts;
    const { assignment, prefix4, prefix6 } = this.#belongings.membership.current ?? {};
    if (assignment && prefix4 && prefix6) this.#settle({ assignment, prefix4, prefix6 });
    parts.network.onChange(() => parts.control.kick());
    parts.paths.start();
    parts.introductions.everyoneKnown();
    parts.plugins.onChange(() => parts.paths.setTraversal(parts.plugins.traversal()));
    void parts.plugins.start();
    parts.control.start();
    this.#registerRegularly();
    await this.#ready.promise;
  }

  /** Takes the place in the network: the card with its addresses (V1), the routes into it and no others (V2). */
  #settle(place: Place): void {
    const before = this.#place?.assignment;
    this.#place = place;
    if (before?.ip4 === place.assignment.ip4 && before.ip6 === place.assignment.ip6 && this.#tun !== null)
      return;
    try {
      this.#openCard(place);
      this.#ready.resolve();
    } catch (error) {
      this.#ready.reject(error);
      this.controlReason = String(error);
    }
  }

  #openCard({ assignment, prefix4, prefix6 }: Place): void {
    const { doors, engine, paths } = this.parts;
    const { card, mtu } = this.#options.settings;
    const onLink = (address: string, prefix: string): string => `${address}/${prefix.split('/')[1] ?? ''}`;
    this.#tun?.close();
    engine.setOverlay([prefix4, prefix6]);
    paths.setOverlay([prefix4, prefix6]);
    const tun = doors.openTun({
      name: card,
      mtu,
      addresses: [onLink(assignment.ip4, prefix4), onLink(assignment.ip6, prefix6)],
      routes: [],
    });
    tun.onPacket = (bytes, offset, length) => engine.outbound(bytes, offset, length);
    tun.onTurnEnded = () => engine.flush();
    this.#tun = tun;
  }

  // ---- while it lasts

  #deliver(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#parts?.echoer.takes(bytes, offset, length) === true) return;
    const result = this.#tun?.write(bytes, offset, length) ?? 'closed';
    if (result !== 'sent') this.#options.counters.counter(`node.card.${result}`).value++;
  }

  #controlChanged(state: ControlState, reason: string): void {
    this.controlReason = reason;
    const problem = this.#parts?.control.problem;
    if (problem && this.#tun === null && (state === 'away' || state === 'refused'))
      this.#ready.reject(problem);
  }

  /** Networks that this box sits on, so that the server can tell a clash with the overlay. */
  #localNetworks(): string[] {
    const networks = this.parts.network.addresses().filter(({ name }) => name !== this.card && name !== 'lo');
    return networks.flatMap(({ address, prefixLength }) => {
      const ip = parseIp(address);
      return ip.ok ? [formatPrefix(networkOf(ip.value, prefixLength))] : [];
    });
  }

  #registerRegularly(): void {
    this.#registering = this.#options.clock.after(REGISTER_EVERY_MS, () => {
      this.#register();
      this.#registerRegularly();
    });
  }

  #register(): void {
    if (this.#parts === null) return;
    const { control, paths } = this.#parts;
    control.register(
      registrationOf({
        candidates: paths.candidates,
        nat: paths.natReport,
        cpuLoad: cpuLoad(),
        scopes: this.#scopes,
      }),
    );
  }
}

interface Outcome {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

function outcome(): Outcome {
  let resolve: Outcome['resolve'] = () => undefined;
  let reject: Outcome['reject'] = () => undefined;
  const promise = new Promise<void>((settle, refuse) => {
    resolve = settle;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
