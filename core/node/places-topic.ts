// Where the server is, told from node to node: a box that knows the server's newer, signed places tells those that do not.
import type { ServerPlaces } from '../../protocol/location/messages.ts';
import { decodePlaces } from '../../protocol/location/places.ts';
import type { Control } from '../control/types.ts';
import { compareAge } from '../control/whereabouts.ts';
import type { Topic } from './hearsay.ts';

/** `<moves>.<issued>` of the newest word known; `0.0`: none. */
export function placesTopic(control: () => Pick<Control, 'places' | 'hearPlaces'>): Topic {
  return {
    name: 'places',
    digest: () => digestOf(control().places),
    lacking(digest) {
      const own = control().places;
      const [, moves, issued] = /^(\d{1,16})\.(\d{1,16})$/.exec(digest === '' ? '0.0' : digest) ?? [];
      if (own === null || moves === undefined) return [];
      return compareAge(own, { moves: Number(moves), issued: Number(issued) }) > 0 ? [own] : [];
    },
    learn(item) {
      const places = decodePlaces(item);
      return places.ok && control().hearPlaces(places.value) === 'newer';
    },
  };
}

const digestOf = (places: ServerPlaces | null): string => `${places?.moves ?? 0}.${places?.issued ?? 0}`;
