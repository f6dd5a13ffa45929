// What a record must be to be published: the node's own word, in step with what the server assigned and knows.
import type { NodeRecord } from '../protocol/location/messages.ts';
import { verifyRecord } from '../protocol/location/signed.ts';
import { parsePrefix, prefixesOverlap } from '../protocol/ip/prefix.ts';
import type { Primitives } from '../protocol/primitives.ts';
import { serverErrors } from './errors.ts';
import type { NodeEntry } from './registry-entries.ts';

/** True: new. False: the very record that is known. Errors: RECORD_WRONG, RECORD_OLD, PREFIX_CLASH. */
export function judgeRecord(
  primitives: Primitives,
  entry: NodeEntry,
  record: NodeRecord,
  overlay: readonly string[],
): boolean {
  const verified = verifyRecord(primitives, record);
  const problem = verified.ok ? mismatch(entry, record) : verified.code;
  if (problem !== null) throw serverErrors('RECORD_WRONG', { problem });
  const known = entry.record;
  if (known !== null && record.generation <= known.generation) {
    if (record.signature === known.signature) return false;
    throw serverErrors('RECORD_OLD', { known: known.generation, given: record.generation });
  }
  const clash = record.prefixes.find(prefix => overlay.some(own => overlap(prefix, own)));
  if (clash !== undefined) throw serverErrors('PREFIX_CLASH', { prefix: clash });
  return true;
}

function mismatch(entry: NodeEntry, record: NodeRecord): string | null {
  const { assignment } = entry;
  const expected = { ...assignment, wireguardKey: entry.wireguardKey, controlKey: entry.controlKey };
  const fields = ['network', 'id', 'ip4', 'ip6', 'wireguardKey', 'controlKey'] as const;
  return fields.find(field => record[field] !== expected[field]) ?? null;
}

function overlap(a: string, b: string): boolean {
  const [one, other] = [parsePrefix(a), parsePrefix(b)];
  return one.ok && other.ok && prefixesOverlap(one.value, other.value);
}
