// Fuzz target: the head of a frame, which a relay reads of every node that connects to it.
import {
  destinationOf,
  FRAME_HEAD,
  FRAME_KINDS,
  latinOf,
  MAX_FRAME_PAYLOAD,
  readdress,
  readHead,
  sourceOf,
  writeHead,
  type FrameHead,
  type FrameKind,
} from '../../protocol/stream/frame.ts';
import { mustEqual, mustHold, outcomeOf, type FuzzTarget } from './harness.ts';
import type { FuzzRandom } from './mutate.ts';

const KINDS = Object.keys(FRAME_KINDS) as FrameKind[];
const emptyHead = (): FrameHead => ({ kind: 'ping', hops: 0, segment: 0, length: 0, number: 0 });

function someHead(random: FuzzRandom): Uint8Array {
  const bytes = random.bytes(FRAME_HEAD);
  const kind = random.pick(KINDS);
  const head: FrameHead = {
    kind,
    hops: random.below(6),
    segment: kind === 'data' ? 1 + random.below(1_500) : random.below(2),
    length: kind === 'data' ? 1 + random.below(MAX_FRAME_PAYLOAD) : random.below(64),
    number: random.word(),
  };
  writeHead(bytes, 0, head, random.bytes(16), random.bytes(16));
  return bytes;
}

export const frameHeads: FuzzTarget = {
  name: 'frame heads',
  decoders: ['protocol/stream/frame.ts'],
  valid: someHead,
  /** The kind that it has is known; the rest stays as it was damaged. */
  repair(damaged, random) {
    const bytes = new Uint8Array(FRAME_HEAD);
    bytes.set(damaged.subarray(0, FRAME_HEAD));
    bytes[0] = FRAME_KINDS[random.pick(KINDS)];
    if (random.oneIn(2)) bytes.set([0, random.below(2), random.below(256), random.below(256)], 4);
    return bytes;
  },
  check(input, random) {
    // Whoever reads has a whole head at hand: somewhere in what has come in.
    const offset = random.below(3);
    const bytes = new Uint8Array(offset + FRAME_HEAD);
    bytes.set(input.subarray(0, FRAME_HEAD), offset);
    const result = readHead(bytes, offset, emptyHead());
    if (!result.ok) return outcomeOf(result);
    const head = result.value;
    mustHold(head.length <= MAX_FRAME_PAYLOAD, 'longer than any');
    mustHold(head.kind !== 'data' || (head.segment > 0 && head.length > 0), 'data without data');
    const again = new Uint8Array(FRAME_HEAD);
    const [source, destination] = [bytes.subarray(offset + 12, offset + 28), bytes.subarray(offset + 28)];
    writeHead(again, 0, head, source, destination);
    mustEqual(again, bytes.subarray(offset), 'another head when written again');
    mustEqual(sourceOf(bytes, offset), latinOf(source), 'another source');
    mustEqual(destinationOf(bytes, offset), latinOf(destination), 'another destination');
    readdress(again, 0, 7);
    const forwarded = readHead(again, 0, emptyHead());
    mustHold(forwarded.ok, 'refused once it is forwarded');
    mustEqual(
      forwarded.value,
      { ...head, hops: (head.hops + 255) & 255, number: 7 },
      'changed when forwarded',
    );
    return head.kind;
  },
};
