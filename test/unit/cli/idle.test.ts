// Commands to a daemon that has no role.
import t from 'tap';
import { shell } from './shell.ts';

t.test('down where this box was on no network waits for nothing', async t => {
  const s = shell(t);
  t.equal((await s.ginnel(['up'])).code, 1, 'no invite: an idle daemon is left');
  const begun = performance.now();
  t.match(await s.ginnel(['down']), { code: 0, out: /was on no network/ });
  t.ok(performance.now() - begun < 5000, 'less than it would wait for the daemon to go');
});
