// What every transport's links have to hold (core/contract/link.ts), whatever carries them. Each transport's test runs
// this over a rig of two joined ends.
import type { Test } from 'tap';
import type { Batch, Link } from '../../core/contract/link.ts';

export interface TransportEnd {
  /** The link towards the other end. */
  link(): Link | Promise<Link>;
  /** Called with what arrives; bytes are lent until it returns. */
  received: (link: Link, batch: Batch) => void;
}

export interface TransportRig {
  readonly name: string;
  readonly a: TransportEnd;
  readonly b: TransportEnd;
  stop(): void | Promise<void>;
}

const PATIENCE_MS = 5_000;

/** A WireGuard data message to look at: every byte tells its place, `tag` whose it is. */
function datagram(length: number, tag: number): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, index) => (index * 7 + tag) & 0xff);
  bytes.set([4, 0, 0, 0, tag]);
  return bytes;
}

const batchOf = (bytes: Uint8Array, segment = bytes.length): Batch => ({
  bytes,
  offset: 0,
  length: bytes.length,
  segment,
});

/** Collects copies of all datagrams that arrive at an end. */
function collect(end: TransportEnd): { link: Link; bytes: Uint8Array }[] {
  const all: { link: Link; bytes: Uint8Array }[] = [];
  end.received = (link, { bytes, offset, length, segment }) => {
    for (let at = 0; at < length; at += segment)
      all.push({ link, bytes: bytes.slice(offset + at, offset + Math.min(at + segment, length)) });
  };
  return all;
}

async function until(condition: () => boolean): Promise<boolean> {
  const end = performance.now() + PATIENCE_MS;
  while (!condition() && performance.now() < end) await new Promise<void>(done => setImmediate(done));
  return condition();
}

export function testTransport(t: Test, open: () => Promise<TransportRig>): void {
  const check = (name: string, body: (t: Test, rig: TransportRig) => Promise<void>): void => {
    t.test(name, async t => {
      const rig = await open();
      t.teardown(() => rig.stop());
      await body(t, rig);
    });
  };

  check(
    'the same place is the same link, with a name, a transport and an MTU of its own',
    async (t, { a }) => {
      const link = await a.link();
      t.equal(await a.link(), link);
      t.ok(link.id.startsWith(`${link.transport} `), link.id);
      t.ok(link.mtu >= 1_280, `${link.mtu} bytes`);
      t.type(link.traits.reliable, 'boolean');
    },
  );

  check(
    'a datagram arrives byte for byte, and an answer finds its way back by the link it came by',
    async (t, { a, b }) => {
      const atB = collect(b);
      const atA = collect(a);
      const link = await a.link();
      t.equal(link.send(batchOf(datagram(148, 1))), 'sent');
      t.ok(await until(() => atB.length === 1));
      t.same(atB[0]?.bytes, datagram(148, 1));
      atB[0]?.link.send(batchOf(datagram(92, 2)));
      t.ok(await until(() => atA.length === 1));
      t.same(atA[0]?.bytes, datagram(92, 2));
      t.equal(atA[0]?.link, link);
    },
  );

  check('a batch is cut at its segments, the last may be shorter', async (t, { a, b }) => {
    const atB = collect(b);
    const parts = [datagram(200, 1), datagram(200, 2), datagram(200, 3), datagram(77, 4)];
    const bytes = new Uint8Array(1_000);
    let at = 50;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    (await a.link()).send({ bytes, offset: 50, length: 677, segment: 200 });
    t.ok(await until(() => atB.length === 4), `${atB.length} arrived`);
    const sorted = atB.map(each => each.bytes).sort((x, y) => x[4]! - y[4]!);
    t.same(sorted, parts);
  });

  check('the bytes are lent until the call returns, no longer', async (t, { a, b }) => {
    const atB = collect(b);
    const bytes = datagram(100, 1);
    (await a.link()).send(batchOf(bytes));
    bytes.fill(0);
    t.ok(await until(() => atB.length === 1));
    t.same(atB[0]?.bytes, datagram(100, 1));
  });

  check('the largest datagram that the MTU promises arrives whole', async (t, { a, b }) => {
    const atB = collect(b);
    const link = await a.link();
    link.send(batchOf(datagram(link.mtu, 9)));
    t.ok(await until(() => atB.length === 1));
    t.equal(atB[0]?.bytes.length, link.mtu);
  });

  check('a flood is sent or refused as busy, and never throws', async (t, { a, b }) => {
    const atB = collect(b);
    const link = await a.link();
    const bytes = datagram(1_200, 5);
    const answers = new Set<string>();
    for (let count = 0; count < 2_000; count++) answers.add(link.send(batchOf(bytes)));
    t.ok(
      [...answers].every(answer => answer === 'sent' || answer === 'busy'),
      [...answers].join(),
    );
    t.ok(await until(() => atB.length > 0));
    // The flood ebbs away: then the link works as before.
    const marker = datagram(64, 200);
    t.ok(await until(() => (link.send(batchOf(marker)), atB.some(each => each.bytes[4] === 200))));
  });

  check('a closed link answers `closed`, however often it is closed', async (t, { a }) => {
    const link = await a.link();
    link.close();
    link.close();
    t.equal(link.send(batchOf(datagram(64, 1))), 'closed');
  });
}
