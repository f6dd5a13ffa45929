// What goes wrong when people set Ginnel up, over the real command: each time an honest exit code, a code and a sentence
// that says what to do, on standard error, and what was given before is not lost.
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { NodeStatus } from '../../core/admin.ts';
import { altered, asked, isAlive, preload, up } from './attempt.ts';
import type { Attempt } from './attempt.ts';
import { GINNEL, GinnelNode, startNode, startServer } from './ginnel.ts';
import type { LocationServer } from './ginnel.ts';
import { buildLab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab, LAB_FOLDER } from './wrapper.ts';

enterLab(import.meta.url);

const NOBODY = 65534;
const AS_NOBODY = `setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups --bounding-set -all`;
const WITHOUT_TUN = `unshare --mount bash -c 'mount -t tmpfs none /dev/net; exec "$@"' hidden`;
const PORT = 45_678;

const lab = await buildLab({ homes: [{ kind: 'prc', hosts: 2 }], delayMs: 1 });
t.teardown(() => lab.stop());
const server = await serverWithAClockToMove();
const home = lab.homes[0];
if (home === undefined) throw new TypeError('one home was asked for');
const box = home.host;

interface Refusal {
  readonly code: string;
  readonly exit: number;
  readonly todo: RegExp;
}

/** In words, then in JSON: the same refusal. */
async function refused(t: Test, attempt: Attempt, { code, exit, todo }: Refusal): Promise<void> {
  const words = await up(box, attempt);
  t.equal(words.code, exit, `exit code in words`, words);
  t.equal(words.stdout, '', 'nothing on standard output');
  t.ok(words.stderr.includes(`(${code})`), `${code} in words`, words);
  t.match(words.stderr, todo, 'it says what to do');
  const json = await up(box, attempt, ['--json']);
  t.equal(json.code, exit, 'exit code in JSON', json);
  t.equal(json.stdout, '', 'nothing on standard output');
  const { error } = JSON.parse(json.stderr) as { error: { code: string; message: string; retry: boolean } };
  t.match(error, { code, message: todo, retry: Boolean });
}

async function accepted(t: Test, attempt: Attempt): Promise<NodeStatus> {
  const result = await up(box, attempt, ['--json']);
  t.equal(result.code, 0, 'then it joins', result);
  return JSON.parse(result.stdout === '' ? '{}' : result.stdout) as NodeStatus;
}

/** One box has one overlay at a time: the next one is let in. */
async function left(t: Test, folder: string): Promise<void> {
  const result = await asked(box, folder, ['down', '--json']);
  t.equal(result.code, 0, 'and leaves', result);
}

t.test('not as root: NOT_ROOT; and nobody else talks to the daemon', async t => {
  const folder = 'rootless';
  mkdirSync(`${LAB_FOLDER}/${folder}`, { mode: 0o700 });
  chownSync(`${LAB_FOLDER}/${folder}`, NOBODY, NOBODY);
  const attempt = { folder, invite: await server.invite(), before: AS_NOBODY };
  await refused(t, attempt, { code: 'NOT_ROOT', exit: 1, todo: /as root|CAP_NET_ADMIN/ });

  const looked = await lab.server.exec(
    `NODE_OPTIONS= ${AS_NOBODY} '${process.execPath}' '${GINNEL}' status --json`,
    {
      env: { GINNEL_STATE: server.folder },
      mayFail: true,
    },
  );
  t.equal(looked.code, 3);
  t.match(JSON.parse(looked.stderr), { error: { code: 'DAEMON_NOT_ALLOWED', message: /sudo/ } });
});

t.test('no /dev/net/tun: TUN_MISSING; the invite is still good once it is there', async t => {
  const attempt = { folder: 'cardless', invite: await server.invite() };
  await refused(
    t,
    { ...attempt, before: WITHOUT_TUN },
    { code: 'TUN_MISSING', exit: 1, todo: /modprobe tun/ },
  );
  await endDaemon('cardless');
  t.match(await accepted(t, attempt), { state: 'up', name: 'cardless' });
  await left(t, 'cardless');
});

t.test('the UDP port is taken: PORT_TAKEN; the invite is still good with another', async t => {
  const hold = `require('dgram').createSocket('udp4').bind(${PORT}, () => console.log('held'))`;
  const holder = box.spawn(process.execPath, ['-e', hold], { stdio: ['ignore', 'pipe', 'inherit'] });
  let isHeld = false;
  holder.stdout?.once('data', () => (isHeld = true));
  await until('the port to be taken', 10_000, () => isHeld);
  const attempt = { folder: 'portless', invite: await server.invite() };
  const args = ['--udp-port', String(PORT)];
  await refused(t, { ...attempt, args }, { code: 'PORT_TAKEN', exit: 1, todo: /choose another port/ });
  t.match(await accepted(t, { ...attempt, args: ['--udp-port', String(PORT + 1)] }), { udpPort: PORT + 1 });
  await left(t, 'portless');
});

t.test('nobody at the addresses of the invite: SERVER_UNREACHABLE, within 20 s', async t => {
  const invite = altered(await server.invite(), () => ({
    addresses: ['203.0.113.1:9', '203.0.113.77:7443'],
  }));
  const before = performance.now();
  await refused(
    t,
    { folder: 'lost', invite },
    { code: 'SERVER_UNREACHABLE', exit: 1, todo: /port is forwarded/ },
  );
  t.ok(performance.now() - before < 40_000, 'both tries together', { ms: performance.now() - before });
});

t.test('another machine answers there: SERVER_KEY_WRONG', async t => {
  const invite = altered(await server.invite(), ({ serverKey }) => ({
    addresses: [`${lab.server.address}:7443`],
    serverKey: serverKey.map((byte, at) => (at === 0 ? byte ^ 1 : byte)),
  }));
  await refused(t, { folder: 'stranger', invite }, { code: 'SERVER_KEY_WRONG', exit: 1, todo: /new invite/ });
});

t.test('an invite that the server never made: INVITE_UNKNOWN', async t => {
  const invite = altered(await server.invite(), ({ token }) => ({ token: token.map(byte => byte ^ 1) }));
  await refused(t, { folder: 'forger', invite }, { code: 'INVITE_UNKNOWN', exit: 4, todo: /ginnel invite/ });
});

t.test('an invite for the second time: INVITE_USED; the first box stays in', async t => {
  const invite = await server.invite();
  const first = await accepted(t, { folder: 'first', invite });
  await left(t, 'first');
  await refused(t, { folder: 'second', invite }, { code: 'INVITE_USED', exit: 4, todo: /ginnel invite/ });
  t.match(await accepted(t, { folder: 'first' }), { ip4: first.ip4 });
  await left(t, 'first');
});

t.test('an invite too late: INVITE_EXPIRED', async t => {
  const attempt = { folder: 'late', invite: await server.invite() };
  moveClock();
  await refused(t, attempt, { code: 'INVITE_EXPIRED', exit: 4, todo: /ginnel invite/ });
  moveClock();
});

t.test('an invite with a wrong letter: INVITE_UNREADABLE; the right one still works', async t => {
  const invite = await server.invite();
  const wrong = invite.slice(0, 60) + (invite[60] === 'A' ? 'B' : 'A') + invite.slice(61);
  await refused(
    t,
    { folder: 'typo', invite: wrong },
    { code: 'INVITE_UNREADABLE', exit: 1, todo: /paste it again/ },
  );
  await refused(
    t,
    { folder: 'typo', invite: invite.slice(0, -9) },
    { code: 'INVITE_UNREADABLE', exit: 1, todo: /paste it again/ },
  );
  t.match(await accepted(t, { folder: 'typo', invite }), { name: 'typo' });
  await left(t, 'typo');
});

t.test('a second daemon on one state folder: DAEMON_RUNNING; the first is not disturbed', async t => {
  const node = await startNode(server, home.hosts[1] ?? box, 'twice');
  const before = await node.status();
  const second = await node.ginnel(['run', '--json']);
  t.equal(second.code, 1);
  t.match(JSON.parse(second.stderr.trim().split('\n').at(-1) ?? ''), {
    error: { code: 'DAEMON_RUNNING', message: /GINNEL_STATE/ },
  });
  const words = await node.ginnel(['run']);
  t.equal(words.code, 1);
  t.match(words.stderr, /\(DAEMON_RUNNING\)/);
  t.match(await node.status(), { state: 'up', ip4: before.ip4, udpPort: before.udpPort });
  await node.stop();
});

t.test('the clock shows 1970: it joins all the same, meets others, and says what is wrong', async t => {
  const env = {
    NODE_OPTIONS: preload('const now = Date.now, start = now(); Date.now = () => now() - start;'),
  };
  const attempt = { folder: 'old-clock', invite: await server.invite(), env };
  const joined = await accepted(t, attempt);
  const other = await startNode(server, home.hosts[1] ?? box, 'right-clock');
  const pinged = await other.place.exec(`ping -q -c 1 -w 15 ${joined.ip4}`, { mayFail: true });
  t.equal(pinged.code, 0, 'others reach it', pinged);
  const status = await asked(box, 'old-clock', ['status', '--json']);
  const { node } = JSON.parse(status.stdout) as { node: NodeStatus };
  t.match(node.health, [{ code: 'CLOCK_WRONG', words: /clock/, todo: /NTP/ }]);
  await other.stop();
});

t.test('the disk is full: an honest word, and what was confirmed before is not lost', async t => {
  const node = new GinnelNode(home.hosts[1] ?? box, 'full');
  mkdirSync(node.folder, { mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'none', node.folder]);
  const fill = `dd if=/dev/zero of=${node.folder}/ballast bs=4k 2>&1 | tail -1`;
  await node.place.exec(fill);
  const invite = await server.invite();
  const tried = await node.ginnel(['up', '--json', '--name', 'full'], invite);
  t.equal(tried.code, 1, 'exit code', tried);
  const { error } = JSON.parse(tried.stderr) as { error: { code: string; message: string } };
  t.match(error, { code: 'DISK_FULL', message: /Make room/ });
  await node.place.exec(`rm ${node.folder}/ballast`);

  const joined = await node.ginnel(['up', '--json', '--name', 'full'], invite);
  t.equal(joined.code, 0, 'with room it joins, by the same invite', joined);
  const before = await node.status();
  await node.place.exec(fill);
  t.match(
    await node.status(),
    { state: 'up', server: { state: 'connected' } },
    'it runs on when the disk fills',
  );
  const { pid } = await node.api<{ pid: number }>('GET', '/v1/health');
  process.kill(pid, 'SIGKILL');
  await until('the daemon to be gone', 10_000, () => !isAlive(pid));
  const again = await node.ginnel(['up', '--json']);
  t.equal(again.code, 1);
  t.match(JSON.parse(again.stderr), { error: { code: 'DISK_FULL' } }, 'started anew it says why it cannot');
  await node.place.exec(`rm ${node.folder}/ballast`);
  t.equal((await node.ginnel(['up', '--json'])).code, 0);
  t.match(
    await node.status(),
    { state: 'up', id: before.id, ip4: before.ip4, ip6: before.ip6 },
    'the same box',
  );
});

/** At SIGUSR2 its clock goes two days ahead, or back again. */
async function serverWithAClockToMove(): Promise<LocationServer> {
  const code = `let ahead = 0; const now = Date.now; Date.now = () => now() + ahead;
    process.on('SIGUSR2', () => { ahead = 2 * 86400000 - ahead; });`;
  process.env['NODE_OPTIONS'] = preload(code);
  try {
    return await startServer(lab);
  } finally {
    delete process.env['NODE_OPTIONS'];
  }
}

function moveClock(): void {
  process.kill(server.pid ?? 0, 'SIGUSR2');
}

/** A daemon lingers after a failed `up`; the next try shall begin afresh. */
async function endDaemon(folder: string): Promise<void> {
  const { stdout } = await asked(box, folder, ['status', '--json']);
  if (stdout === '') return;
  const { pid } = (JSON.parse(stdout) as { daemon: { pid: number } }).daemon;
  process.kill(pid, 'SIGTERM');
  await until('the daemon to end', 10_000, () => !isAlive(pid));
}
