// `ginnel up` on a box that was in a network before: what comes on standard input counts there, too.
import t from 'tap';
import { shell } from './shell.ts';

t.test('V3: an invite on standard input is taken by a box that was in before; no invite is none', async t => {
  const { ginnel } = shell(t);
  t.equal((await ginnel(['up'], { input: 'ginnel:good\n' })).code, 0);
  t.equal((await ginnel(['up'])).code, 0, 'nothing on standard input: as it was');
  const used = await ginnel(['up'], { input: 'ginnel:used\n' });
  t.equal(used.code, 4);
  t.match(used.err, /\(INVITE_USED\)/);
});

t.test('V3: a box that is out says so, with 4', async t => {
  const { ginnel } = shell(t);
  t.equal((await ginnel(['up'], { input: 'ginnel:removed\n' })).code, 4);
  const again = await ginnel(['up']);
  t.equal(again.code, 4);
  t.equal(again.out, '');
  t.match(again.err, /\(NODE_REMOVED\)/);
  const status = (await ginnel(['status'])).out;
  t.match(status, /Problem: .*\(NODE_REMOVED\)/);
  t.notMatch(status, /\(NODE_REMOVED\)\s+\(NODE_REMOVED\)|stay connected/, 'once, and without false comfort');
});
