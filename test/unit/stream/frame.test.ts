// Frames on a TCP connection between two nodes: what is written is read, and what makes no sense is refused.
import t from 'tap';
import {
  destinationOf,
  FIRST_HOPS,
  FRAME_HEAD,
  FRAME_KINDS,
  isAfter,
  latinOf,
  MAX_FRAME_PAYLOAD,
  readdress,
  readHead,
  sourceOf,
  writeHead,
  type FrameHead,
  type FrameKind,
} from '../../../protocol/stream/frame.ts';

const source = Uint8Array.from({ length: 16 }, (_, at) => 0xf0 + at);
const destination = Uint8Array.from({ length: 16 }, (_, at) => at);
const empty = (): FrameHead => ({ kind: 'ping', hops: 0, segment: 0, length: 0, number: 0 });
const data: FrameHead = {
  kind: 'data',
  hops: FIRST_HOPS,
  segment: 1_452,
  length: 70_000,
  number: 0xfedc_ba98,
};

function written(head: FrameHead, offset = 0): Uint8Array {
  const bytes = new Uint8Array(offset + FRAME_HEAD).fill(0xee);
  writeHead(bytes, offset, head, source, destination);
  return bytes;
}

t.test('a head says what was written, wherever it begins', t => {
  for (const offset of [0, 1, 7]) {
    for (const kind of Object.keys(FRAME_KINDS) as FrameKind[]) {
      const bytes = written({ ...data, kind }, offset);
      t.same(readHead(bytes, offset, empty()), { ok: true, value: { ...data, kind } });
      t.equal(sourceOf(bytes, offset), latinOf(source));
      t.equal(destinationOf(bytes, offset), latinOf(destination));
    }
  }
  t.end();
});

t.test('the bytes are those of the page: version 1, big-endian', t => {
  t.same(
    [...written(data).subarray(0, 12)],
    [0x11, 4, 0x05, 0xac, 0x00, 0x01, 0x11, 0x70, 0xfe, 0xdc, 0xba, 0x98],
  );
  t.same(written(data).subarray(12, 28), source);
  t.same(written(data).subarray(28), destination);
  t.end();
});

t.test('no object is made for a head: the one that is handed in is filled', t => {
  const head = empty();
  const result = readHead(written(data), 0, head);
  t.ok(result.ok && result.value === head);
  t.end();
});

t.test('another version or kind is refused, and lengths that cannot be', t => {
  for (const first of [0x00, 0x10, 0x16, 0x21, 0x8f, 0xff]) {
    const bytes = written(data);
    bytes[0] = first;
    t.same(readHead(bytes, 0, empty()), { ok: false, code: 'frame.kind' });
  }
  const tooLong = { ...data, length: MAX_FRAME_PAYLOAD + 1 };
  for (const head of [
    tooLong,
    { ...data, length: 0 },
    { ...data, segment: 0 },
    { ...tooLong, kind: 'ping' } as const,
  ])
    t.same(readHead(written(head), 0, empty()), { ok: false, code: 'frame.length' });
  t.ok(readHead(written({ ...data, length: MAX_FRAME_PAYLOAD }), 0, empty()).ok);
  t.ok(
    readHead(written({ ...data, kind: 'ping', segment: 0, length: 0 }), 0, empty()).ok,
    'only data must have some',
  );
  t.end();
});

t.test('V11: what is forwarded has one hop less and a new number; nothing else changes', t => {
  const bytes = written(data, 3);
  readdress(bytes, 3, 5);
  t.same(readHead(bytes, 3, empty()), { ok: true, value: { ...data, hops: FIRST_HOPS - 1, number: 5 } });
  t.equal(sourceOf(bytes, 3), latinOf(source));
  t.equal(bytes[2], 0xee, 'nor what stands before it');
  t.end();
});

t.test('numbers grow, and go round after 2^32', t => {
  t.ok(isAfter(1, 0));
  t.ok(isAfter(0x7fff_ffff, 0));
  t.ok(isAfter(0, 0xffff_ffff), 'round');
  t.ok(isAfter(5, 0xffff_fff0));
  t.notOk(isAfter(0, 0), 'the same again');
  t.notOk(isAfter(4, 5));
  t.notOk(isAfter(0xffff_ffff, 0));
  t.end();
});
