// The contract of a UDP door on loopback, whatever it is made of: real sockets, this process at both ends.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Test } from 'tap';
import { Counters } from '../../base/counters.ts';
import { GinnelError } from '../../base/errors.ts';
import type { Batch } from '../../core/contract/link.ts';
import { createArena } from '../../system/arena.ts';
import type { UdpDoor, UdpOptions, UdpRemote } from '../../system/doors.ts';
import { openLibc } from '../../system/libc.ts';

export interface Heard {
  readonly remote: UdpRemote;
  readonly text: string;
}

type OpenUdp = (options: UdpOptions) => UdpDoor;
/** Makes the opener of one kind of UDP door, which counts under `udp.`. */
export type UdpMaker = (counters: Counters) => OpenUdp;

export class UdpBench {
  readonly #counters = new Counters();
  readonly #openDoor: OpenUdp;
  readonly #open: UdpDoor[] = [];

  constructor(test: Test, make: UdpMaker) {
    this.#openDoor = make(this.#counters);
    test.teardown(() => this.#open.forEach(door => door.close()));
  }

  open(options: Partial<UdpOptions> = {}): UdpDoor {
    const door = this.#openDoor({ family: 4, port: 0, address: '127.0.0.1', ...options });
    this.#open.push(door);
    return door;
  }

  count(name: string): number {
    return this.#counters.snapshot()[`udp.${name}`] ?? 0;
  }
}

export const batchOf = (text: string, segment = text.length): Batch => {
  const bytes = new TextEncoder().encode(text);
  return { bytes, offset: 0, length: bytes.length, segment };
};

export const textOf = (batch: Batch): string =>
  new TextDecoder().decode(batch.bytes.subarray(batch.offset, batch.offset + batch.length));

export function collect(door: UdpDoor): Heard[] {
  const heard: Heard[] = [];
  door.onBatch = (remote, { bytes, offset, length, segment }) => {
    for (let at = 0; at < length; at += segment) {
      const size = Math.min(segment, length - at);
      heard.push({ remote, text: textOf({ bytes, offset: offset + at, length: size, segment: size }) });
    }
  };
  return heard;
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise(resolve => setImmediate(resolve));
  }
}

export const place = (door: UdpDoor, address = '127.0.0.1') => ({
  family: door.family,
  address,
  port: door.localPort,
});

export function testUdpDoor(t: Test, make: UdpMaker): void {
  t.test('batches arrive in order, cut at the segment size, and a turn ends after them', async t => {
    const bench = new UdpBench(t, make);
    const [a, b] = [bench.open(), bench.open()];
    const heard = collect(b);
    let unended = 0;
    b.onTurnEnded = () => (unended = heard.length);
    t.equal(a.send(a.remote(place(b)), batchOf('aaaabbbbcc', 4)), 'sent');
    a.flush();
    await until('three datagrams', () => unended === 3);
    t.strictSame(
      heard.map(({ text }) => text),
      ['aaaa', 'bbbb', 'cc'],
    );
  });

  t.test('a thousand datagrams of all lengths arrive whole, from bytes that are lent', async t => {
    const bench = new UdpBench(t, make);
    const [a, b] = [bench.open(), bench.open()];
    const remote = a.remote(place(b));
    const lengths: number[] = [];
    let spoiled = 0;
    b.onBatch = (_, { bytes, offset, length }) => {
      lengths.push(length);
      if (bytes.subarray(offset, offset + length).some(byte => byte !== length % 251)) spoiled++;
    };
    const lent = new Uint8Array(1000);
    for (let length = 1; length <= 1000; length++) {
      lent.fill(length % 251);
      t.equal(a.send(remote, { bytes: lent, offset: 0, length, segment: length }), 'sent');
      lent.fill(0xff);
    }
    a.flush();
    await until('a thousand', () => lengths.length === 1000);
    t.strictSame(
      lengths,
      Array.from({ length: 1000 }, (_, index) => index + 1),
    );
    t.equal(spoiled, 0);
    await until('all to be counted', () => bench.count('sent') === 1000);
    t.equal(bench.count('received'), 1000);
  });

  t.test('a sender is the same object each time, and the one that remote() answers', async t => {
    const bench = new UdpBench(t, make);
    const [a, b, c] = [bench.open(), bench.open(), bench.open()];
    const heard = collect(b);
    for (const door of [a, c, a, c]) {
      door.send(door.remote(place(b)), batchOf('x'));
      door.flush();
    }
    await until('four datagrams', () => heard.length === 4);
    const [first, second, third, fourth] = heard.map(({ remote }) => remote);
    t.equal(first, third);
    t.equal(second, fourth);
    t.not(first, second);
    t.equal(b.remote(place(a)), first);
    t.strictSame(first?.endpoint, place(a));
    t.equal(first?.localAddress, '127.0.0.1');
  });

  t.test('IPv6 works alike, beside IPv4 on the same port', async t => {
    const bench = new UdpBench(t, make);
    const [a, b] = [bench.open({ family: 6, address: '::1' }), bench.open({ family: 6, address: '::1' })];
    const beside = bench.open({ port: b.localPort, address: '0.0.0.0' });
    t.equal(beside.localPort, b.localPort);
    const heard = collect(b);
    a.send(a.remote(place(b, '::1')), batchOf('six'), { ttl: 3 });
    a.flush();
    await until('the datagram', () => heard.length === 1);
    t.strictSame(heard[0]?.remote.endpoint, place(a, '::1'));
    t.equal(heard[0]?.remote.localAddress, '::1');
    b.send(heard[0]!.remote, batchOf('back'));
    const back = collect(a);
    b.flush();
    await until('the answer', () => back.length === 1);
    t.throws(() => a.remote(place(beside)), TypeError);
  });

  t.test('P5: one packet may go with a hop limit of its own, the next has the usual one', async t => {
    const bench = new UdpBench(t, make);
    const sender = bench.open();
    const libc = openLibc();
    const arena = createArena(libc, 65536);
    const fd = libc.socket(2, 2 | 0o4000, 0);
    t.teardown(() => libc.close(fd));
    const at = arena.allocate(256);
    const set = (level: number, name: number, value: number): number => {
      arena.view.setInt32(at, value, true);
      return libc.setsockopt(fd, level, name, arena.base + at, 4);
    };
    t.equal(set(0, 12, 1), 0, 'IP_RECVTTL');
    arena.memory.set([2, 0, 0, 0, 127, 0, 0, 1], at);
    t.equal(libc.bind(fd, arena.base + at, 16), 0);
    arena.view.setUint32(at + 32, 16, true);
    libc.getsockname(fd, arena.base + at, arena.base + at + 32);
    const port = arena.view.getUint16(at + 2);
    const remote = sender.remote({ family: 4, address: '127.0.0.1', port });
    sender.send(remote, batchOf('low'), { ttl: 2 });
    sender.send(remote, batchOf('usual'));
    sender.flush();
    t.equal(await nextTtl(), 2);
    t.equal(await nextTtl(), 64);

    async function nextTtl(): Promise<number> {
      const { pointerBytes: p } = libc;
      const word = (offset: number, value: number): void =>
        p === 8
          ? arena.view.setBigUint64(offset, BigInt(value), true)
          : arena.view.setUint32(offset, value, true);
      arena.memory.fill(0, at, at + 256);
      word(at + 2 * p, arena.base + at + 64);
      word(at + 3 * p, 1);
      word(at + 4 * p, arena.base + at + 128);
      word(at + 5 * p, 64);
      word(at + 64, arena.base + at + 200);
      word(at + 64 + p, 32);
      await until('a datagram', () => libc.recvmsg(fd, arena.base + at, 0x40) > 0);
      return arena.view.getInt32(at + 128 + p + 8, true);
    }
  });

  t.test('a port in use, and an address of somebody else, are told in words', t => {
    const bench = new UdpBench(t, make);
    const { localPort } = bench.open();
    t.throws(() => bench.open({ port: localPort }), {
      code: 'PORT_TAKEN',
      message: new RegExp(`${localPort}`),
    });
    t.throws(() => bench.open({ address: '192.0.2.1' }), { code: 'ADDRESS_UNAVAILABLE' });
    t.throws(() => bench.open({ address: 'nonsense' }), { code: 'ADDRESS_INVALID' });
    t.end();
  });

  t.test('an ICMP port unreachable stops neither sending nor receiving', async t => {
    const bench = new UdpBench(t, make);
    const door = bench.open();
    const heard = collect(door);
    const gone = bench.open();
    const nobody = door.remote(place(gone));
    gone.close();
    for (let round = 0; round < 3; round++) {
      t.equal(door.send(nobody, batchOf('anybody?')), 'sent');
      door.flush();
      await new Promise(resolve => setImmediate(resolve));
    }
    const friend = bench.open();
    friend.send(friend.remote(place(door)), batchOf('me'));
    friend.flush();
    await until('the friend', () => heard.length === 1);
  });

  t.test('a datagram that cannot go does not hold up those behind it', async t => {
    const bench = new UdpBench(t, make);
    const [a, b] = [bench.open(), bench.open()];
    const heard = collect(b);
    a.send(a.remote({ family: 4, address: '255.255.255.255', port: 9 }), batchOf('broadcast'));
    a.send(a.remote(place(b)), batchOf('behind'));
    a.flush();
    await until('the one behind', () => heard.length === 1);
    t.equal(bench.count('dropped.refused'), 1);
    t.equal(a.send(a.remote(place(b)), batchOf('x'.repeat(65508))), 'busy');
    t.equal(bench.count('dropped.too-large'), 1);
  });

  t.test('a datagram larger than its room is dropped and counted, or there is room for it', async t => {
    const bench = new UdpBench(t, make);
    const [a, b] = [bench.open(), bench.open()];
    const heard = collect(b);
    const large = 'x'.repeat(3000);
    a.send(a.remote(place(b)), batchOf(large));
    a.send(a.remote(place(b)), batchOf('fits'));
    a.flush();
    await until('the one that fits', () => heard.some(({ text }) => text === 'fits'));
    const isWhole = heard.some(({ text }) => text === large);
    t.equal(heard.length, isWhole ? 2 : 1);
    t.equal(bench.count('dropped.truncated'), isWhole ? 0 : 1);
  });

  t.test('closing in the midst of a turn ends it', async t => {
    const bench = new UdpBench(t, make);
    const [a, b] = [bench.open(), bench.open()];
    let heard = 0;
    b.onBatch = () => {
      heard++;
      b.close();
    };
    b.onTurnEnded = () => t.fail('a closed door has no turns');
    const remote = a.remote(place(b));
    a.send(remote, batchOf('123456', 1));
    a.flush();
    await until('one datagram', () => heard > 0);
    await new Promise(resolve => setImmediate(resolve));
    t.equal(heard, 1);
    t.equal(b.send(remote, batchOf('x')), 'closed');
    b.close();
  });

  t.test('what is laid up leaves when the socket closes', async t => {
    const bench = new UdpBench(t, make);
    const [a, b] = [bench.open(), bench.open()];
    const heard = collect(b);
    a.send(a.remote(place(b)), batchOf('farewell'));
    a.close();
    await until('the farewell', () => heard.length === 1);
  });

  t.test('strangers cannot push out a remote that was spoken to', async t => {
    const bench = new UdpBench(t, make);
    const box = bench.open({ address: '0.0.0.0' });
    const friend = box.remote({ family: 4, address: '127.1.1.1', port: 40000 });
    const seen = new Set<UdpRemote>();
    box.onBatch = remote => seen.add(remote);
    const stranger = createSocket('udp4');
    t.teardown(() => stranger.close());
    for (let index = 0; index < 600; index++) {
      const sender = bench.open({ address: `127.2.${index >> 8}.${index & 255}` });
      sender.send(sender.remote(place(box)), batchOf('?'));
      sender.close();
      await until('the stranger', () => seen.size === index + 1);
    }
    t.equal(box.remote(friend.endpoint), friend);
  });

  t.test('an exception in a turn is reported as uncaught, and the door lives on', async t => {
    const bench = new UdpBench(t, make);
    const [a, b] = [bench.open(), bench.open()];
    const reported = once(process, 'uncaughtException');
    b.onBatch = () => {
      throw new GinnelError('TEST', 'thrown in a turn');
    };
    a.send(a.remote(place(b)), batchOf('x'));
    a.flush();
    const [error] = (await reported) as [Error];
    t.equal(error.message, 'thrown in a turn');
    const heard = collect(b);
    a.send(a.remote(place(b)), batchOf('y'));
    a.flush();
    await until('the next one', () => heard.length === 1);
  });
}
