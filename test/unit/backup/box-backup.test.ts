// A back-up of the box, step by step: what is in the file, how each kind of wrong file is refused, and that whatever breaks
// off leaves an empty box or a whole one. The whole way, with daemons, is test/e2e/backup.test.ts's.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { readKept, writeKept } from '../../../base/kept-file.ts';
import { silentLog } from '../../../base/log.ts';
import { openStore, type Store } from '../../../base/store.ts';
import { takeStateFolder } from '../../../bin/assemble.ts';
import { boxBackup } from '../../../bin/backup/box-backup.ts';
import { decodeBackup, encodeBackup, readBox, type BoxContents } from '../../../bin/backup/contents.ts';
import { finishRestore, takeIn, whyNotEmpty } from '../../../bin/backup/place.ts';
import { placesOf, type Places } from '../../../bin/places.ts';
import { openIdentity } from '../../../core/control/identity.ts';
import type { Membership } from '../../../core/control/membership.ts';
import { writeSealed } from '../../../server/sealed-file.ts';
import { primitives } from '../../../system/crypto.ts';
import { TcpPorts } from '../../../system/tcp-ports.ts';
import type { BackupAdmin } from '../../../web/backup-admin.ts';

const PASSPHRASE = 'correct horse battery';
const AT = Date.UTC(2026, 4, 1);
const noPorts = new TcpPorts({ clock: new ManualClock(), counters: new Counters() });

interface Box {
  readonly places: Places;
  readonly store: Store;
  readonly counters: Counters;
  readonly backup: BackupAdmin;
  readonly counted: (name: string) => number;
}

async function box(t: Test, keepFreeBytes?: number): Promise<Box> {
  const folder = mkdtempSync(join(tmpdir(), 'ginnel-backup-'));
  const places = placesOf({ GINNEL_STATE: folder });
  const counters = new Counters();
  const store = await takeStateFolder({ places, counters });
  t.teardown(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const room = keepFreeBytes === undefined ? {} : { keepFreeBytes };
  const backup = boxBackup({
    ...{ state: folder, store, counters, primitives, tcp: noPorts, clock: new ManualClock(AT), ...room },
    server: { contents: () => Promise.resolve(null) },
  });
  return { places, store, counters, backup, counted: name => counters.counter(`backup.${name}`).value };
}

const MEMBERSHIP: Membership = {
  ...{ network: 'net-1', networkName: 'home', serverKey: 'key', serverIdentity: 'identity', name: 'attic' },
  ...{ addresses: ['home.example.net:7443'], learntAddresses: [], places: null, chosenAddresses: [] },
  ...{ udpPort: 41641, token: null, assignment: null, prefix4: null, prefix6: null, record: null },
  signalFloor: 0,
};

/** One that is on a network, with something in each corner of its store. */
async function member(t: Test): Promise<Box> {
  const one = await box(t);
  const folder = one.places.state;
  await openIdentity({ folder, primitives, log: silentLog, counters: new Counters(), joined: false });
  await writeKept(join(folder, 'membership.json'), MEMBERSHIP);
  const puts: [string, unknown][] = [
    ['roles/node', true],
    ['daemon/settings/chosen', { 'log-level': 'warn' }],
    ['node/settings/chosen', { mtu: 1380 }],
    ['node/peers/cellar-id', { name: 'cellar' }],
    ['node/plugin-choice/nat-stun', { enabled: false }],
    ['node/node/left-card', 'ginnel0'],
    ['page/owner', { hash: 'of the password' }],
    ['page/sessions', { who: 'is signed in' }],
    ['page/cookie-tag', 'abcdefgh'],
    ['page/tls', { secret: 'of its certificate' }],
  ];
  await one.store.batch(puts.map(([key, value]) => ({ type: 'put', key, value })));
  return one;
}

const fileOf = async (t: Test): Promise<string> => (await (await member(t)).backup.make(PASSPHRASE)).file;

/** Everything of a state folder but sockets and locks: what is there, by name. */
const namesIn = ({ state }: Places): string[] => readdirSync(state).sort();

t.test('it holds what makes the box this box, and nothing of the machine or the moment', async t => {
  const one = await member(t);
  const { file, ...facts } = await one.backup.make(PASSPHRASE);
  t.match(facts, { name: 'attic', made: AT, bytes: file.length });
  t.same(
    facts.parts.map(({ part, count }) => [part, count]),
    [
      ['node', 1],
      ['peers', 1],
      ['settings', 2],
      ['plugins', 1],
      ['page', 1],
    ],
  );
  const { box: held, made } = await decodeBackup(file, PASSPHRASE);
  t.equal(made, AT);
  const keys = held.entries.map(([key]) => key);
  for (const key of ['page/sessions', 'page/cookie-tag', 'page/tls', 'node/node/left-card'])
    t.notOk(keys.includes(key), key);
  t.ok(keys.includes('page/owner'));
  t.equal(one.counted('made'), 1);
});

t.test('what is not worth a back-up, or has no true passphrase, is refused', async t => {
  const empty = await box(t);
  await t.rejects(empty.backup.make(PASSPHRASE), { code: 'BACKUP_NOTHING' });
  t.equal(empty.counted('refused.BACKUP_NOTHING'), 1);
  const one = await member(t);
  await t.rejects(one.backup.make('too short'), { code: 'PASSPHRASE_SHORT' });
  writeFileSync(join(one.places.state, 'identity.json'), '{"v":1');
  await t.rejects(one.backup.make(PASSPHRASE), { code: 'STORE_DAMAGED' }, 'damage is told, not left out');
});

t.test('each wrong file has its words, is counted, and changes nothing', async t => {
  const file = await fileOf(t);
  const held = (await decodeBackup(file, PASSPHRASE)).box;
  const again = (change: Partial<BoxContents>): Promise<string> =>
    encodeBackup({ ...held, ...change }, AT, PASSPHRASE);
  const field = JSON.parse(file) as Record<string, unknown>;
  const body = String(field['body']);
  const flipped = `${body.slice(0, 99)}${body[99] === 'A' ? 'B' : 'A'}${body.slice(100)}`;
  const sealedAs = (
    name: string,
    version: number,
    passphrase: string | null,
    text = '{}',
  ): Promise<string> => {
    const errors = { foreign: no, cut: no, damaged: no, newer: no, sealed: no, passphrase: no };
    return writeSealed({ name, version, maxCharacters: 1e6, errors }, Buffer.from(text), AT, passphrase);
  };
  const cases: [what: string, file: string, passphrase: string, code: string][] = [
    ['another passphrase', file, 'wrong horse battery', 'BACKUP_PASSPHRASE'],
    ['cut in the middle', file.slice(0, file.length / 2), PASSPHRASE, 'BACKUP_CUT'],
    ['a changed bit', JSON.stringify({ ...field, body: flipped }), PASSPHRASE, 'BACKUP_DAMAGED'],
    ['another date', JSON.stringify({ ...field, made: 'now' }), PASSPHRASE, 'BACKUP_DAMAGED'],
    ['of a newer Ginnel', await sealedAs('box backup', 2, PASSPHRASE), PASSPHRASE, 'BACKUP_NEWER'],
    ['entries of a newer Ginnel', await again({ format: 999 }), PASSPHRASE, 'BACKUP_NEWER'],
    ['an export of a server', await sealedAs('server export', 1, PASSPHRASE), PASSPHRASE, 'BACKUP_FOREIGN'],
    ['something else', 'hello', PASSPHRASE, 'BACKUP_FOREIGN'],
    [
      'without a seal',
      await sealedAs('box backup', 1, null, JSON.stringify(held)),
      PASSPHRASE,
      'BACKUP_DAMAGED',
    ],
    ['sealed, and no box', await sealedAs('box backup', 1, PASSPHRASE), PASSPHRASE, 'BACKUP_DAMAGED'],
    [
      'keys of two boxes',
      await again({ identity: { ...held.identity, id: 'x' } }),
      PASSPHRASE,
      'BACKUP_DAMAGED',
    ],
    ['a membership without keys', await again({ identity: null }), PASSPHRASE, 'BACKUP_DAMAGED'],
    ['half a membership', await again({ membership: { name: 'attic' } }), PASSPHRASE, 'BACKUP_DAMAGED'],
  ];
  const empty = await box(t);
  const before = namesIn(empty.places);
  for (const [what, wrong, passphrase, code] of cases) {
    await t.rejects(empty.backup.restore(wrong, passphrase), { code }, what);
    t.ok(empty.counted(`refused.${code}`) > 0, `${what} is counted`);
    t.same(namesIn(empty.places), before, `${what}: nothing is left behind`);
  }
  t.match(await empty.backup.restore(file, PASSPHRASE), { name: 'attic' }, 'and the right one goes in');
});

const no = (): Error => new Error('not asked here');

t.test('a full disk leaves the box as empty as it was', async t => {
  const file = await fileOf(t);
  const full = await box(t, Number.MAX_SAFE_INTEGER);
  const before = namesIn(full.places);
  await t.rejects(full.backup.restore(file, PASSPHRASE), { code: 'DISK_FULL' });
  t.equal(full.counted('refused.DISK_FULL'), 1);
  t.same(namesIn(full.places), before);
});

t.test('only an empty box becomes another one', async t => {
  const file = await fileOf(t);
  const joined = await member(t);
  await t.rejects(joined.backup.restore(file, PASSPHRASE), {
    code: 'BACKUP_NOT_EMPTY',
    message: /belongs to a network.*move .* away/,
  });
  const serving = await box(t);
  mkdirSync(join(serving.places.state, 'server'));
  t.equal(await whyNotEmpty(serving.places.state), null, 'an empty folder is no server');
  writeFileSync(join(serving.places.state, 'server', 'server-keys.json'), '{}');
  await t.rejects(serving.backup.restore(file, PASSPHRASE), { code: 'BACKUP_NOT_EMPTY', message: /server/ });
});

t.test("the page's owner stays where the back-up knows none, and is the back-up's where it does", async t => {
  const file = await fileOf(t);
  const held = (await decodeBackup(file, PASSPHRASE)).box;
  const ownerless = held.entries.filter(([key]) => !key.startsWith('page/'));
  for (const [entries, owner] of [
    [held.entries, { hash: 'of the password' }],
    [ownerless, { hash: 'set here' }],
  ] as const) {
    const fresh = await box(t);
    await fresh.store.put('page/owner', { hash: 'set here' });
    await fresh.backup.restore(await encodeBackup({ ...held, entries }, AT, PASSPHRASE), PASSPHRASE);
    const after = await reopened(t, fresh);
    t.same(await after.get('page/owner'), owner);
  }
});

/** As the daemon does next. */
async function reopened(t: Test, { places, store }: Box): Promise<Store> {
  await store.close();
  const again = await takeStateFolder({ places, counters: new Counters() });
  t.teardown(() => again.close());
  return again;
}

t.test('a crash before the back-up is whole leaves an empty box', async t => {
  const one = await box(t);
  const { state } = one.places;
  await t.rejects(
    takeIn(state, folder => {
      writeFileSync(join(folder, 'identity.json'), 'half of it');
      return Promise.reject(new Error('the power went'));
    }),
  );
  t.notOk(existsSync(join(state, 'restore.incoming')));
  // Where nobody could clean up.
  mkdirSync(join(state, 'restore.incoming'));
  writeFileSync(join(state, 'restore.incoming', 'identity.json'), 'half of it');
  const store = await reopened(t, one);
  t.notOk(existsSync(join(state, 'restore.incoming')) || existsSync(join(state, 'identity.json')));
  t.same(await store.entries(''), []);
});

/** The moves of a restore in their order, as bin/backup/place.ts makes them. */
const MOVES: readonly (readonly [from: string, to: string])[] = [
  ['restore.whole/identity.json', 'identity.json'],
  ['restore.whole/membership.json', 'membership.json'],
  ['restore.whole/store.set-up', 'store.set-up'],
  ['store', 'restore.whole/store.replaced'],
  ['restore.whole/store', 'store'],
  ['restore.whole', 'restore.incoming'],
];

t.test('a crash after it is whole, at any move, leaves the whole box at the next start', async t => {
  const file = await fileOf(t);
  const one = await box(t);
  await one.store.put('of', 'the empty box');
  await one.backup.restore(file, PASSPHRASE);
  await one.store.close();
  for (let done = 0; done <= MOVES.length; done++) {
    const state = mkdtempSync(join(tmpdir(), 'ginnel-crash-'));
    t.teardown(() => rmSync(state, { recursive: true, force: true }));
    cpSync(one.places.state, state, { recursive: true });
    for (const [from, to] of MOVES.slice(0, done)) renameSync(join(state, from), join(state, to));
    await finishRestore(state, AT);
    const store = await openStore({
      path: join(state, 'store'),
      ...{ firstSetUp: false, counters: new Counters() },
    });
    t.teardown(() => store.close());
    t.equal(await store.get('roles/node'), true, `after ${done} moves`);
    t.equal(await store.get('of'), undefined, 'nothing of the box of before');
    t.match(await readKept(join(state, 'membership.json')), { value: { name: 'attic' } });
    t.ok(existsSync(join(state, 'identity.json')));
    t.same(
      readdirSync(state).filter(name => name.startsWith('restore.')),
      [],
      'and nothing is left over',
    );
  }
});

t.test('who still runs with the empty box keeps others from putting the new one in place', async t => {
  const file = await fileOf(t);
  const one = await box(t);
  await one.backup.restore(file, PASSPHRASE);
  await t.rejects(finishRestore(one.places.state, AT), { code: 'DAEMON_RUNNING' });
  t.match(await (await reopened(t, one)).get('node/settings/chosen'), { mtu: 1380 });
});

t.test('exports of the empty box are not taken for exports of the new one', async t => {
  const file = await fileOf(t);
  const one = await box(t);
  const exports = join(one.places.state, 'exports');
  mkdirSync(exports);
  writeFileSync(join(exports, 'store.newest.export'), 'of the empty box');
  await one.backup.restore(file, PASSPHRASE);
  await reopened(t, one);
  t.match(readdirSync(exports), [/^store\.newest\.export\.before-import-/]);
});

t.test('what is sealed and is no box is refused, however odd', t => {
  for (const odd of ['', 'null', '[]', '{"name":1}', '{"entries":[]}', '\u0000'])
    t.throws(() => readBox(Buffer.from(odd)), { code: 'BACKUP_DAMAGED' }, odd);
  t.end();
});
