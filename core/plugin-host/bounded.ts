// A plain, bounded copy of what foreign code answered: what is passed on is JSON, and neither large, deep, nor alive.

const MAX_DEPTH = 8;

export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/** Throws TooLarge beyond so many bytes of JSON, an Error where it is too deep (or a circle), and what getters throw. */
export function plainCopy(
  value: unknown,
  maxBytes: number,
  textOf = (text: string): string => text,
): unknown {
  let left = maxBytes;
  const spend = (bytes: number): void => {
    left -= bytes;
    if (left < 0) throw new TooLarge(`it is larger than ${maxBytes} bytes`);
  };
  const text = (given: string): string => {
    // Before it is looked at any closer: a character takes a byte at least.
    spend(given.length + 2);
    spend(Buffer.byteLength(given) - given.length);
    return textOf(given);
  };
  const copy = (given: unknown, depth: number): unknown => {
    if (depth > MAX_DEPTH) throw new Error('it goes in a circle, or is too deep');
    spend(2);
    if (typeof given === 'string') return text(given);
    if (typeof given === 'number') return Number.isFinite(given) ? given : null;
    if (typeof given === 'boolean' || given === null) return given;
    if (typeof given !== 'object') return undefined;
    return Array.isArray(given) ? items(given, depth) : members(given, depth);
  };
  const items = (given: readonly unknown[], depth: number): unknown[] => {
    const copied: unknown[] = [];
    for (let at = 0; at < given.length; at++) copied.push(copy(given[at], depth + 1) ?? null);
    return copied;
  };
  const members = (given: object, depth: number): object => {
    const copied: [string, unknown][] = [];
    for (const key of Object.keys(given)) {
      const member = copy(Reflect.get(given, key), depth + 1);
      if (member !== undefined) copied.push([text(key), member]);
    }
    return Object.fromEntries(copied);
  };
  return copy(value, 0);
}
