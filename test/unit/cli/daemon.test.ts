// The daemon's life in real processes: started for a command, alone on its state folder, ended politely or not at all.
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import t from 'tap';
import { ran, shell, type Shell } from './shell.ts';

const pidOf = async ({ health }: Shell): Promise<number> => (await health())?.pid ?? 0;

t.test('a daemon started for a command is in a session of its own and outlives it', async t => {
  const s = shell(t);
  t.equal((await s.ginnel(['up'], { input: 'ginnel:good' })).code, 0);
  const pid = await pidOf(s);
  t.ok(pid > 0 && pid !== process.pid);
  t.equal((await s.ginnel(['up'])).err, '', 'the next command finds it');
  t.equal(await pidOf(s), pid);
});

t.test('the sockets: 0600 for the owner, 0660 for the group, which answers GETs alone', async t => {
  const s = shell(t);
  await s.ginnel(['server']);
  t.equal(statSync(s.places.controlSocket).mode & 0o777, 0o600);
  t.equal(statSync(s.places.statusSocket).mode & 0o777, 0o660);
  t.equal(statSync(s.places.state).mode & 0o777, 0o700);
  const ask = (method: string, path: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const asking = request({ socketPath: s.places.statusSocket, method, path, agent: false }, answer => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      asking.on('error', reject).end();
    });
  t.equal(await ask('GET', '/v1/server'), 200);
  t.equal(await ask('POST', '/v1/server/invites'), 403);
  t.equal(await ask('POST', '/v1/node/down'), 403);
});

t.test('a second daemon on one state folder is refused, and the first goes on', async t => {
  const s = shell(t);
  await s.ginnel(['up'], { input: 'ginnel:good' });
  const pid = await pidOf(s);
  const second = await s.ginnel(['run']);
  t.equal(second.code, 1);
  t.match(second.err, /Another Ginnel runs with the state folder .*\(DAEMON_RUNNING\)/);
  t.match(await s.ginnel(['server', '--foreground']), { code: 1, err: /\(DAEMON_RUNNING\)/ });
  t.equal(await pidOf(s), pid);
});

t.test(
  'SIGTERM, SIGINT and SIGHUP end it politely: exit 0, sockets gone, roles back at the next start',
  async t => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      const s = shell(t);
      const first = s.start(['run']);
      const ended = ran(first);
      await s.until('it answers', async () => (await s.health()) !== null);
      await s.ginnel(['up'], { input: 'ginnel:good' });
      first.kill(signal);
      t.equal((await ended).code, 0, signal);
      t.notOk(existsSync(s.places.controlSocket));
      t.notOk(existsSync(s.places.statusSocket));
      s.start(['run']);
      await s.until('the node is back', async () => (await s.health())?.roles.node === 'up');
    }
  },
);

t.test('kill -9, then start again: stale sockets are no obstacle, the roles come back', async t => {
  const s = shell(t);
  await s.ginnel(['server', '--with-node']);
  const pid = await pidOf(s);
  process.kill(pid, 'SIGKILL');
  await s.until('it is dead', async () => (await s.health()) === null);
  t.ok(existsSync(s.places.controlSocket), 'the socket file is stale');
  t.equal((await s.ginnel(['status'])).code, 3);
  const up = await s.ginnel(['up']);
  t.equal(up.code, 0, up.err);
  t.not(await pidOf(s), pid);
  t.match(await s.health(), { roles: { node: 'up', server: 'up' } });
});

t.test('down and up at once again: the new daemon waits for the old one to go', async t => {
  const s = shell(t);
  await s.ginnel(['up'], { input: 'ginnel:good' });
  for (let round = 0; round < 3; round++) {
    t.equal((await s.ginnel(['down'])).code, 0);
    const up = await s.ginnel(['up']);
    t.equal(up.code, 0, up.err);
  }
});

t.test('two commands at once start one daemon', async t => {
  const s = shell(t);
  const both = await Promise.all([s.ginnel(['up'], { input: 'ginnel:good' }), s.ginnel(['server'])]);
  for (const one of both) t.equal(one.code, 0, one.err);
  t.match(await s.health(), { roles: { node: 'up', server: 'up' } });
});

t.test('what a daemon dies of at its start is told by the command that started it', async t => {
  const s = shell(t);
  writeFileSync(s.places.store, 'a file where the store should be');
  const up = await s.ginnel(['up', '--json'], { input: 'ginnel:good' });
  t.equal(up.code, 1);
  t.match(JSON.parse(up.err), { error: { code: /^STORE_/ } });
});

t.test('a state folder that cannot be made is told with its name', async t => {
  const s = shell(t);
  const under = `${s.places.log}-file`;
  writeFileSync(under, '');
  t.match(await s.ginnel(['up'], { environment: { GINNEL_STATE: `${under}/state` } }), {
    code: 1,
    err: /\(STATE_FOLDER\)/,
  });
  t.match(await s.ginnel(['status'], { environment: { GINNEL_STATE: `/tmp/${'x'.repeat(120)}` } }), {
    code: 1,
    err: /too long/,
  });
});

t.test('an error that nobody caught: logged, cleaned up, exit 1', async t => {
  const s = shell(t);
  const crashed = await s.ginnel(['run'], { environment: { FAKE_CRASH: '1' } });
  t.equal(crashed.code, 1);
  t.match(crashed.err, /a bug in a timer[^]*\(INTERNAL\)/);
  t.notOk(existsSync(s.places.controlSocket));
});

t.test('server --foreground stays until it is told to end', async t => {
  const s = shell(t);
  const child = s.start(['server', '--foreground', '--port', '7460']);
  const ended = ran(child);
  let shown = '';
  child.stdout?.on('data', part => (shown += String(part)));
  await s.until('the invite is shown', () => /Location server ready .* port 7460/.test(shown));
  t.equal((await s.health())?.pid, child.pid);
  t.equal((await s.health())?.roles.server, 'up');
  child.kill('SIGTERM');
  t.equal((await ended).code, 0);
});

t.test('Ctrl-C ends a ping that runs for long', async t => {
  const s = shell(t);
  await s.ginnel(['up'], { input: 'ginnel:good' });
  const child = s.start(['ping', 'forever']);
  let out = '';
  child.stdout?.on('data', part => (out += String(part)));
  const ended = ran(child);
  await s.until('it answered once', () => out !== '');
  child.kill('SIGINT');
  t.equal((await ended).code, 0);
});
