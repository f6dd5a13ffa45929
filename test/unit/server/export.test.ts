// The server out of its folder and into another one: whole, with its keys; and what is refused, with nothing changed.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join as path } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { systemClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { canonicalJson } from '../../../protocol/location/canonical.ts';
import { createServer } from '../../../server/server.ts';
import type { LocationServer } from '../../../server/server.ts';
import { primitives } from '../../../system/crypto.ts';
import { expectWelcome, join, readInvite, TestConnection } from '../../support/location-client.ts';
import { startServer, temporaryFolder } from '../../support/location-server.ts';
import { testTcp } from '../../support/tcp-ports.ts';

const PASSPHRASE = 'correct horse';

function newMachine(t: Test): { readonly server: LocationServer; readonly stateDir: string } {
  const stateDir = path(temporaryFolder(t), 'server');
  const server = createServer({
    ...{ stateDir, primitives, clock: systemClock, counters: new Counters(), log: silentLog },
    tcp: testTcp(),
  });
  t.teardown(() => server.down());
  return { server, stateDir };
}

function checksummed(file: string, change: object): string {
  const fields = { ...(JSON.parse(file) as object), ...change, sha256: undefined };
  const sha256 = Buffer.from(primitives.sha256(new TextEncoder().encode(canonicalJson(fields))));
  return JSON.stringify({ ...fields, sha256: sha256.toString('hex') });
}

t.test('a server that was exported while it runs is the same one on another machine', async t => {
  const { server, stateDir, invite, port } = await startServer(t, {
    ...{ advertise: ['old.example'], networkName: 'Grove' },
  });
  const text = await invite();
  const { connection, welcome } = await join(text, port);
  const spare = await invite();
  writeFileSync(path(stateDir, 'authority.json'), '{"made":"by another part"}', { mode: 0o600 });
  const { file, ...told } = await server.export({});
  t.match(told, { nodes: 1, networkName: 'Grove', sealed: false, moved: false });
  t.equal(server.summary().state, 'up', 'it goes on meanwhile');
  await server.down();

  const other = newMachine(t);
  const summary = await other.server.import({ file, port: 0, advertise: ['new.example'] });
  t.match(summary, { key: server.summary().key === '' ? /./ : /./, networkName: 'Grove', state: 'up' });
  t.match(summary.nodes, [{ id: connection.identity.id, ip4: welcome.assignment.ip4 }]);
  t.match(summary.addresses, [/^new\.example:/]);
  const again = await TestConnection.open({
    ...{ invite: readInvite(text), port: summary.port, identity: connection.identity },
  });
  const back = expectWelcome(await again.login());
  t.same(back.assignment, welcome.assignment, 'the box finds its server, and keeps its addresses');
  t.ok((back.places?.issued ?? 0) > (welcome.places?.issued ?? 0));
  t.match(back.places, { moves: 1, addresses: [/^new\.example:/] });
  t.match(readFileSync(path(other.stateDir, 'authority.json'), 'utf8'), /by another part/);
  const newcomer = await join(spare, summary.port);
  t.not(newcomer.welcome.assignment.ip4, welcome.assignment.ip4, 'an invite of before still lets one in');
  t.same(
    readdirSync(other.stateDir).filter(name => (statSync(path(other.stateDir, name)).mode & 0o077) !== 0),
    [],
    'readable by nobody else',
  );
});

t.test('--move: it stops, and starts here again only where its owner insists', async t => {
  const { server, stateDir } = await startServer(t);
  t.match(await server.export({ move: true }), { moved: true });
  t.equal(server.summary().state, 'down');
  await t.rejects(server.up({}), { code: 'SERVER_MOVED' });
  const { file } = await server.export({});
  const other = newMachine(t);
  t.match(
    await other.server.import({ file, port: 0 }),
    { state: 'up' },
    'what was moved can be exported again',
  );
  t.notOk(existsSync(`${other.stateDir}.incoming`));
  t.match(await server.up({ again: true }), { state: 'up' });
  t.ok(existsSync(stateDir));
});

t.test('sealed with a passphrase: opens with it alone, and holds nothing in the clear', async t => {
  const { server } = await startServer(t, { networkName: 'Hidden Grove' });
  const { file, sealed } = await server.export({ passphrase: PASSPHRASE });
  t.ok(sealed);
  const body = Buffer.from((JSON.parse(file) as { body: string }).body, 'base64').toString('latin1');
  t.notMatch(body, /Hidden|entries|identity/);
  const other = newMachine(t);
  await t.rejects(other.server.import({ file, port: 0 }), { code: 'EXPORT_SEALED' });
  await t.rejects(other.server.import({ file, passphrase: 'wrong horse', port: 0 }), {
    code: 'EXPORT_PASSPHRASE',
  });
  t.notOk(existsSync(other.stateDir));
  t.match(await other.server.import({ file, passphrase: PASSPHRASE, port: 0 }), { state: 'up' });
});

t.test('what is no whole export is refused with its reason, and changes nothing', async t => {
  const { server } = await startServer(t);
  const { file } = await server.export({});
  const { body } = JSON.parse(file) as { body: string };
  const flipped = `${body.slice(0, 40)}${body[40] === 'A' ? 'B' : 'A'}${body.slice(41)}`;
  const contents = JSON.parse(Buffer.from(body, 'base64').toString()) as { entries: [string, unknown][] };
  const without = (gone: RegExp): string => {
    const entries = contents.entries.filter(([key]) => !gone.test(key));
    return Buffer.from(JSON.stringify({ ...contents, entries })).toString('base64');
  };
  const newer = Buffer.from(JSON.stringify({ ...contents, format: 99 })).toString('base64');
  const outside = { ...contents, files: [['../../evil.json', '{}']] };
  const escaping = Buffer.from(JSON.stringify(outside)).toString('base64');
  const refused: readonly [what: string, file: string, code: string][] = [
    ['nothing', '', 'EXPORT_FOREIGN'],
    ['another file', '{"v":1}', 'EXPORT_FOREIGN'],
    ['cut', file.slice(0, file.length / 2), 'EXPORT_CUT'],
    ['cut by its last brace', file.trimEnd().slice(0, -1), 'EXPORT_CUT'],
    ['a flipped byte', file.replace(body, flipped), 'EXPORT_DAMAGED'],
    ['another date', file.replace('"made":"2', '"made":"3'), 'EXPORT_DAMAGED'],
    ['a newer version', checksummed(file, { v: 2, more: true }), 'EXPORT_NEWER'],
    ['newer entries', checksummed(file, { body: newer }), 'EXPORT_NEWER'],
    ['a field too many', checksummed(file, { more: true }), 'EXPORT_DAMAGED'],
    ['no network', checksummed(file, { body: without(/network$/) }), 'EXPORT_DAMAGED'],
    ['a file outside of the folder', checksummed(file, { body: escaping }), 'EXPORT_DAMAGED'],
    ['no contents', checksummed(file, { body: 'e30=' }), 'EXPORT_DAMAGED'],
    [
      'deeply nested',
      `{"ginnel":"server export","v":${'['.repeat(9999)}${']'.repeat(9999)}}`,
      'EXPORT_DAMAGED',
    ],
  ];
  const other = newMachine(t);
  for (const [what, text, code] of refused)
    await t.rejects(other.server.import({ file: text, port: 0 }), { code }, what);
  t.same(readdirSync(path(other.stateDir, '..')), [], 'nothing is left behind');
  await t.rejects(
    other.server.import({ file, port: 0, listen: ['192.0.2.77'] }),
    { code: 'SERVER_LISTEN' },
    'an address of another machine',
  );
  t.match(await other.server.import({ file: checksummed(file, {}), port: 0, listen: [] }), { state: 'up' });
});

t.test('an import never replaces a server, and survives a crash of an earlier one', async t => {
  const { server, stateDir } = await startServer(t);
  const { file } = await server.export({});
  await t.rejects(server.import({ file, port: 0 }), { code: 'SERVER_EXISTS' });
  await server.down();
  await t.rejects(server.import({ file, port: 0 }), { code: 'SERVER_EXISTS' }, 'nor one that is down');
  const other = newMachine(t);
  // A process that died in the middle of an import left this.
  mkdirSync(other.stateDir, { recursive: true });
  mkdirSync(`${other.stateDir}.incoming/registry`, { recursive: true });
  writeFileSync(`${other.stateDir}.incoming/registry/000003.log`, 'half');
  t.match(await other.server.import({ file, port: 0 }), { state: 'up' });
  t.notOk(existsSync(`${other.stateDir}.incoming`));
  const nowhere = newMachine(t);
  await t.rejects(nowhere.server.export({}), { code: 'SERVER_NOT_SET_UP' });
  cpSync(path(stateDir, 'server-keys.json'), path(nowhere.stateDir, 'server-keys.json'), { recursive: true });
  await t.rejects(nowhere.server.import({ file, port: 0 }), { code: 'SERVER_EXISTS' }, 'nor its mere keys');
});
