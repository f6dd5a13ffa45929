// The daemon under a service manager: what it says to a real unix datagram socket, when.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Counters } from '../../../base/counters.ts';
import { ManualClock } from '../../../base/clock.ts';
import { silentLog } from '../../../base/log.ts';
import { Supervisor } from '../../../bin/daemon/supervisor.ts';
import { openLibc } from '../../../system/libc.ts';
import { openNotifySocket } from '../../../system/notify.ts';
import { repositoryRoot } from '../../support/repository.ts';
import { ran, shell } from './shell.ts';

const EAR = join(repositoryRoot, 'test/support/datagram-ear.py');
const hasPython = spawnSync('python3', ['--version']).status === 0;
const skip = hasPython ? false : 'no python3, which stands for the service manager';

/** What came so far, in order. */
async function ear(t: Test, name: string): Promise<string[]> {
  const child = spawn('python3', [EAR, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill());
  const heard: string[] = [];
  await new Promise<void>(resolve => {
    createInterface({ input: child.stdout }).on('line', line => {
      const said = JSON.parse(line) as string;
      if (said === 'listening') resolve();
      else heard.push(said);
    });
  });
  return heard;
}

for (const kind of ['a path', 'an abstract name'])
  t.test(`ready once the roles are up, alive, ending: ${kind}`, { skip }, async t => {
    const s = shell(t);
    await s.ginnel(['server']);
    await s.ginnel(['up'], { input: 'ginnel:good' });
    process.kill((await s.health())?.pid ?? 0, 'SIGTERM');
    await s.until('it has ended', async () => (await s.health()) === null);
    const name = kind === 'a path' ? join(s.places.state, 'notify') : `@ginnel-test-${process.pid}`;
    const heard = await ear(t, name);
    const child = s.start(['run'], { NOTIFY_SOCKET: name, WATCHDOG_USEC: '300000' });
    const ended = ran(child);
    await s.until('it lives', () => heard.some(said => said.startsWith('WATCHDOG=1')));
    t.equal(
      heard[0],
      'READY=1\nSTATUS=attic-nas 10.77.0.2, 1 of 2 boxes direct; location server, 1 of 1 boxes online',
    );
    t.match(await s.health(), { roles: { node: 'up', server: 'up' } }, 'ready means that both are up');
    child.kill('SIGTERM');
    t.equal((await ended).code, 0);
    await s.until('it said that it ends', () => heard.at(-1)?.startsWith('STOPPING=1') === true);
    t.equal(heard.filter(said => said.startsWith('READY=1')).length, 1);
  });

t.test('nobody at the socket: the daemon runs all the same', async t => {
  const s = shell(t);
  s.start(['run'], { NOTIFY_SOCKET: join(s.places.state, 'nobody') });
  await s.until('it answers', async () => (await s.health()) !== null);
  t.match((await s.ginnel(['logs', '--level', 'warn'])).out, /the service manager cannot be told/);
});

t.test('the watchdog is fed at half its time, and only where this process is meant', t => {
  const [clock, said] = [new ManualClock(), [] as string[]];
  const of = (environment: Record<string, string>): Supervisor =>
    new Supervisor({
      ...{ environment: { NOTIFY_SOCKET: '/x', ...environment }, pid: 7, clock, log: silentLog },
      counters: new Counters(),
      open: () => ({ send: words => said.push(words) > 0, close: () => undefined }),
      status: () => 'well',
    });
  const fed = (): number => said.filter(words => words.startsWith('WATCHDOG=1')).length;
  const watched = of({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' });
  watched.ready();
  clock.advance(29_999);
  t.equal(fed(), 0);
  clock.advance(1);
  t.equal(fed(), 1);
  clock.advance(60_000);
  t.equal(fed(), 3);
  watched.stopping();
  clock.advance(60_000);
  t.equal(fed(), 3, 'not while it ends: a hanging end is not hidden');
  of({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '8' }).ready();
  of({ WATCHDOG_USEC: 'soon' }).ready();
  clock.advance(600_000);
  t.equal(fed(), 3);
  t.end();
});

t.test('a path that is none is refused in words', t => {
  for (const path of ['relative', `/${'x'.repeat(120)}`, '/nowhere/at/all'])
    t.throws(() => openNotifySocket(openLibc(), path), { code: 'NOTIFY_SOCKET' });
  t.end();
});
