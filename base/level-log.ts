// LevelDB's write-ahead log, checked before LevelDB opens it: LevelDB drops what follows a damaged record without a word.
// Blocks of 32 KiB; a record is CRC-32C (masked), length, type and data (LevelDB's doc/log_format.md). A record that is
// broken at the very end is what a power cut leaves of a write nobody confirmed; one before a whole record is damage.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const BLOCK = 32_768;
const HEADER = 7;

/** The name of the first log in the folder that lost records in its middle, or null. */
export async function findDamagedLog(folder: string): Promise<string | null> {
  const table = castagnoliTable();
  for (const name of await readdir(folder)) {
    if (/^\d+\.log$/.test(name) && logIsDamaged(await readFile(join(folder, name)), table)) return name;
  }
  return null;
}

function logIsDamaged(log: Buffer, table: Uint32Array): boolean {
  let at = 0;
  while (at < log.length) {
    const room = BLOCK - (at % BLOCK);
    const length = room < HEADER ? 0 : recordLength(log, at, table);
    if (room >= HEADER && length === null) return recordFollows(log, at + 1, table);
    at += room < HEADER ? room : HEADER + length!;
  }
  return false;
}

function recordFollows(log: Buffer, from: number, table: Uint32Array): boolean {
  for (let at = from; at + HEADER < log.length; at++) {
    if (recordLength(log, at, table) !== null) return true;
  }
  return false;
}

/** The data's length of a whole record at that place, or null. */
function recordLength(log: Buffer, at: number, table: Uint32Array): number | null {
  if (at + HEADER > log.length) return null;
  const length = log.readUInt16LE(at + 4);
  const type = log[at + 6]!;
  const end = at + HEADER + length;
  if (type < 1 || type > 4 || (at % BLOCK) + HEADER + length > BLOCK || end > log.length) return null;
  return log.readUInt32LE(at) === masked(crc32c(log, at + 6, end, table)) ? length : null;
}

const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;

function crc32c(bytes: Uint8Array, from: number, to: number, table: Uint32Array): number {
  let crc = 0xffffffff;
  for (let at = from; at < to; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}

function castagnoliTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
    return value;
  });
}
