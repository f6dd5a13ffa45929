// What the seal of a store notices: records that went missing or came back without any checksum being wrong.
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { Counters } from '../../../base/counters.ts';
import { openLevelDb } from '../../../base/level-folder.ts';
import type { LevelOperation } from '../../../base/level-folder.ts';
import { openStore } from '../../../base/store.ts';
import type { Store } from '../../../base/store.ts';
import { beginSetUp, sealFileOf } from '../../../base/store/seal.ts';
import { encodeStored } from '../../../base/stored-value.ts';

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'ginnel-seal-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return join(path, 'store');
}

const open = (path: string, firstSetUp = false): Promise<Store> =>
  openStore({ path, firstSetUp, counters: new Counters() });

async function filled(path: string): Promise<void> {
  const store = await open(path, true);
  for (let index = 0; index < 20; index++) await store.put(`node/${index}`, { index });
  await store.close();
}

/** Behind the store's back, as LevelDB itself would do it if it lost something. */
async function behindItsBack(path: string, ...operations: LevelOperation[]): Promise<void> {
  const level = openLevelDb(path, false);
  await level.open();
  await level.batch(operations, { sync: true });
  await level.close();
}

async function toldOf(t: Test, path: string, problem: RegExp): Promise<void> {
  const before = contents(path);
  await t.rejects(open(path), { code: 'STORE_DAMAGED', message: problem });
  t.same(contents(path), before, 'nothing was changed');
}

const contents = (path: string): [string, number][] =>
  readdirSync(path)
    .filter(name => !name.startsWith('LO'))
    .map(name => [name, statSync(join(path, name)).size]);

t.test('a record that went missing is noticed', async t => {
  const path = folder(t);
  await filled(path);
  await behindItsBack(path, { type: 'del', key: 'node/7' });
  await toldOf(t, path, /should hold 20 entries and holds 19/);
});

t.test('an older value that came back with a fitting checksum is noticed', async t => {
  const path = folder(t);
  await filled(path);
  const old = encodeStored('node/7', { index: 'old' });
  await behindItsBack(path, { type: 'put', key: 'node/7', value: old });
  await toldOf(t, path, /an older one has come back/);
});

t.test('a record exchanged for another one is noticed', async t => {
  const path = folder(t);
  await filled(path);
  const other = encodeStored('node/99', { index: 7 });
  await behindItsBack(path, { type: 'del', key: 'node/7' }, { type: 'put', key: 'node/99', value: other });
  await toldOf(t, path, /an older one has come back, or one was exchanged/);
});

t.test('a log cut at the end of a record is noticed: it fits itself, but not its seal', async t => {
  const path = folder(t);
  await filled(path);
  const store = await open(path);
  for (const index of [1, 2, 3]) await store.put('node/0', { index, long: 'x'.repeat(500) });
  const size = (): number => statSync(logOf(path)).size;
  const before = size();
  await store.batch([{ type: 'put', key: 'node/new', value: 1 }]);
  await store.delete('node/new');
  await store.close();
  truncateSync(logOf(path), before);
  await toldOf(t, path, /The last 2 confirmed changes are gone/);
});

const logOf = (path: string): string =>
  join(
    path,
    readdirSync(path).find(name => name.endsWith('.log'))!,
  );

t.test(
  'a CURRENT that names an older MANIFEST is noticed before LevelDB deletes the newer tables',
  async t => {
    const path = folder(t);
    await filled(path);
    await (await open(path)).close();
    const old = `${path}-old`;
    cpSync(path, old, { recursive: true });
    for (let round = 0; round < 3; round++) {
      const store = await open(path);
      await store.put(`node/later-${round}`, 'x'.repeat(1000));
      await store.close();
    }
    for (const name of readdirSync(old))
      if (/^(CURRENT|MANIFEST.*|.*\.(ldb|log))$/.test(name)) cpSync(join(old, name), join(path, name));
    await toldOf(t, path, /should hold 23 entries and holds 21/);
    rmSync(
      join(
        path,
        readdirSync(path).findLast(name => name.endsWith('.log'))!,
      ),
    );
    await toldOf(t, path, /The last 3 confirmed changes are gone/);
  },
);

t.test('a lost or damaged seal is told; one that was never finished starts anew', async t => {
  const path = folder(t);
  await filled(path);
  const seal = readFileSync(sealFileOf(path));
  rmSync(sealFileOf(path));
  await toldOf(t, path, /seal beside it is gone/);
  writeFileSync(sealFileOf(path), seal.subarray(0, 30));
  await toldOf(t, path, /seal beside it is damaged/);
  const oneFlipped = Buffer.from(seal);
  oneFlipped[20]! ^= 1;
  writeFileSync(sealFileOf(path), oneFlipped);
  await (await open(path)).close();
  await beginSetUp(path);
  await (await open(path)).close();
  rmSync(sealFileOf(path));
  await beginSetUp(path);
  const store = await open(path, true);
  t.same(await store.entries(''), [], 'nothing was confirmed before the set-up was finished');
  await store.close();
});

t.test('of many that set it up at once one does, and nothing of it is lost', async t => {
  const path = folder(t);
  const all = await Promise.allSettled(Array.from({ length: 8 }, () => open(path, true)));
  const [one] = all.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []));
  const others = all.flatMap(each => (each.status === 'rejected' ? [each.reason as unknown] : []));
  t.equal(others.length, 7);
  for (const other of others) t.match(other, { code: 'STORE_LOCKED', retry: true });
  await one!.put('node/1', 1);
  t.same(await one!.check(), []);
  await one!.close();
  const again = await open(path, true);
  t.equal(await again.get('node/1'), 1);
  await again.close();
});

t.test('what a cut short set-up left damaged is cleared away', async t => {
  const path = folder(t);
  await filled(path);
  rmSync(sealFileOf(path));
  await beginSetUp(path);
  for (const name of readdirSync(path)) if (/^MANIFEST/.test(name)) writeFileSync(join(path, name), 'torn');
  const store = await open(path, true);
  t.same(await store.entries(''), []);
  await store.close();
});

t.test('a check while it runs finds what was changed under it', async t => {
  const path = folder(t);
  const store = await open(path, true);
  await store.put('node/1', 1);
  t.same(await store.check(), []);
  const seal = readFileSync(sealFileOf(path));
  rmSync(sealFileOf(path));
  t.match((await store.check())[0], /seal beside it is gone/);
  writeFileSync(sealFileOf(path), seal);
  cpSync(join(path, 'CURRENT'), join(path, 'CURRENT.kept'));
  rmSync(join(path, 'CURRENT'));
  t.match((await store.check())[0], /CURRENT/);
  await store.close();
});

t.test('the seal holds through many writes, deletes and doubles in a batch', async t => {
  const path = folder(t);
  const store = await open(path, true);
  await Promise.all(
    Array.from({ length: 200 }, (_, round) =>
      store.batch([
        { type: 'put', key: `a/${round % 17}`, value: round },
        { type: 'delete', key: `a/${(round * 7) % 17}` },
        { type: 'put', key: `a/${round % 5}`, value: { round } },
        { type: 'put', key: `a/${round % 5}`, value: { round, twice: true } },
      ]),
    ),
  );
  t.same(await store.check(), []);
  t.equal(store.changes, 200);
  await store.close();
  await (await open(path)).close();
});
