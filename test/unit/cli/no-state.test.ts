// A state that this user may not open, that is not there, or that an idle daemon still holds: what to do is told.
import { chmodSync } from 'node:fs';
import t from 'tap';
import { shell } from './shell.ts';

const NOBODY = 65534;

t.test('who forgot sudo is told so by every command, and nothing is INTERNAL', async t => {
  const s = shell(t);
  // As an earlier run of another user leaves it; root is kept out of nothing, and becomes somebody else.
  const isRoot = process.getuid?.() === 0;
  const environment = isRoot ? { FAKE_UID: String(NOBODY) } : {};
  chmodSync(s.places.state, isRoot ? 0o700 : 0);
  t.teardown(() => chmodSync(s.places.state, 0o700));
  for (const args of [['up'], ['check'], ['repair'], ['run'], ['invite']])
    t.match(await s.ginnel(args, { environment }), {
      code: 3,
      err: /^You may not talk to Ginnel on this box\. .* belongs to another user\. Run the command as root \(sudo\)/,
    });
});

t.test('check and repair name a state folder that is not there', async t => {
  const s = shell(t);
  const environment = { GINNEL_STATE: `${s.places.state}/nowhere` };
  for (const args of [['check'], ['repair', '--yes']])
    t.match(await s.ginnel(args, { environment }), {
      code: 1,
      err: /no state of Ginnel in .*nowhere\. .*GINNEL_STATE.*\(STATE_MISSING\)/,
    });
});

t.test('a repair ends the idle daemon that a failed command left, and does not wait for it', async t => {
  const s = shell(t);
  t.equal((await s.ginnel(['up'])).code, 1, 'no invite');
  t.match(await s.health(), { roles: { node: 'down', server: 'down' } });
  const begun = performance.now();
  t.match(await s.ginnel(['repair']), { code: 0, err: '' });
  t.ok(performance.now() - begun < 10_000, 'far less than the 30 s that it lingers');
  t.equal(await s.health(), null);
  t.equal((await s.ginnel(['up'], { input: 'ginnel:good' })).code, 0);
  t.match(
    await s.ginnel(['repair']),
    { code: 1, err: /\(DAEMON_RUNNING\)/ },
    'one that serves is left alone',
  );
});
