// A server that was brought in where another one had been: its repair takes nothing of the former.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import type { StatePart } from '../../../base/state/parts.ts';
import { isLossless, planRepair } from '../../../base/state/plan.ts';
import { carryOut } from '../../../base/state/repair.ts';
import { openStore } from '../../../base/store.ts';
import { STORE_MIGRATIONS } from '../../../base/store/migrations.ts';
import { createServer } from '../../../server/server.ts';
import type { LocationServer } from '../../../server/server.ts';
import { primitives } from '../../../system/crypto.ts';
import { LOOPBACK, startServer, temporaryFolder } from '../../support/location-server.ts';
import { testTcp } from '../../support/tcp-ports.ts';

interface Machine {
  readonly server: LocationServer;
  readonly stateDir: string;
  readonly exportsFolder: string;
  readonly part: StatePart;
}

function machine(t: Test): Machine {
  const folder = temporaryFolder(t);
  const [stateDir, exportsFolder] = [join(folder, 'server'), join(folder, 'exports')];
  const around = { primitives, clock: new ManualClock(), counters: new Counters(), log: silentLog };
  const server = createServer({ stateDir, exportsFolder, ...around, tcp: testTcp() });
  t.teardown(() => server.down());
  const part: StatePart = {
    path: join(stateDir, 'registry'),
    files: ['server-keys.json', 'certificate-authority.json'].map(name => join(stateDir, name)),
    migrations: STORE_MIGRATIONS,
  };
  return { server, stateDir, exportsFolder, part };
}

/** A long life, of which nothing but its exports is left. */
async function formerServer({ server, stateDir }: Machine): Promise<void> {
  await server.up({ ...LOOPBACK, networkName: 'Former' });
  for (let count = 0; count < 20; count++) await server.invite({ note: `former ${count}` });
  await server.down();
  rmSync(stateDir, { recursive: true });
}

async function exportedElsewhere(t: Test): Promise<string> {
  const { server } = await startServer(t, { networkName: 'Grove' });
  const { file } = await server.export({});
  await server.down();
  return file;
}

const networkIn = (stateDir: string): string => readFileSync(join(stateDir, 'server-keys.json'), 'utf8');

function loseTheTables(path: string): void {
  for (const name of readdirSync(path)) if (/\.(ldb|log)$/.test(name)) rmSync(join(path, name));
}

t.test('an import keeps the exports of a server that was there before, as none of its own', async t => {
  const made = machine(t);
  const { server, exportsFolder, stateDir, part } = made;
  await formerServer(made);
  t.match(readdirSync(exportsFolder), ['registry.newest.export']);
  const former = readFileSync(join(exportsFolder, 'registry.newest.export'));
  await server.import({ file: await exportedElsewhere(t), ...LOOPBACK });
  const [kept = '', ...more] = readdirSync(exportsFolder);
  t.match(kept, /^registry\.newest\.export\.before-import-\d{4}-/);
  t.same(more, []);
  t.same(readFileSync(join(exportsFolder, kept)), former, 'as it was');
  await server.down();

  const keys = networkIn(stateDir);
  writeFileSync(join(stateDir, 'server-keys.json'), keys.slice(0, 20));
  loseTheTables(part.path);
  const steps = await planRepair([part], exportsFolder);
  t.match(steps, [
    { kind: 'store', use: { strange: false, path: /registry\.newest\.export$/ } },
    { kind: 'file' },
  ]);
  await carryOut(steps, join(stateDir, '..', 'damaged'));
  t.equal(networkIn(stateDir), keys);
  t.match(await server.up(LOOPBACK), { networkName: 'Grove' });
});

t.test('an import that is refused leaves the exports; a second one keeps the last set aside', async t => {
  const made = machine(t);
  const { server, exportsFolder, stateDir } = made;
  await formerServer(made);
  const file = await exportedElsewhere(t);
  await t.rejects(server.import({ file: file.slice(0, -9), ...LOOPBACK }), { code: 'EXPORT_CUT' });
  t.match(readdirSync(exportsFolder), ['registry.newest.export']);
  writeFileSync(join(exportsFolder, 'registry.day.export.before-import-2001-01-01T00-00-00'), 'older');
  await server.import({ file, ...LOOPBACK });
  await server.down();
  t.equal(readdirSync(exportsFolder).filter(name => name.includes('before-import')).length, 1);
  t.notOk(readdirSync(exportsFolder).some(name => name.includes('2001')));
  t.ok(readdirSync(stateDir).length > 0);
});

t.test(
  'exports that go further than the seal never count as lossless, nor come before what fits',
  async t => {
    const made = machine(t);
    const { server, exportsFolder, stateDir, part } = made;
    await formerServer(made);
    const former = readFileSync(join(exportsFolder, 'registry.newest.export'));
    await server.import({ file: await exportedElsewhere(t), ...LOOPBACK });
    await server.down();
    const own = readFileSync(join(exportsFolder, 'registry.newest.export'));
    const keys = networkIn(stateDir);
    // As an import of before left them: side by side.
    writeFileSync(join(exportsFolder, 'registry.week.export'), former);
    writeFileSync(join(stateDir, 'server-keys.json'), keys.slice(0, 20));
    const [file, ...none] = await planRepair([part], exportsFolder);
    t.match(file, { kind: 'file', use: { text: keys, strange: false } });
    t.same(none, []);

    loseTheTables(part.path);
    const steps = await planRepair([part], exportsFolder);
    t.match(steps, [
      { kind: 'store', use: { path: /newest\.export$/, strange: false }, lost: { changes: 0 } },
      {},
    ]);
    t.ok(steps.every(isLossless));

    rmSync(join(exportsFolder, 'registry.newest.export'));
    const strange = await planRepair([part], exportsFolder);
    t.match(strange, [
      { kind: 'store', use: { path: /week\.export$/, strange: true }, lost: { changes: null } },
      { kind: 'file', use: { strange: true } },
    ]);
    t.notOk(strange.some(isLossless), 'it is asked about');

    writeFileSync(join(exportsFolder, 'registry.newest.export'), own);
    await carryOut(steps, join(stateDir, '..', 'damaged'));
    const store = await openStore({ path: part.path, firstSetUp: false, counters: new Counters() });
    const { seal } = await store.snapshot();
    await store.close();
    t.ok(seal.changes < 20, 'the former one still does not fit the seal');
  },
);
