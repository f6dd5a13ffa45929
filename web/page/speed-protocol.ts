// The speed test as it travels, over TCP between two virtual addresses: who asks says which version and which direction, who
// answers says the same version and whether it goes; then data, and nothing else. Up, the answering end says four times a
// second how much it got, for what left here need not have arrived there.

/** At the virtual address of a box. */
export const SPEED_PORT = 7079;

/** 16 bytes: what this is, and its version. */
export const MAGIC = Buffer.from('ginnel speed v1\n', 'latin1');
export const HELLO_BYTES = MAGIC.length + 1;
export const ANSWER_BYTES = MAGIC.length + 1;
export const COUNT_BYTES = 8;

export const DIRECTION_MS = 5_000;
export const TELL_EVERY_MS = 250;
/** Of one direction; what is left of its time is not used then. */
export const MOST_BYTES = 4 * 1024 * 1024 * 1024;

export type Direction = 'down' | 'up';
/** `go`, or `busy`: another test is under way there. */
export type Word = 'go' | 'busy';

const DIRECTIONS: Readonly<Record<Direction, number>> = { down: 0x64, up: 0x75 };
const WORDS: Readonly<Record<Word, number>> = { go: 0x67, busy: 0x62 };

export const helloOf = (direction: Direction): Buffer => withByte(DIRECTIONS[direction]);
export const answerOf = (word: Word): Buffer => withByte(WORDS[word]);

/** Null: somebody who speaks something else. */
export const directionIn = (hello: Buffer): Direction | null => read(hello, DIRECTIONS);
export const wordIn = (answer: Buffer): Word | null => read(answer, WORDS);

export function countOf(bytes: number): Buffer {
  const count = Buffer.alloc(COUNT_BYTES);
  count.writeBigUInt64BE(BigInt(bytes));
  return count;
}

/** Is that the beginning of something that could still become one? */
export const mayBecome = (bytes: Buffer): boolean =>
  bytes.subarray(0, MAGIC.length).equals(MAGIC.subarray(0, Math.min(bytes.length, MAGIC.length)));

const withByte = (byte: number): Buffer => Buffer.concat([MAGIC, Buffer.from([byte])]);

function read<Name extends string>(bytes: Buffer, names: Readonly<Record<Name, number>>): Name | null {
  if (bytes.length < MAGIC.length + 1 || !mayBecome(bytes)) return null;
  const found = Object.entries(names).find(([, byte]) => byte === bytes[MAGIC.length]);
  return (found?.[0] as Name | undefined) ?? null;
}
