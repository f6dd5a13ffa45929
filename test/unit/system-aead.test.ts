// Every AEAD implementation against node:crypto, and against misuse.
import { randomFillSync } from 'node:crypto';
import t from 'tap';
import type { AeadKey, AeadName } from '../../core/dataplane/aead.ts';
import { AEAD_IMPLEMENTATIONS, AEAD_NAMES, openAead, passesSelfTest } from '../../system/aead.ts';
import { createArena } from '../../system/arena.ts';
import { openLibc } from '../../system/libc.ts';
import { cpuHasAes, mayAdministerNetwork } from '../../system/privilege.ts';

const libc = openLibc();
const arena = createArena(libc);
const scratch = arena.allocate(8192);
/** The only memory that belongs to nobody else: the test's own, and the end. */
const zones = [arena.memory.subarray(scratch, scratch + 8192), arena.memory.subarray(-4096)];
const PLACED_BYTES = 333;
const PLACED_AT_END = arena.memory.length - PLACED_BYTES - 16;
/** Target and source: in place, apart, side by side, with no room in front, with none behind. */
const PLACES: readonly (readonly [target: number, source: number])[] = [
  [100, 100],
  [100, 3000],
  [3000, 100],
  [100, 100 + PLACED_BYTES + 16],
  [100 + PLACED_BYTES + 16, 100],
  [0, 3000],
  [3000, 3],
  [63, 63],
  [PLACED_AT_END, 3000],
  [3000, PLACED_AT_END],
  [PLACED_AT_END, PLACED_AT_END],
];
/** Both zones but for what is written to `target`. */
function around(target: number): Buffer {
  const kept = arena.memory.slice(target, target + PLACED_BYTES + 16);
  arena.memory.fill(0, target, target + PLACED_BYTES + 16);
  const all = Buffer.concat(zones);
  arena.memory.set(kept, target);
  return all;
}
/** OpenSSL's AES routines for the CPU's instructions: on x86 only. */
const hasAesRoutines = process.arch === 'x64' && cpuHasAes();
const ALL_LENGTHS = Array.from({ length: 2001 }, (_, length) => length);
const secret = Uint8Array.from({ length: 32 }, (_, index) => 0x80 + index);

for (const implementation of AEAD_IMPLEMENTATIONS) {
  for (const name of AEAD_NAMES) {
    if (implementation === 'openssl-lowlevel' && name === 'aes-256-gcm' && !hasAesRoutines) continue;
    const aead = openAead(arena, [implementation, 'node-crypto'], libc);

    t.test(`${implementation}, ${name}: seals and opens as node:crypto does, for all lengths to 2000`, t => {
      t.equal(aead.implementations[name], implementation);
      // At its very beginning there is no room in front.
      for (const at of [scratch, scratch + 128])
        t.ok(passesSelfTest(key => aead.key(name, key), name, arena.memory, at, ALL_LENGTHS));
      t.end();
    });

    t.test(`${implementation}, ${name}: every changed bit of the tag is refused`, t => {
      const key = aead.key(name, secret);
      arena.memory.fill(7, scratch, scratch + 100);
      key.seal(5, scratch, scratch, 100);
      const sealed = arena.memory.slice(scratch, scratch + 116);
      for (let bit = 0; bit < 128; bit++) {
        arena.memory.set(sealed, scratch);
        arena.memory[scratch + 100 + (bit >> 3)]! ^= 1 << (bit & 7);
        if (key.open(5, scratch, scratch, 116) !== -1) t.fail(`bit ${bit} of the tag`);
      }
      arena.memory.set(sealed, scratch);
      t.equal(key.open(6, scratch, scratch, 116), -1, 'another counter');
      arena.memory.set(sealed, scratch);
      t.equal(key.open(5, scratch, scratch, 116), 100);
      key.wipe();
      t.end();
    });

    t.test(`${implementation}, ${name}: what stands around stays as it was, wherever the two lie`, t => {
      const key = aead.key(name, secret);
      for (const [target, source] of PLACES) {
        for (const zone of zones) randomFillSync(zone);
        const plain = arena.memory.slice(source, source + PLACED_BYTES);
        const before = around(target);
        const sealed = key.seal(9, target, source, PLACED_BYTES);
        t.ok(before.equals(around(target)), `sealed from ${source} to ${target}`);
        arena.memory.copyWithin(source, target, target + sealed);
        const sealedBefore = around(target);
        t.equal(key.open(9, target, source, sealed), PLACED_BYTES);
        t.ok(sealedBefore.equals(around(target)), `opened from ${source} to ${target}`);
        t.ok(Buffer.compare(plain, arena.memory.subarray(target, target + PLACED_BYTES)) === 0);
      }
      key.wipe();
      t.end();
    });

    t.test(`${implementation}, ${name}: a wiped key throws, a wrong one is misuse`, t => {
      const key = aead.key(name, secret);
      key.wipe();
      key.wipe();
      t.throws(() => key.seal(1, scratch, scratch, 10), TypeError);
      t.throws(() => key.open(1, scratch, scratch, 26), TypeError);
      t.throws(() => aead.key(name, new Uint8Array(31)), TypeError);
      t.end();
    });

    if (implementation === 'node-crypto') continue;
    t.test(`${implementation}, ${name}: nothing outside the memory is touched`, t => {
      const key = aead.key(name, secret);
      const end = arena.memory.length;
      const wrong: (() => number)[] = [
        () => key.seal(1, end - 25, scratch, 10),
        () => key.seal(1, scratch, end - 9, 10),
        () => key.seal(1, -1, scratch, 10),
        () => key.seal(1, scratch, scratch, -1),
        () => key.seal(1, NaN, scratch, 10),
        () => key.open(1, scratch, end - 25, 26),
        () => key.open(1, end - 9, scratch, 26),
      ];
      for (const call of wrong) t.throws(call, RangeError);
      key.wipe();
      t.end();
    });

    t.test(`${implementation}, ${name}: keys that were wiped leave nothing behind`, t => {
      const churn = (): void => {
        for (let index = 0; index < 5000; index++) aead.key(name, secret).wipe();
      };
      churn();
      const before = process.memoryUsage.rss();
      const top = arena.allocate(1, 1);
      for (let round = 0; round < 4; round++) churn();
      const grown = process.memoryUsage.rss() - before;
      t.ok(grown < 6_000_000, `${grown} bytes more after 20,000 keys`);
      t.equal(arena.allocate(1, 1), top + 1, 'nothing more of the arena');
      t.end();
    });
  }
}

t.test('an implementation that is wrong in any way fails its self-test', t => {
  const good = openAead(arena, ['openssl-evp'], libc);
  const faults: Record<string, (key: AeadKey) => Partial<AeadKey>> = {
    'takes any tag': key => ({
      open: (counter, target, source, length) =>
        Math.max(key.open(counter, target, source, length), length >= 16 ? length - 16 : -1),
    }),
    'ignores the upper half of the counter': key => ({
      seal: (counter, target, source, length) => key.seal(counter % 2 ** 32, target, source, length),
    }),
    'writes past the tag': key => ({
      seal: (counter, target, source, length) => {
        arena.memory[target + length + 16] = 0;
        return key.seal(counter, target, source, length);
      },
    }),
    throws: () => ({
      seal: () => {
        throw new Error('no');
      },
    }),
    'does not encipher': () => ({
      seal: (_, target, source, length) => {
        arena.memory.copyWithin(target, source, source + length);
        return length + 16;
      },
    }),
  };
  const name: AeadName = 'chacha20-poly1305';
  const make = (fault: (key: AeadKey) => Partial<AeadKey>) => (key: Uint8Array) => {
    const inner = good.key(name, key);
    return {
      seal: inner.seal.bind(inner),
      open: inner.open.bind(inner),
      wipe: inner.wipe.bind(inner),
      ...fault(inner),
    };
  };
  t.ok(
    passesSelfTest(
      make(() => ({})),
      name,
      arena.memory,
      scratch,
    ),
    'none',
  );
  for (const [fault, change] of Object.entries(faults)) {
    t.notOk(passesSelfTest(make(change), name, arena.memory, scratch), fault);
  }
  t.end();
});

t.test('one of the fast ones is taken, and any other where they are missing', t => {
  const { implementations } = openAead(arena);
  t.match(implementations['chacha20-poly1305'], /^openssl-/);
  t.match(implementations['aes-256-gcm'], /^openssl-/);
  t.equal(openAead(arena, undefined, libc, false).implementations['aes-256-gcm'], 'openssl-evp');
  t.strictSame(openAead(arena, ['node-crypto']).implementations, {
    'chacha20-poly1305': 'node-crypto',
    'aes-256-gcm': 'node-crypto',
  });
  t.throws(() => openAead(arena, []), /self-test/);
  t.end();
});

t.test('what the CPU and the process may do is read from /proc', t => {
  t.ok(cpuHasAes('processor : 0\nflags\t\t: fpu aes pclmulqdq sse\n'));
  t.ok(cpuHasAes('Features\t: fp asimd aes pmull sha1\n'));
  t.notOk(cpuHasAes('Features\t: half thumb neon vfpv4\n'));
  t.notOk(cpuHasAes(''));
  t.ok(mayAdministerNetwork('Name:\tnode\nCapEff:\t000001ffffffffff\n'));
  t.ok(mayAdministerNetwork('CapEff:\t0000000000001000\n'));
  t.notOk(mayAdministerNetwork('CapEff:\t0000000000000400\n'));
  t.type(cpuHasAes(), 'boolean');
  t.end();
});
