// The three ways into a network as people go them: the real command, the real daemons, the real protocol. Only the network
// card is made up, since it needs root.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import type { Test } from 'tap';
import { EXIT } from '../../bin/exit-codes.ts';
import { ginnel } from '../../bin/program.ts';
import type { NodeStatus } from '../../core/admin.ts';
import { temporaryFolder } from '../support/location-server.ts';
import { quietSurroundings, type Said } from '../support/quiet-surroundings.ts';
import { realDaemon } from '../support/real-daemon.ts';
import type { RealDaemon } from '../support/real-daemon.ts';

interface Ran extends Said {
  readonly code: number;
}

interface Box {
  readonly daemon: RealDaemon;
  run(args: readonly string[], input?: string): Promise<Ran>;
}

async function box(t: Test): Promise<Box> {
  const daemon = await realDaemon(t);
  const environment = { GINNEL_STATE: daemon.places.state };
  return {
    daemon,
    async run(args, input = '') {
      const said = { out: '', err: '' };
      const code = await ginnel(
        args,
        quietSurroundings(said, { environment, input: Readable.from([input]) }),
      );
      return { ...said, code };
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

/** A location server, and the line that tells where it is. */
async function network(t: Test): Promise<Box & { readonly line: string }> {
  const server = await box(t);
  const port = String(await freePort());
  const made = await server.run([
    'server',
    '--port',
    port,
    '--listen',
    '127.0.0.1',
    '--pool',
    '10.177.0.0/16',
  ]);
  t.equal(made.code, EXIT.ok, made.err);
  const { out } = await server.run(['invite', '--address-only']);
  return { ...server, line: out.trim() };
}

const statusOf = ({ daemon }: Box): Promise<NodeStatus> => daemon.client.get('/v1/node/status');

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).flatMap(entry =>
    entry.isFile() ? readFileSync(join(entry.parentPath, entry.name), 'latin1') : [],
  );
}

t.test(
  'V3: by an invite that asks for approval: the box waits, and is in as soon as somebody approves',
  async t => {
    const server = await network(t);
    const made = await server.run(['invite', '--approval', '--note', 'for the attic', '--json']);
    const { invite, id } = JSON.parse(made.out) as { invite: string; id: string };
    const attic = await box(t);
    const waits = await attic.run(['up', '--name', 'attic'], invite);
    t.equal(waits.code, EXIT.waiting, waits.err);
    t.match(waits.out, /attic is known to the network and waits for approval.*ginnel nodes approve attic/);
    t.match(await statusOf(attic), {
      ip4: '',
      server: { state: 'waiting' },
      health: [{ code: 'PENDING_APPROVAL' }],
    });
    t.match((await attic.run(['status'])).out, /PENDING_APPROVAL/);
    t.match(
      (await server.run(['invite', 'list'])).out,
      new RegExp(`${id} +used +0 of 1 left .*for the attic`),
    );

    await server.daemon.client.post('/v1/server/nodes/attic/approve', {});
    const asked = performance.now();
    while ((await statusOf(attic)).ip4 === '' && performance.now() - asked < 20_000)
      await new Promise(resolve => setTimeout(resolve, 20));
    t.match(await statusOf(attic), { ip4: '10.177.0.1', server: { state: 'connected' } });
    t.comment(`in ${Math.round(performance.now() - asked)} ms after the approval`);

    const second = await (await box(t)).run(['up', '--name', 'cellar'], invite);
    t.equal(second.code, EXIT.refused);
    t.match(second.err, /INVITE_USED/);
  },
);

t.test(
  'V3: by account and password: a wrong one is refused, the right one lets in and is kept nowhere',
  async t => {
    const server = await network(t);
    const password = 'four words, quite long';
    t.equal((await server.run(['accounts', 'add', 'anna', '--boxes', '2'], `${password}\n`)).code, EXIT.ok);
    t.match((await server.run(['accounts', 'add', 'bert'], 'short')).err, /PASSWORD_SHORT/);
    const cellar = await box(t);
    const up = ['up', '--name', 'cellar', '--account', 'anna', '--network', server.line];
    const wrong = await cellar.run(up, 'not that one at all');
    t.equal(wrong.code, EXIT.refused);
    t.match(wrong.err, /ACCOUNT_REFUSED/);
    const right = await cellar.run(up, `${password}\n`);
    t.equal(right.code, EXIT.ok, right.err);
    t.match(right.out, /cellar is on the network as 10\.177\.0\.1/);
    t.match((await server.run(['accounts'])).out, /anna +1 of 2 boxes +cellar/);
    for (const { daemon } of [server, cellar])
      t.notOk(filesOf(daemon.places.state).some(text => text.includes(password)));
    t.match((await server.run(['accounts', 'remove', 'anna'])).out, /stay.*cellar/);
    const again = await cellar.run(['up', '--name', 'cellar']);
    t.equal(again.code, EXIT.ok, `it is known by its own key ${again.err}`);
  },
);

t.test('V3: by a certificate: one box each; a revoked one lets nobody in', async t => {
  const server = await network(t);
  const folder = temporaryFolder(t);
  const line = join(folder, 'network');
  writeFileSync(line, `The network:\n  ${server.line}\n`);
  const issue = async (
    name: string,
  ): Promise<{ serial: string; files: { certificate: string; key: string } }> => {
    const made = await server.run(['certificates', 'issue', name, '--out', join(folder, name), '--json']);
    t.equal(made.code, EXIT.ok, made.err);
    t.notMatch(made.out, /PRIVATE KEY/);
    return JSON.parse(made.out) as Awaited<ReturnType<typeof issue>>;
  };
  const upBy = ({ files }: Awaited<ReturnType<typeof issue>>, name: string): string[] => [
    ...['up', '--name', name, '--certificate', files.certificate, '--key', files.key, '--network', line],
  ];
  const first = await issue('loft');
  const loft = await (await box(t)).run(upBy(first, 'loft'));
  t.equal(loft.code, EXIT.ok, loft.err);
  const garage = await box(t);
  t.match(await garage.run(upBy(first, 'garage')), { code: EXIT.refused, err: /CERTIFICATE_USED/ });
  const second = await issue('garage');
  t.match((await server.run(['certificates', 'revoke', second.serial])).out, /lets nobody in/);
  t.match(await garage.run(upBy(second, 'garage')), { code: EXIT.refused, err: /CERTIFICATE_REVOKED/ });
  t.match((await server.run(['certificates'])).out, /loft +used by loft[\s\S]*garage +revoked/);
});
