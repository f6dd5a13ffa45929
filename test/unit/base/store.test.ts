// The store on a real LevelDB in a real folder: what lasts, and what is told when the disk lied or ran full.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import type { Test } from 'tap';
import { Counters } from '../../../base/counters.ts';
import { GinnelError } from '../../../base/errors.ts';
import { openLevelDb } from '../../../base/level-folder.ts';
import { seededRandom } from '../../../base/random.ts';
import { openStore } from '../../../base/store.ts';
import type { Store, StoreOptions } from '../../../base/store.ts';
import { sealFileOf } from '../../../base/store/seal.ts';
import { encodeStored } from '../../../base/stored-value.ts';

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'ginnel-store-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return join(path, 'state');
}

const open = (path: string, more: Partial<StoreOptions> = {}): Promise<Store> =>
  openStore({ path, firstSetUp: false, counters: new Counters(), ...more });

async function filled(path: string, entries = 200): Promise<void> {
  const store = await open(path, { firstSetUp: true });
  for (let index = 0; index < entries; index++)
    await store.put(`node/${index}`, { index, text: seededRandom(index).bytes(300).join() });
  await store.close();
}

t.test('values come back after closing; deletes, prefixes and scopes hold', async t => {
  const path = folder(t);
  const store = await open(path, { firstSetUp: true });
  await store.put('a/1', { deep: [1, null, 'é'] });
  await store.batch([
    { type: 'put', key: 'a/2', value: 2 },
    { type: 'put', key: 'b/1', value: 3 },
    { type: 'delete', key: 'a/1' },
  ]);
  await store.scope('b/').put('2', 'scoped');
  await store.close();
  const again = await open(path);
  t.equal(await again.get('a/1'), undefined);
  t.same(await again.entries('a/'), [['a/2', 2]]);
  t.same(await again.scope('b/').entries(''), [
    ['1', 3],
    ['2', 'scoped'],
  ]);
  t.throws(() => again.put('!count', 1), TypeError);
  await again.close();
  await t.rejects(again.get('a/2'), TypeError);
  t.equal(statSync(path).mode & 0o777, 0o700);
});

t.test('a store is made at the first set-up only', async t => {
  const path = folder(t);
  await t.rejects(open(path), { code: 'STORE_MISSING' });
  await filled(path, 3);
  rmSync(path, { recursive: true });
  await t.rejects(open(path), { code: 'STORE_MISSING' });
  await t.rejects(
    open(path, { firstSetUp: true }),
    { code: 'STORE_MISSING' },
    'not even a set-up makes it anew',
  );
});

t.test('a second opener is told', async t => {
  const path = folder(t);
  const store = await open(path, { firstSetUp: true });
  await t.rejects(open(path), { code: 'STORE_LOCKED', retry: true });
  await store.put('still', 'works');
  await store.close();
});

t.test('a lost CURRENT is told, and no table is deleted', async t => {
  const path = folder(t);
  await filled(path);
  const before = readdirSync(path).filter(name => /\.(ldb|log)$/.test(name));
  const current = readFileSync(join(path, 'CURRENT'));
  rmSync(join(path, 'CURRENT'));
  await t.rejects(open(path, { firstSetUp: true }), { code: 'STORE_DAMAGED' });
  t.same(
    readdirSync(path).filter(name => /\.(ldb|log)$/.test(name)),
    before,
  );
  writeFileSync(join(path, 'CURRENT'), current);
  const store = await open(path);
  t.equal((await store.entries('node/')).length, 200);
  await store.close();
});

t.test('a missing MANIFEST is told', async t => {
  const path = folder(t);
  await filled(path, 5);
  for (const name of readdirSync(path)) if (name.startsWith('MANIFEST')) rmSync(join(path, name));
  await t.rejects(open(path), { code: 'STORE_DAMAGED' });
});

t.test('a flipped byte, in the log or in a table, is told or does no harm', async t => {
  let told = 0;
  for (let round = 0; round < 20; round++) {
    const path = folder(t);
    await filled(path, 100);
    if (round % 2 === 1) await (await open(path)).close();
    flipByte(path, round % 2 === 1 ? '.ldb' : '.log', (round + 1) / 21);
    const outcome = await open(path).then(
      async store => ((await holdsAll(store, 100)) ? 'whole' : 'wrong'),
      (error: unknown) => (error instanceof GinnelError ? error.code : String(error)),
    );
    t.ok(outcome === 'whole' || outcome === 'STORE_DAMAGED', `round ${round}: ${outcome}`);
    told += Number(outcome === 'STORE_DAMAGED');
  }
  t.ok(told >= 15, `${told} of 20 were told; the others hit what was overwritten already`);
});

function flipByte(path: string, suffix: string, place: number): void {
  const files = readdirSync(path)
    .filter(name => name.endsWith(suffix))
    .map(name => join(path, name));
  const file = files.sort((a, b) => statSync(b).size - statSync(a).size)[0]!;
  const bytes = readFileSync(file);
  bytes[Math.floor(bytes.length * place)]! ^= 0x10;
  writeFileSync(file, bytes);
}

async function holdsAll(store: Store, entries: number): Promise<boolean> {
  const found = await store.entries('node/');
  await store.close();
  return found.length === entries && found.every(([, value]) => JSON.stringify(value).includes('index'));
}

t.test('what a power cut leaves of a write that nobody confirmed does no harm', async t => {
  const path = folder(t);
  await filled(path, 20);
  const sealBefore = readFileSync(sealFileOf(path));
  const store = await open(path);
  await store.put('node/last', 'not confirmed');
  await store.close();
  const log = join(
    path,
    readdirSync(path).find(name => name.endsWith('.log'))!,
  );
  const whole = readFileSync(log);
  for (const left of [whole, whole.subarray(0, -5), Buffer.concat([whole, Buffer.alloc(3000)])]) {
    writeFileSync(log, left);
    const copy = folder(t);
    cpSync(path, copy, { recursive: true });
    writeFileSync(sealFileOf(copy), sealBefore);
    const again = await open(copy);
    t.ok((await again.entries('node/')).length >= 20);
    await again.put('goes', 'on');
    t.same(await again.check(), []);
    await again.close();
  }
});

t.test('a newer format is told', async t => {
  const path = folder(t);
  await filled(path, 1);
  const level = openLevelDb(path, false);
  await level.open();
  await level.batch([{ type: 'put', key: '!format', value: encodeStored('!format', 99) }], { sync: true });
  await level.close();
  await t.rejects(open(path), { code: 'STORE_NEWER', details: { found: 99 } });
});

t.test('the guard on free space refuses writes, and reads go on', async t => {
  const path = folder(t);
  await filled(path, 2);
  const store = await open(path, { keepFreeBytes: Number.MAX_SAFE_INTEGER });
  await t.rejects(store.put('more', 1), { code: 'DISK_FULL', retry: true });
  t.match(await store.get('node/1'), { index: 1 });
  await store.delete('node/1');
  await store.close();
});

t.test(
  'a full disk: nothing confirmed is lost, and it goes on when there is room',
  { skip: process.getuid?.() !== 0 },
  async t => {
    const place = folder(t);
    const program = new URL('../../support/store-on-tiny-disk.js', import.meta.url).pathname;
    const script = 'mkdir -p "$0" && mount -t tmpfs -o size=1m tmpfs "$0" && exec "$1" "$2" "$0"';
    const args = ['-m', '--propagation', 'private', 'sh', '-c', script, place, process.execPath, program];
    const { stdout } = await promisify(execFile)('unshare', args, { timeout: 60_000 });
    const report = JSON.parse(stdout) as Record<string, unknown>;
    t.match(report, { code: 'DISK_FULL', missingNow: 0, wroteAfterwards: true, missingAfterReopen: 0 });
    t.ok(Number(report['confirmed']) > 10, `${String(report['confirmed'])} writes were confirmed`);
    t.ok(Number(report['reopened']) > 0);
  },
);
