// Where the server is, by its own signed word: the newest is kept, whoever brought it. The server is its key, not its
// address, so a stranger may carry this word, and nobody but the server can change it.
import type { Counters } from '../../base/counters.ts';
import { fromBase64Url } from '../../protocol/base64.ts';
import type { ServerPlaces } from '../../protocol/location/messages.ts';
import { verifyPlaces } from '../../protocol/location/signed.ts';
import type { Primitives } from '../../protocol/primitives.ts';
import type { MembershipFile } from './membership.ts';

export type Learnt = 'newer' | 'known' | 'older' | 'refused';

type Age = Pick<ServerPlaces, 'moves' | 'issued'>;

/** Above 0: `one` is newer. A server that moved outdates all that its former machine says. */
export const compareAge = (one: Age, other: Age): number =>
  one.moves - other.moves || one.issued - other.issued;

export class Whereabouts {
  readonly #membership: MembershipFile;
  readonly #primitives: Primitives;
  readonly #counters: Counters;

  constructor(membership: MembershipFile, primitives: Primitives, counters: Counters) {
    this.#membership = membership;
    this.#primitives = primitives;
    this.#counters = counters;
  }

  get newest(): ServerPlaces | null {
    return this.#membership.current?.places ?? null;
  }

  /** Keeps it where it is newer than what is known. */
  learn(places: ServerPlaces): Learnt {
    const learnt = this.#judge(places);
    this.#counters.counter(`places.${learnt}`).value++;
    if (learnt === 'newer') this.#membership.update({ places });
    return learnt;
  }

  /** The signature last: what is old or of another network costs no arithmetic. */
  #judge(places: ServerPlaces): Learnt {
    const { current } = this.#membership;
    if (current === null || places.network !== current.network || places.serverKey !== current.serverKey)
      return 'refused';
    const age = current.places === null ? 1 : compareAge(places, current.places);
    if (age <= 0) return age === 0 ? 'known' : 'older';
    const identity = fromBase64Url(current.serverIdentity);
    const isSigned = identity?.length === 32 && verifyPlaces(this.#primitives, identity, places);
    return isSigned ? 'newer' : 'refused';
  }
}
