// The server's signed word of where it can be reached: issued anew at each start and whenever its addresses change, always
// later than the one before, and kept before anybody is told.
import type { ScopedStore } from '../base/store.ts';
import type { ServerPlaces } from '../protocol/location/messages.ts';
import { decodePlaces, MAX_PLACES_TEXT } from '../protocol/location/places.ts';
import { signPlaces, verifyPlaces } from '../protocol/location/signed.ts';
import { toBase64Url } from '../protocol/base64.ts';
import type { Primitives } from '../protocol/primitives.ts';
import type { ServerKeys } from './keys.ts';
import type { ServerTime } from './time.ts';

export interface IssuedPlacesOptions {
  /** The network's own part of the store. */
  readonly store: ScopedStore;
  readonly keys: ServerKeys;
  readonly primitives: Primitives;
  readonly time: ServerTime;
  /** How often this server moved to another machine. */
  readonly moves: number;
}

const KEY = 'places';
const MAX_ADDRESSES = 8;

export class IssuedPlaces {
  readonly #options: IssuedPlacesOptions;
  #last: ServerPlaces | null;
  #isFresh = false;

  private constructor(options: IssuedPlacesOptions, last: ServerPlaces | null) {
    this.#options = options;
    this.#last = last;
  }

  /** Errors: the store's. */
  static async open(options: IssuedPlacesOptions): Promise<IssuedPlaces> {
    const kept = decodePlaces(await options.store.get(KEY));
    return new IssuedPlaces(options, kept.ok ? kept.value : null);
  }

  /** Null: none was issued in this run. */
  get current(): ServerPlaces | null {
    return this.#isFresh ? this.#last : null;
  }

  /** Issues where there is something new to say; the first time always. True: there is a new word. Errors: the store's. */
  async issue(all: readonly string[]): Promise<boolean> {
    const addresses = fitting(all);
    const isSame = this.#isFresh && this.#last?.addresses.join() === addresses.join();
    if (isSame || addresses.length === 0) return false;
    const { store, keys, primitives, time, moves } = this.#options;
    const places = signPlaces(primitives, keys.identitySeed, {
      v: 1,
      network: keys.network,
      serverKey: toBase64Url(keys.control.publicKey),
      addresses,
      moves,
      issued: Math.max(time.now(), (this.#last?.issued ?? 0) + 1),
    });
    await store.put(KEY, places);
    this.#last = places;
    this.#isFresh = true;
    return true;
  }

  /** Does this word prove that this server runs on another machine since? */
  isOfLaterMove(places: ServerPlaces): boolean {
    const { keys, primitives, moves } = this.#options;
    return (
      places.network === keys.network &&
      places.moves > moves &&
      verifyPlaces(primitives, keys.identityKey, places)
    );
  }
}

/** As many, from the front, as one word takes. */
function fitting(addresses: readonly string[]): string[] {
  const taken: string[] = [];
  for (const address of addresses.slice(0, MAX_ADDRESSES)) {
    if (taken.join('').length + address.length > MAX_PLACES_TEXT) break;
    taken.push(address);
  }
  return taken;
}
