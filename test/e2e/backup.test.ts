// A whole box in one file and back, with real daemons, commands and stores: it is the same box to everybody. The failures of
// each step are test/unit/cli/backup.test.ts's.
import { readFileSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { ginnel } from '../../bin/program.ts';
import type { NodeStatus } from '../../core/admin.ts';
import type { ServerSummary } from '../../server/admin.ts';
import type { SettingShown } from '../../base/settings.ts';
import { join as joinBy, makeIdentity } from '../support/location-client.ts';
import { problemsOf } from '../support/openapi.ts';
import { quietSurroundings } from '../support/quiet-surroundings.ts';
import { realDaemon, type RealDaemon } from '../support/real-daemon.ts';

const PATIENCE_MS = 20_000;
const PASSPHRASE = 'correct horse battery\n';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function ran({ places }: RealDaemon, args: readonly string[], input = PASSPHRASE): Promise<Ran> {
  const said = { out: '', err: '' };
  const around = { environment: { GINNEL_STATE: places.state }, input: Readable.from([input]) };
  return { code: await ginnel(args, quietSurroundings(said, around)), ...said };
}

const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const statusOf = ({ client }: RealDaemon): Promise<NodeStatus> => client.get('/v1/node/status');

async function until<T>(what: string, look: () => Promise<T>, is: (value: T) => boolean): Promise<T> {
  let last: unknown = null;
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end;) {
    try {
      const value = await look();
      if (is(value)) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`did not come about: ${what}: ${JSON.stringify(last).slice(0, 600)}`);
}

const connected = (box: RealDaemon): Promise<NodeStatus> =>
  until(
    'it is connected',
    () => statusOf(box),
    ({ server }) => server.state === 'connected',
  );

async function server(t: Test, box: RealDaemon): Promise<number> {
  const port = await freePort();
  const options = { port, secondPort: null, listen: ['127.0.0.1'], networkName: 'home' };
  await box.client.post('/v1/server/up', options);
  t.match(await box.client.get('/v1/server'), { state: 'up' });
  return port;
}

const inviteOf = async ({ client }: RealDaemon): Promise<string> =>
  (await client.post<{ invite: string }>('/v1/server/invites', {})).invite;

const settingsOf = async ({ client }: RealDaemon, path: string): Promise<Map<string, unknown>> => {
  const { settings } = await client.get<{ settings: readonly SettingShown[] }>(path);
  return new Map(settings.map(({ key, value }) => [key, value]));
};

t.test('V4: a box that is restored on another machine is the same box, with all that was chosen', async t => {
  const [hall, attic] = [await realDaemon(t), await realDaemon(t)];
  const port = await server(t, hall);
  await attic.client.post('/v1/node/up', { invite: await inviteOf(hall), name: 'attic' });
  await joinBy(await inviteOf(hall), port, makeIdentity('cellar'));
  await ran(attic, ['ping', 'cellar', '-c', '1']);
  await attic.client.post('/v1/node/settings', { set: { mtu: 1380 } });
  await attic.client.post('/v1/settings', { set: { 'log-level': 'warn' } });
  await attic.client.post('/v1/node/plugins/nat-portmap/disable', {});
  const before = await connected(attic);

  const file = join(attic.places.state, 'attic.backup');
  const made = await ran(attic, ['backup', file, '--json']);
  t.equal(made.code, 0, made.err);
  t.equal(problemsOf('#/components/schemas/CliBackup', JSON.parse(made.out)), null);
  t.equal(statSync(file).mode & 0o777, 0o600);
  for (const secret of ['seed', before.id, 'attic'])
    t.notMatch(readFileSync(file, 'latin1'), secret, 'nothing of it can be read');
  t.match(await ran(attic, ['backup', file]), { code: 1, err: /is there already.*BACKUP_EXISTS/ });
  t.match(await ran(attic, ['restore', file]), { code: 1, err: /belongs to a network.*BACKUP_NOT_EMPTY/ });
  // What the network heard of it since: the box of the back-up is behind.
  await attic.client.post('/v1/node/settings', { set: { name: 'loft' } });
  await attic.end();

  const fresh = await realDaemon(t);
  const wrong = await ran(fresh, ['restore', file], 'wrong horse battery\n');
  t.match(wrong, { code: 1, err: /BACKUP_PASSPHRASE/ });
  t.match(await statusOf(fresh), { state: 'down', network: '' }, 'nothing was changed');
  const restored = await ran(fresh, ['restore', file, '--json']);
  t.equal(restored.code, 0, restored.err);
  t.equal(problemsOf('#/components/schemas/CliRestored', JSON.parse(restored.out)), null, restored.out);
  t.match(JSON.parse(restored.out), {
    ...{ name: 'attic', id: before.id, ip4: before.ip4, roles: ['node'], cameUp: true, notes: [] },
    parts: [
      { part: 'node', count: 1 },
      { part: 'peers', count: 1 },
      { part: 'settings', count: 2 },
      { part: 'plugins', count: 1 },
    ],
  });
  const after = await connected(fresh);
  t.same(sameness(after), sameness(before));
  t.same(
    after.peers.map(peer => peer.name),
    ['cellar'],
  );
  t.equal((await settingsOf(fresh, '/v1/node/settings')).get('mtu'), 1380);
  t.equal((await settingsOf(fresh, '/v1/settings')).get('log-level'), 'warn');
  t.match(await fresh.client.get('/v1/node/plugins/nat-portmap'), { enabled: false });
  const { nodes } = await hall.client.get<ServerSummary>('/v1/server');
  t.match(
    nodes.find(node => node.id === before.id),
    { name: 'attic', online: true },
    'to the server too',
  );
  t.match((await ran(fresh, ['restore', file])).err, /BACKUP_NOT_EMPTY/);
});

const sameness = ({ id, ip4, ip6, network, udpPort }: NodeStatus): object => ({
  ...{ id, ip4, ip6, network, udpPort },
});

t.test('P1: the box of the location server is restored: its boxes come back by themselves', async t => {
  const [hall, attic] = [await realDaemon(t), await realDaemon(t)];
  const port = await server(t, hall);
  await attic.client.post('/v1/node/up', { invite: await inviteOf(hall), name: 'attic' });
  await hall.client.post('/v1/node/up', { invite: await inviteOf(hall), name: 'hall' });
  const before = await connected(hall);
  const { key } = await hall.client.get<ServerSummary>('/v1/server');
  const open = await inviteOf(hall);
  const piped = await ran(hall, ['backup', '-']);
  t.equal(piped.code, 0, piped.err);
  await hall.end();

  const fresh = await realDaemon(t);
  const answer = await fresh.client.post('/v1/restore', { file: piped.out, passphrase: PASSPHRASE.trim() });
  t.match(answer, { name: 'hall', roles: ['node', 'server'], id: before.id });
  const again = await connected(fresh);
  t.equal(again.ip4, before.ip4);
  t.match(await fresh.client.get('/v1/server'), { state: 'up', key, port, networkName: 'home' });
  await connected(attic);
  t.match(
    await joinBy(open, port, makeIdentity('cellar')).then(() => 'let in'),
    'let in',
    'an invite that was open is open',
  );
});
