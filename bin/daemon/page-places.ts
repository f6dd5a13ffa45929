// Where the page is served, as its setting says it: `lan`, `lan:8080`, `off`, or addresses with ports.
import { isIP } from 'node:net';
import { parseHostPort } from '../../protocol/location/addresses.ts';

export const PAGE_PORT = 7080;
const MOST_PLACES = 16;

export interface PagePlace {
  readonly host: string;
  readonly port: number;
}

export type PagePlaces =
  | { readonly kind: 'off' }
  | { readonly kind: 'lan'; readonly port: number }
  | { readonly kind: 'list'; readonly places: readonly PagePlace[] };

/** Null: it says none of them. */
export function parsePagePlaces(text: string): PagePlaces | null {
  const words = text.split(/[\s,]+/).filter(word => word !== '');
  if (words.length === 1 && words[0] === 'off') return { kind: 'off' };
  const lan = words.length === 1 ? /^lan(?::(\d{1,5}))?$/.exec(words[0] ?? '') : null;
  if (lan !== null) {
    const port = lan[1] === undefined ? PAGE_PORT : Number(lan[1]);
    return port > 0 && port < 65_536 ? { kind: 'lan', port } : null;
  }
  const places = words.map(placeOf).filter(place => place !== null);
  const isWhole = places.length === words.length && places.length > 0 && places.length <= MOST_PLACES;
  return isWhole ? { kind: 'list', places } : null;
}

/** Names may lead anywhere by tomorrow: an address, or `localhost`. */
function placeOf(word: string): PagePlace | null {
  const place = parseHostPort(word);
  if (place === null || (isIP(place.host) === 0 && place.host !== 'localhost')) return null;
  return { host: place.host === 'localhost' ? '127.0.0.1' : place.host, port: place.port };
}
