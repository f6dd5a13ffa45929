// `ginnel restart` in real processes: a successor takes over the state folder, the sockets and the roles; or all stays as
// it was.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { shell } from './shell.ts';

t.test(
  'another process takes over: roles, settings and the sockets; who asks twice hears the same',
  async t => {
    const s = shell(t);
    await s.ginnel(['up'], { input: 'ginnel:good' });
    await s.client.post('/v1/settings', { set: { 'log-level': 'warn' } });
    const before = (await s.health())?.pid ?? 0;
    const [one, other] = await Promise.all([
      s.client.post<{ pid: number }>('/v1/restart', {}),
      s.client.post<{ pid: number }>('/v1/restart', {}),
    ]);
    t.equal(one.pid, other.pid);
    await s.until('the successor answers', async () => (await s.health())?.pid === one.pid);
    await s.until('the node is back', async () => (await s.health())?.roles.node === 'up');
    await s.until('the one of before is gone', () => !isAlive(before));
    t.match(await s.client.get('/v1/settings'), { settings: [{ key: 'log-level', value: 'warn' }] });
    const again = await s.ginnel(['restart']);
    t.equal(again.code, 0, again.err);
    t.match(again.out, /^Restarted: process \d+ took over from \d+\.\n$/);
  },
);

t.test('a successor that does not come up changes nothing', async t => {
  const s = shell(t);
  await s.ginnel(['server'], { environment: { FAKE_NO_SUCCESSOR: '1' } });
  const before = await s.health();
  const tried = await s.ginnel(['restart']);
  t.equal(tried.code, 1);
  t.match(tried.err, /Ginnel was not restarted; it runs on as it was\..*\(RESTART_FAILED\)/);
  t.same(await s.health(), before);
});

t.test('a service whose manager cannot be told is not torn from it', async t => {
  const s = shell(t);
  s.start(['run'], { INVOCATION_ID: 'a-unit' });
  await s.until('it answers', async () => (await s.health()) !== null);
  t.match(await s.ginnel(['restart']), { code: 1, err: /systemctl restart ginnel.*\(RESTART_BY_MANAGER\)/ });
});

/** One that has ended and was not yet waited for is no more alive. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
