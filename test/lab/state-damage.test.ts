// Every damage that a disk does to a state folder, done to one that a real node and a real server made: each is noticed
// before anything is changed, then mended from LevelDB's own repair or from an export, and what is lost is counted.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { Counters } from '../../base/counters.ts';
import { checkState } from '../../base/state/check.ts';
import type { StateReport } from '../../base/state/check.ts';
import { planRepair } from '../../base/state/plan.ts';
import type { Step } from '../../base/state/plan.ts';
import { carryOut } from '../../base/state/repair.ts';
import { openStore } from '../../base/store.ts';
import { readExport } from '../../base/store/export-file.ts';
import { sealFileOf } from '../../base/store/seal.ts';
import { clientOf } from '../../bin/client.ts';
import { placesOf } from '../../bin/places.ts';
import { exportsIn, stateParts } from '../../bin/state.ts';
import type { Health } from '../../web/api.ts';
import { repositoryRoot } from '../support/repository.ts';
import { enterLab, LAB_FOLDER } from './wrapper.ts';

enterLab(import.meta.url);

const PROGRAM = join(repositoryRoot, 'dist/bin/ginnel.js');
const STORES = ['store', 'server/registry'] as const;
type StoreName = (typeof STORES)[number];

interface Ran {
  readonly code: number | null;
  readonly out: string;
}

function ginnel(state: string, ...args: string[]): Ran {
  const env = { ...process.env, GINNEL_STATE: state, NODE_OPTIONS: '' };
  const ran = spawnSync(process.execPath, [PROGRAM, ...args], {
    env,
    encoding: 'utf8',
    timeout: 60_000,
    input: '',
  });
  return { code: ran.status, out: `${ran.stdout}${ran.stderr}` };
}

const run = (state: string): ChildProcess =>
  spawn(process.execPath, [PROGRAM, 'run'], {
    env: { ...process.env, GINNEL_STATE: state, NODE_OPTIONS: '' },
    stdio: 'ignore',
  });

const health = (state: string): Promise<Health | null> =>
  clientOf(placesOf({ GINNEL_STATE: state }))
    .get<Health>('/v1/health')
    .catch(() => null);

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; performance.now() < end;) {
    if (await condition()) return;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error(`did not come about: ${what}`);
}

async function end(state: string, child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const gone = new Promise(resolve => child.once('exit', resolve));
  child.kill(signal);
  await gone;
  if (signal === 'SIGTERM') await until('it ends', async () => (await health(state)) === null);
}

const bothUp = async (state: string): Promise<boolean> => {
  const roles = (await health(state))?.roles;
  return roles?.node === 'up' && roles.server === 'up';
};

/** As of three lives: an early copy, then one that ended cleanly (with exports), then one that was killed. */
interface Made {
  readonly early: string;
  readonly late: string;
}

async function make(t: Test): Promise<Made> {
  for (const words of [
    'link add v0 type veth peer name v1',
    'addr add 192.0.2.1/24 dev v0',
    'link set v0 up',
    'link set v1 up',
  ])
    spawnSync('ip', words.split(' '));
  const late = join(LAB_FOLDER, 'late');
  const early = join(LAB_FOLDER, 'early');
  mkdirSync(late, { mode: 0o700 });
  let child = run(late);
  await until('the daemon answers', async () => (await health(late)) !== null);
  const came = ginnel(late, 'server', '--with-node', '--advertise', '192.0.2.1', '--name', 'home');
  t.equal(came.code, 0, came.out);
  await end(late, child, 'SIGTERM');
  for (const life of ['killed', 'clean', 'killed'] as const) {
    child = run(late);
    await until('both roles are back', () => bothUp(late));
    for (let count = 0; count < 3; count++) {
      t.equal(ginnel(late, 'invite').code, 0);
      await clientOf(placesOf({ GINNEL_STATE: late })).post('/v1/settings', {
        set: { 'log-level': count % 2 === 0 ? 'debug' : 'info' },
      });
    }
    await end(late, child, life === 'killed' ? 'SIGKILL' : 'SIGTERM');
    if (!existsSync(early)) cpSync(late, early, { recursive: true, filter: isFile });
  }
  return { early, late };
}

const isFile = (path: string): boolean => !path.endsWith('.sock') || statSync(path).isDirectory();

let copies = 0;
function copyOf(made: string): string {
  const copy = mkdtempSync(join(LAB_FOLDER, `copy-${copies++}-`));
  cpSync(made, copy, { recursive: true, filter: isFile });
  return copy;
}

interface Truth {
  readonly entries: ReadonlyMap<string, unknown>;
  readonly changes: number;
}

async function truthOf(made: string, store: StoreName): Promise<Truth> {
  const opened = await openStore({
    path: join(copyOf(made), store),
    firstSetUp: false,
    counters: new Counters(),
  });
  const { entries, seal } = await opened.snapshot();
  await opened.close();
  return { entries, changes: seal.changes };
}

const check = (state: string): Promise<StateReport> =>
  checkState(stateParts(state), exportsIn(state), new Map());

/** All that counts; LevelDB's own diary is none of it. */
function printOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (/\/LOG(\.old)?$|daemon\./.test(`/${name}`) || !statSync(join(folder, name)).isFile()) continue;
    hash.update(name).update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex');
}

const filesOf = (folder: string, like: RegExp): string[] =>
  readdirSync(folder)
    .filter(name => like.test(name))
    .map(name => join(folder, name))
    .sort((a, b) => statSync(b).size - statSync(a).size);

const largest = (folder: string, like: RegExp): string => {
  const [first] = filesOf(folder, like);
  if (first === undefined) throw new Error(`nothing like ${String(like)} in ${folder}`);
  return first;
};

function flip(path: string, ...places: number[]): void {
  const bytes = readFileSync(path);
  for (const place of places) bytes[Math.floor(bytes.length * place)]! ^= 0x10;
  writeFileSync(path, bytes);
}

const cut = (path: string, share: number): void => {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * share)));
};

/** Where the last record of a log begins: 7 bytes of header each, no block boundary in so small a log. */
function withoutLastRecord(path: string): void {
  const log = readFileSync(path);
  let [last, at] = [0, 0];
  for (; at + 7 <= log.length; at += 7 + log.readUInt16LE(at + 4)) last = at;
  writeFileSync(path, log.subarray(0, last));
}

/** What comes of it: all is back, the newest export is taken, or the store itself as far as it goes. */
type Outcome = 'nothing lost' | 'from the export' | 'as far as it goes' | 'nobody can tell';

interface Damage {
  readonly name: string;
  readonly outcome: Outcome | 'whatever can be proved';
  /** What it hits may have been written anew since: then all of the truth must still be there. */
  readonly mayDoNoHarm?: boolean;
  readonly does: (store: string, early: string) => void;
}

const PROVABLE: readonly string[] = ['nothing lost', 'from the export', 'as far as it goes'];
const TABLE = /\.ldb$/;
const LOG = /\.log$/;
const DAMAGES: readonly Damage[] = [
  { name: 'CURRENT lost', outcome: 'nothing lost', does: store => rmSync(join(store, 'CURRENT')) },
  { name: 'MANIFEST cut', outcome: 'nothing lost', does: store => cut(largest(store, /^MANIFEST/), 0.5) },
  { name: 'MANIFEST missing', outcome: 'nothing lost', does: store => rmSync(largest(store, /^MANIFEST/)) },
  {
    name: 'a byte of the log flipped',
    outcome: 'whatever can be proved',
    does: store => flip(largest(store, LOG), 0.3),
  },
  {
    name: 'bits of a table flipped',
    outcome: 'from the export',
    does: store => flip(largest(store, TABLE), ...Array.from({ length: 40 }, (_, at) => at / 60)),
  },
  { name: 'a whole table deleted', outcome: 'from the export', does: store => rmSync(largest(store, TABLE)) },
  {
    name: 'an old table put back in the place of a newer one',
    outcome: 'from the export',
    mayDoNoHarm: true,
    does(store, early) {
      const newer = filesOf(store, TABLE).find(path => !existsSync(join(early, basename(path))));
      cpSync(largest(early, TABLE), newer ?? '');
    },
  },
  {
    name: 'the log cut at the end of a record',
    outcome: 'as far as it goes',
    does: store => withoutLastRecord(largest(store, LOG)),
  },
  {
    name: 'CURRENT that names an older MANIFEST',
    outcome: 'nothing lost',
    mayDoNoHarm: true,
    does(store, early) {
      for (const path of filesOf(early, /^(CURRENT|MANIFEST)/)) cpSync(path, join(store, basename(path)));
    },
  },
  { name: 'the seal lost', outcome: 'nobody can tell', does: store => rmSync(sealFileOf(store)) },
  { name: 'the seal cut', outcome: 'nobody can tell', does: store => cut(sealFileOf(store), 0.01) },
  {
    name: 'the folder gone, its seal still there',
    outcome: 'from the export',
    does: store => rmSync(store, { recursive: true }),
  },
  {
    name: 'all of it gone but its exports',
    outcome: 'from the export',
    does(store) {
      rmSync(store, { recursive: true });
      rmSync(sealFileOf(store));
    },
  },
];

t.test('a real state folder', async t => {
  const made = await make(t);
  t.ok((await check(copyOf(made.late))).ok, 'it is whole before anything is done to it');
  for (const store of STORES) {
    const truth = await truthOf(made.late, store);
    const exported = await newestExport(made.late, store);
    t.ok(
      truth.changes > exported.changes,
      `${store}: changed since the export (${truth.changes} > ${exported.changes})`,
    );
    for (const damage of DAMAGES)
      await t.test(`${store}: ${damage.name}`, t => suffers(t, made, store, damage, { truth, exported }));
  }
  await t.test('small files, cut or with a byte flipped, come back from the export', t =>
    smallFiles(t, made),
  );
  await t.test('through the command: refused, checked, mended, running', t => throughTheCommand(t, made));
  await t.test('a full disk at the start: told, nothing changed, and well again with room', t =>
    fullDisk(t, made),
  );
  await t.test('a second opener is told; a repair under a running daemon is refused', t =>
    secondOpener(t, made),
  );
});

async function newestExport(state: string, store: StoreName): Promise<Truth> {
  const { entries, seal } = await readExport(join(exportsIn(state), `${basename(store)}.newest.export`));
  return { entries, changes: seal.changes };
}

interface Expected {
  readonly truth: Truth;
  readonly exported: Truth;
}

async function suffers(
  t: Test,
  made: Made,
  name: StoreName,
  damage: Damage,
  { truth, exported }: Expected,
): Promise<void> {
  const state = copyOf(made.late);
  const path = join(state, name);
  damage.does(path, join(made.early, name));
  const before = printOf(state);
  const report = await check(state);
  if (report.ok && damage.mayDoNoHarm === true) {
    t.same((await truthOf(state, name)).entries, truth.entries, 'no harm: all of it was written anew since');
    return;
  }
  t.notOk(report.ok, 'noticed by a check');
  t.ok(
    (report.parts.find(part => part.path === path)?.problems.length ?? 0) > 0,
    JSON.stringify(report.parts),
  );
  const exportsFolder = exportsIn(state);
  const opening = openStore({ path, firstSetUp: true, counters: new Counters(), exportsFolder });
  await t.rejects(opening, { code: /^STORE_(DAMAGED|MISSING)$/ }, 'noticed at the start');
  const steps = await planRepair(stateParts(state), exportsFolder);
  t.equal(printOf(state), before, 'nothing was changed so far');
  t.match(steps, [{ kind: 'store', use: { entries: Map } }], 'one thing to mend');
  const outcome = outcomeOf(steps[0], truth);
  const expected = damage.outcome === 'whatever can be proved' ? PROVABLE : [damage.outcome];
  t.ok(expected.includes(outcome), `${outcome}; expected ${expected.join(' or ')}`);
  await carryOut(steps, join(state, 'damaged'));
  t.ok((await check(state)).ok, 'whole again');
  const store = await openStore({ path, firstSetUp: false, counters: new Counters(), exportsFolder });
  const { entries } = await store.snapshot();
  if (outcome === 'from the export') t.same(entries, exported.entries, 'exactly what was exported');
  if (outcome === 'nothing lost' || outcome === 'nobody can tell')
    t.same(entries, truth.entries, 'exactly what was confirmed');
  const furthest = existsSync(join(state, 'damaged', basename(sealFileOf(path)))) ? truth : exported;
  t.ok(
    store.changes > furthest.changes - Number(outcome === 'nobody can tell'),
    'no older state can be taken for it',
  );
  await store.put('goes', 'on');
  await store.close();
  rmSync(state, { recursive: true });
}

function outcomeOf(step: Step | undefined, truth: Truth): string {
  if (step?.kind !== 'store' || step.use === null) return 'nothing found';
  const { lost, use } = step;
  if (lost.changes === null && use.source !== 'export') return 'nobody can tell';
  if (lost.changes === 0) return 'nothing lost';
  if (lost.changes !== null && lost.changes !== truth.changes - use.seal.changes)
    return `counts ${lost.changes}`;
  return use.source === 'export' ? 'from the export' : 'as far as it goes';
}

async function smallFiles(t: Test, made: Made): Promise<void> {
  for (const name of ['identity.json', 'membership.json', 'server/server-keys.json'])
    for (const harm of [
      (path: string): void => flip(path, 0.6),
      (path: string): void => cut(path, 0.5),
      (path: string): void => rmSync(path),
    ]) {
      const state = copyOf(made.late);
      const path = join(state, name);
      const whole = readFileSync(path, 'utf8');
      harm(path);
      t.notOk((await check(state)).ok, `${name}: noticed`);
      const steps = await planRepair(stateParts(state), exportsIn(state));
      t.match(steps, [{ kind: 'file', path }]);
      await carryOut(steps, join(state, 'damaged'));
      t.equal(
        readFileSync(path, 'utf8').length > 0 && name !== 'membership.json'
          ? readFileSync(path, 'utf8')
          : whole,
        whole,
      );
      t.equal(statSync(path).mode & 0o777, 0o600);
      t.ok((await check(state)).ok, `${name}: whole again`);
    }
}

async function throughTheCommand(t: Test, made: Made): Promise<void> {
  const state = copyOf(made.late);
  rmSync(join(state, 'store', 'CURRENT'));
  rmSync(largest(join(state, 'server', 'registry'), TABLE));
  const refused = ginnel(state, 'run');
  t.match(refused, { code: 1, out: /STORE_DAMAGED/ });
  t.match(refused.out, 'ginnel check, then ginnel repair');
  t.match(ginnel(state, 'check'), { code: 1, out: /CURRENT.*\n.*[^]*missing files/ });
  const report = JSON.parse(ginnel(state, 'check', '--json').out) as StateReport;
  t.match(report, { ok: false, todo: /ginnel repair/ });
  const asks = ginnel(state, 'repair');
  t.match(asks, { code: 1, out: /REPAIR_NOT_AGREED/ });
  t.match(
    asks.out,
    /store: .*CURRENT[^]*repaired from its own files[^]*registry: .*missing files[^]*confirmed changes since .* are gone/,
  );
  const mended = ginnel(state, 'repair', '--yes');
  t.match(mended, { code: 0, out: /What was damaged is kept in/ }, mended.out);
  t.match(ginnel(state, 'check'), { code: 0, out: /is whole/ });
  t.match(ginnel(state, 'repair'), { code: 0, out: /Nothing is damaged/ });
  const child = run(state);
  await until('both roles are back', () => bothUp(state));
  t.match(ginnel(state, 'check'), { code: 0, out: /is whole/ }, 'checked while it runs');
  await end(state, child, 'SIGTERM');
}

async function fullDisk(t: Test, made: Made): Promise<void> {
  const state = join(LAB_FOLDER, 'small');
  mkdirSync(state);
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=700', 'none', state]);
  cpSync(made.late, state, { recursive: true, filter: isFile });
  const path = join(state, 'store');
  const fill = join(state, 'ballast');
  spawnSync('dd', ['if=/dev/zero', `of=${fill}`, 'bs=4096']);
  const before = printOf(path);
  await t.rejects(openStore({ path, firstSetUp: true, counters: new Counters() }), { code: 'DISK_FULL' });
  t.equal(printOf(path), before, 'nothing was changed');
  rmSync(fill);
  const store = await openStore({ path, firstSetUp: false, counters: new Counters(), keepFreeBytes: 0 });
  t.same((await store.snapshot()).entries, (await truthOf(made.late, 'store')).entries);
  await store.close();
  spawnSync('umount', [state]);
}

async function secondOpener(t: Test, made: Made): Promise<void> {
  const state = copyOf(made.late);
  const child = run(state);
  await until('both roles are back', () => bothUp(state));
  t.match(ginnel(state, 'run'), { code: 1, out: /DAEMON_RUNNING/ });
  t.match(ginnel(state, 'repair'), { code: 1, out: /DAEMON_RUNNING/ });
  const counters = new Counters();
  await t.rejects(openStore({ path: join(state, 'store'), firstSetUp: false, counters }), {
    code: 'STORE_LOCKED',
  });
  rmSync(join(state, 'control.sock'));
  rmSync(join(state, 'status.sock'));
  t.match(ginnel(state, 'repair'), { code: 1, out: /DAEMON_RUNNING/ }, 'not even where its sockets are gone');
  await end(state, child, 'SIGTERM');
}
