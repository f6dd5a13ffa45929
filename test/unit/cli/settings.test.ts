// `ginnel get`, `set`, `unset` in whole processes, and how words become values.
import t from 'tap';
import { valueFrom, valueInWords } from '../../../bin/setting-words.ts';
import { shell } from './shell.ts';

const about = { title: 'T', description: 'D.' };

t.test('words become values as the schema types them, and back', t => {
  const list = { ...about, type: 'array', maxItems: 3, items: { type: 'string', maxLength: 9 } };
  const port = { ...about, type: ['integer', 'null'] };
  const cases: [readonly string[], Parameters<typeof valueFrom>[1], unknown][] = [
    [['1380'], { ...about, type: 'integer' }, 1380],
    [['-1.5'], { ...about, type: 'number' }, -1.5],
    [['12x'], { ...about, type: 'integer' }, '12x'],
    [['0x10'], { ...about, type: 'integer' }, '0x10'],
    [['none'], port, null],
    [['7444'], port, 7444],
    [['on'], { ...about, type: 'boolean' }, true],
    [['no'], { ...about, type: 'boolean' }, false],
    [['a', 'b,c'], list, ['a', 'b', 'c']],
    [['a, b'], list, ['a', 'b']],
    [['none'], list, []],
    [[''], list, []],
    [['123'], { ...about, type: 'string', maxLength: 9 }, '123'],
    [['attic', 'nas'], { ...about, type: 'string', maxLength: 9 }, 'attic nas'],
    [['debug'], { ...about, enum: ['debug', 'info'] }, 'debug'],
    [['2'], { ...about, enum: [1, 2] }, 2],
  ];
  for (const [words, schema, value] of cases) t.same(valueFrom(words, schema), value, words.join(' '));
  t.equal(valueInWords(null), 'none');
  t.equal(valueInWords([]), 'none');
  t.equal(valueInWords(['a', 'b']), 'a, b');
  t.equal(valueInWords(false), 'off');
  t.equal(valueInWords('a\u001b[2Jb'), 'a?[2Jb');
  t.end();
});

t.test('one list of all owners; set at once, or with the word that makes it take effect', async t => {
  const { ginnel } = shell(t);
  t.match(await ginnel(['get']), { code: 3, err: /\(DAEMON_NOT_RUNNING\)/ });
  await ginnel(['up'], { input: 'ginnel:good' });
  const { out } = await ginnel(['get']);
  t.match(out, /^This box:\n {2}name {3,}none\n/);
  t.match(out, /\n {2}mtu {3,}1400 \(default\)\n {2}packet-memory {3,}8 \(default\)\nIts location server:\n/);
  t.match(out, /\n {2}port {3,}7443 \(default\)\n/);
  t.match(out, /\nGinnel itself:\n {2}log-level {3,}info \(default\)\n/);
  for (const line of out.split('\n')) t.ok(line.length <= 80, line);

  t.match(await ginnel(['set', 'mtu', '1380']), {
    code: 0,
    out: 'mtu is 1380. It takes effect at the next start.\n',
  });
  t.match((await ginnel(['get', 'mtu'])).out, /^mtu: 1380\nMTU of .*\nIt may be .* from 1280 to 9000\./);
  t.match(await ginnel(['set', 'log-level', 'debug']), { code: 0, out: 'log-level is debug.\n' });
  const several = ['set', 'external-addresses', '203.0.113.1:7443', '[2001:db8::1]:7443', '--json'];
  t.match(JSON.parse((await ginnel(several)).out), {
    settings: [
      { owner: 'node', key: 'external-addresses', value: ['203.0.113.1:7443', '[2001:db8::1]:7443'] },
    ],
  });
  t.match(await ginnel(['unset', 'mtu']), { code: 0, out: /^mtu is 1400, the default\./ });

  t.match(await ginnel(['set', 'mtu', '99']), { code: 2, err: /from 1280 to 9000.*\(SETTING_INVALID\)/ });
  t.match(await ginnel(['get', 'extrenal-addresses']), { code: 2, err: /Did you mean external-addresses\?/ });
  t.match(await ginnel(['set', 'mtu']), { code: 2, err: /ginnel unset mtu\. \(VALUE_NEEDED\)/ });
});

t.test('what box and location server have by one name is set for both, or for neither', async t => {
  const { ginnel } = shell(t);
  await ginnel(['up'], { input: 'ginnel:good' });
  await ginnel(['server']);
  const told = await ginnel(['set', 'web-port', '443', '--json']);
  t.match(JSON.parse(told.out), {
    settings: [
      { owner: 'node', key: 'web-port', value: 443 },
      { owner: 'server', key: 'web-port', value: 443 },
    ],
  });
  t.match((await ginnel(['get', 'web-port'])).out, /^web-port: 443\n[^]*\n\nweb-port: 443\n/);
  t.match(JSON.parse((await ginnel(['get', 'web-port', '--json'])).out), { settings: { length: 2 } });
  await ginnel(['set', 'tcp-port', '7450']);
  t.match(await ginnel(['set', 'web-port', '7443']), { code: 2, err: /web-port .* other than port/ });
  t.match((await ginnel(['get'])).out, /\n {2}web-port {3,}443\n[^]*\n {2}web-port {3,}443\n/, 'as before');
  t.match((await ginnel(['unset', 'web-port'])).out, /^web-port is none, the default\..*\nweb-port is none/);
});
