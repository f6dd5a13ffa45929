// The server's signed places as another node brings them: checked by their schema before anything reads them. Their
// signature is judged by whoever knows the server's key (signed.ts).
import type { ValidateFunction } from 'ajv';
import { accepted, refused } from '../result.ts';
import type { Result } from '../result.ts';
import { compileSchema } from './codec.ts';
import type { ServerPlaces } from './messages.ts';
import { placesSchema } from './schema.ts';

/** All addresses of one word together, so that it fits a word between nodes. */
export const MAX_PLACES_TEXT = 600;

let validate: ValidateFunction<ServerPlaces> | null = null;

/** Refuses with `places.schema`. */
export function decodePlaces(value: unknown): Result<ServerPlaces, 'places.schema'> {
  validate ??= compileSchema<ServerPlaces>(placesSchema);
  if (!validate(value) || value.addresses.join('').length > MAX_PLACES_TEXT) return refused('places.schema');
  return accepted(value);
}
