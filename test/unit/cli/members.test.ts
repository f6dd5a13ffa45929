// `ginnel nodes`, `audit` and `rules` over a made-up network, as whole processes.
import t from 'tap';
import { nodesScreen } from '../../../bin/screens/members.ts';
import { shell } from './shell.ts';

t.test('V3: boxes are listed, renamed, disabled, enabled and removed, in words and in JSON', async t => {
  const { ginnel } = shell(t);
  await ginnel(['server']);
  const list = await ginnel(['nodes']);
  t.match(list.out, /^cellar-router +10\.77\.0\.3 +member +online/);
  t.match((await ginnel(['nodes', 'disable', 'cellar-router'])).out, /is shut out.*\n.*nodes enable/);
  t.match((await ginnel(['nodes', 'list'])).out, /disabled/);
  t.match((await ginnel(['nodes', 'enable', 'cellar-router'])).out, /back in the network/);
  t.match(
    (await ginnel(['nodes', 'rename', 'cellar-router', 'cellar'])).out,
    /^cellar-router is called cellar now/,
  );
  t.match(JSON.parse((await ginnel(['nodes', '--json'])).out), { nodes: [{ name: 'cellar' }], removed: [] });
  const gone = await ginnel(['nodes', 'remove', 'cellar']);
  t.match(
    gone,
    { code: 0, out: /was removed.*\n.*new invite/ },
    'nobody is asked where there is no terminal',
  );
  t.match((await ginnel(['nodes'])).out, /^Removed: cellar, 2026-01-01/);
  const unknown = await ginnel(['nodes', 'remove', 'cellar', '--json']);
  t.equal(unknown.code, 1);
  t.match(JSON.parse(unknown.err), { error: { code: 'NODE_UNKNOWN' } });
  t.match((await ginnel(['audit'])).out, /cellar-router: node-disabled/);
  t.match(JSON.parse((await ginnel(['audit', '--json', '--after', '3'])).out), { entries: [{ seq: 4 }] });
  t.equal((await ginnel(['audit', '--after', 'x'])).code, 2);
});

t.test('V5: rules are shown, set and taken back', async t => {
  const { ginnel } = shell(t);
  await ginnel(['server']);
  t.match((await ginnel(['rules'])).out, /^0\.0\.0\.0\/0 +public +all else/);
  t.match(await ginnel(['rules', 'set', '198.18.0.0/15', 'public']), { code: 0, out: /counts as public/ });
  t.match((await ginnel(['rules', 'list'])).out, /^198\.18\.0\.0\/15 +public +set for this network/);
  t.match(await ginnel(['rules', 'unset', '198.18.0.0/15']), { code: 0 });
  const again = await ginnel(['rules', 'unset', '198.18.0.0/15']);
  t.match(again, { code: 1, err: /no rule of its own.*RULE_UNKNOWN/ });
});

t.test('V3: hostile names do not repaint the terminal', t => {
  const name = 'a\u001b[2Jb';
  const node = {
    id: 'x',
    name,
    ip4: '10.77.0.9',
    ip6: '',
    standing: 'pending',
    online: false,
    lastSeen: 0,
  } as const;
  const shown = nodesScreen(
    { nodes: [{ ...node, registered: [] }], removed: [{ id: 'y', name, at: 0 }] },
    1000,
    80,
  );
  t.notMatch(shown, '\u001b');
  t.match(shown, /waits for approval +last seen 1 s ago\n.*\n.*nodes approve/);
  t.end();
});
