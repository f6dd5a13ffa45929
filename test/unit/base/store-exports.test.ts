// Exports of a store: what is in them, when they are made, how they rotate; and upgrades from format to format.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import t from 'tap';
import type { Test } from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { writeKept } from '../../../base/kept-file.ts';
import { openLevelDb } from '../../../base/level-folder.ts';
import { silentLog } from '../../../base/log.ts';
import { openStore } from '../../../base/store.ts';
import type { Store, StoreOptions } from '../../../base/store.ts';
import { readExport } from '../../../base/store/export-file.ts';
import { Exports } from '../../../base/store/exports.ts';
import { STORE_MIGRATIONS } from '../../../base/store/migrations.ts';
import type { Migration } from '../../../base/store/migrations.ts';
import { sealFileOf } from '../../../base/store/seal.ts';
import { encodeStored } from '../../../base/stored-value.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'ginnel-export-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const open = (path: string, more: Partial<StoreOptions> = {}): Promise<Store> =>
  openStore({ path, firstSetUp: true, counters: new Counters(), ...more });

interface Bench {
  readonly place: string;
  readonly store: Store;
  readonly exports: Exports;
  readonly counters: Counters;
  readonly newest: string;
  readonly identity: string;
  free: number;
  /** Moves the clock a minute at a time and lets each look end. */
  readonly pass: (ms: number) => Promise<void>;
}

async function bench(t: Test): Promise<Bench> {
  const place = folder(t);
  const store = await open(join(place, 'store'));
  const [clock, counters] = [new ManualClock(), new Counters()];
  const identity = join(place, 'identity.json');
  const made = { free: Number.MAX_SAFE_INTEGER };
  const free = (): Promise<number> => Promise.resolve(made.free);
  const around = { clock, counters, log: silentLog, free };
  const exports = new Exports({ folder: join(place, 'exports'), store, files: [identity], ...around });
  t.teardown(() => store.close());
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += MINUTE_MS) {
      clock.advance(MINUTE_MS);
      await exports.settled();
    }
  };
  return Object.assign(made, {
    ...{ place, store, exports, counters, identity, pass },
    newest: join(place, 'exports', 'store.newest.export'),
  });
}

t.test('an export holds all entries and the small files, 0600, and comes back as it was', async t => {
  const { store, exports, newest, identity } = await bench(t);
  await store.put('a/1', { deep: [1, null, 'é'], 7: 'seven', b: 2 });
  await store.put('a/2', 'x'.repeat(10_000));
  await writeKept(identity, { seed: 'secret' });
  await exports.close();
  const found = await readExport(newest);
  t.same(
    [...found.entries],
    [
      ['a/1', { deep: [1, null, 'é'], 7: 'seven', b: 2 }],
      ['a/2', 'x'.repeat(10_000)],
    ],
  );
  t.equal(found.files['identity.json'], readFileSync(identity, 'utf8'));
  t.equal(found.seal.changes, 2);
  t.equal(statSync(newest).mode & 0o777, 0o600);
  t.ok(statSync(newest).size < 1000, 'compressed');
  for (const place of [0.1, 0.5, 0.9]) {
    const bytes = readFileSync(newest);
    bytes[Math.floor(bytes.length * place)]! ^= 1;
    writeFileSync(`${newest}.hurt`, bytes);
    await t.rejects(readExport(`${newest}.hurt`), { code: 'STATE_EXPORT_DAMAGED' });
  }
  // Compressed anew, so that gzip's own checksum fits: the small files are in no seal.
  const text = gunzipSync(readFileSync(newest)).toString();
  writeFileSync(`${newest}.hurt`, gzipSync(text.replace('seed', 'sead')));
  await t.rejects(readExport(`${newest}.hurt`), { message: /its checksum does not fit/ });
  writeFileSync(`${newest}.hurt`, readFileSync(newest).subarray(0, -20));
  await t.rejects(readExport(`${newest}.hurt`), { code: 'STATE_EXPORT_DAMAGED' });
});

t.test('made on change only, at most every quarter of an hour, and at a clean stop', async t => {
  const { store, exports, counters, newest, pass } = await bench(t);
  const made = counters.counter('store.exports.made');
  await store.put('a', 1);
  await pass(MINUTE_MS);
  t.equal(made.value, 1, 'a first one within a minute');
  await pass(3 * HOUR_MS);
  t.equal(made.value, 1, 'nothing changed, nothing written');
  for (let minute = 0; minute < 60; minute++) {
    await store.put('a', minute);
    await pass(MINUTE_MS);
  }
  t.ok(made.value >= 4 && made.value <= 6, `${made.value} in an hour of changes`);
  await store.put('last', true);
  await exports.close();
  t.equal((await readExport(newest)).entries.get('last'), true);
});

t.test('three generations: the newest, about a day old, about a week old', async t => {
  const { store, newest, place, pass } = await bench(t);
  const ages: number[][] = [];
  for (let hour = 0; hour < 24 * 10; hour += 3) {
    await store.put('hour', hour);
    await pass(16 * MINUTE_MS);
    await pass(3 * HOUR_MS - 16 * MINUTE_MS);
    const hourOf = async (generation: string): Promise<number> =>
      Number((await readExport(newest.replace('newest', generation))).entries.get('hour'));
    if (hour > 24 * 8)
      ages.push([
        hour - (await hourOf('newest')),
        hour - (await hourOf('day')),
        hour - (await hourOf('week')),
      ]);
  }
  t.equal(readdirSync(join(place, 'exports')).length, 3, 'no more than three files');
  for (const [newestAge = -1, day = 0, week = 0] of ages) {
    t.equal(newestAge, 0);
    t.ok(day > 0 && day <= 51, `the day's is ${day} h old`);
    t.ok(week >= 24 && week <= 24 * 16, `the week's is ${week} h old`);
  }
});

t.test('none on a disk that is short: counted, told, and made again with room', async t => {
  const made = await bench(t);
  const { store, exports, counters, newest, pass } = made;
  made.free = 7 * 1024 * 1024;
  await store.put('a', 1);
  await pass(20 * MINUTE_MS);
  t.notOk(existsSync(newest));
  t.ok(counters.counter('store.exports.skipped').value > 0);
  t.equal(exports.shortOfBytes, made.free);
  t.match(exports.problem, /short/);
  made.free = 70 * 1024 * 1024;
  await pass(MINUTE_MS);
  t.ok(existsSync(newest));
  t.equal(exports.shortOfBytes, null);
  t.equal(exports.problem, '');
});

t.test('a damaged file never takes the place of a whole one', async t => {
  const { exports, identity, newest, store, pass } = await bench(t);
  await writeKept(identity, { seed: 'secret' });
  const whole = readFileSync(identity, 'utf8');
  await pass(MINUTE_MS);
  writeFileSync(identity, whole.replace('secret', 'broken'));
  await store.put('a', 1);
  await exports.close();
  const found = await readExport(newest);
  t.equal(found.entries.get('a'), 1);
  t.equal(found.files['identity.json'], whole);
});

t.test('nothing damaged is exported', async t => {
  const { store, exports, newest, pass } = await bench(t);
  await store.put('a', 1);
  await pass(MINUTE_MS);
  const before = readFileSync(newest);
  const broken: Pick<Store, 'path' | 'changes' | 'snapshot'> = {
    ...{ path: store.path, changes: 99 },
    snapshot: () => Promise.reject(new Error('damaged')),
  };
  await exports.close();
  const around = { clock: new ManualClock(), counters: new Counters(), log: silentLog };
  const other = new Exports({ folder: newest.replace(/\/[^/]*$/, ''), store: broken, files: [], ...around });
  await other.close();
  t.match(other.problem, /damaged/);
  t.same(readFileSync(newest), before);
});

/** Formats that never were: 3 renames keys, 4 wraps values. */
const MADE_UP: readonly Migration[] = [
  ...STORE_MIGRATIONS,
  {
    to: 3,
    migrate: entries => new Map([...entries].map(([key, value]) => [key.replace('old/', 'new/'), value])),
  },
  { to: 4, migrate: entries => new Map([...entries].map(([key, value]) => [key, { wrapped: value }])) },
];

async function ofFormat1(path: string): Promise<void> {
  const store = await open(path);
  await store.batch([
    { type: 'put', key: 'old/1', value: 'one' },
    { type: 'put', key: 'kept', value: 2 },
  ]);
  await store.close();
  const level = openLevelDb(path, false);
  await level.open();
  const put = (key: string, value: unknown) =>
    ({ type: 'put', key, value: encodeStored(key, value) }) as const;
  await level.batch([put('!format', 1), put('!count', 2)], { sync: true });
  await level.close();
  writeFileSync(sealFileOf(path), '{"format":1}\n');
}

t.test('an upgrade goes through all formats at once, after an export of what was there', async t => {
  const path = join(folder(t), 'store');
  await ofFormat1(path);
  const store = await open(path, { migrations: MADE_UP });
  t.same(await store.entries(''), [
    ['kept', { wrapped: 2 }],
    ['new/1', { wrapped: 'one' }],
  ]);
  t.same(await store.check(), []);
  await store.put('new/2', { wrapped: 'two' });
  await store.close();
  const safety = await readExport(join(path, '..', 'exports', 'store.before-format-4.export'));
  t.same(
    [safety.format, [...safety.entries]],
    [
      1,
      [
        ['kept', 2],
        ['old/1', 'one'],
      ],
    ],
  );
  const again = await open(path, { migrations: MADE_UP });
  t.equal((await again.entries('new/')).length, 2, 'it is done once');
  await again.close();
});

t.test('an older Ginnel refuses a newer state and changes nothing', async t => {
  const path = join(folder(t), 'store');
  await ofFormat1(path);
  await (await open(path, { migrations: MADE_UP })).close();
  await t.rejects(open(path), { code: 'STORE_NEWER', details: { found: 4, known: 2 } });
  await (await open(path, { migrations: MADE_UP })).close();
});

t.test(
  'an upgrade that is cut short or fails leaves the old state, and is made at the next start',
  async t => {
    const path = join(folder(t), 'store');
    await ofFormat1(path);
    const failing: readonly Migration[] = [
      ...STORE_MIGRATIONS,
      {
        to: 3,
        migrate() {
          throw new Error('the power went');
        },
      },
    ];
    await t.rejects(open(path, { migrations: failing }), {
      code: 'STORE_UPGRADE',
      message: /the power went/,
    });
    const blocked = join(path, '..', 'no-folder');
    writeFileSync(blocked, '');
    await t.rejects(
      open(path, { migrations: MADE_UP, exportsFolder: blocked }),
      { code: 'STORE_UNREADABLE' },
      'no upgrade without its export',
    );
    // After the batch, before the seal beside it: the seal is still that of format 1.
    const seal = readFileSync(sealFileOf(path));
    await (await open(path, { migrations: MADE_UP })).close();
    writeFileSync(sealFileOf(path), seal);
    const store = await open(path, { migrations: MADE_UP });
    t.equal((await store.entries('')).length, 2);
    await store.close();
  },
);
