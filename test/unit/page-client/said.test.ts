// What the box says by codes, on the page: whole in Chinese, the same places to fill in, English where a code is unknown.
import t from 'tap';
import { NETCHECK_SAYINGS, netcheckSays } from '../../../core/node/netcheck-sayings.ts';
import { PATH_SAYINGS, says } from '../../../core/paths/sayings.ts';
import { asSentence, saidIn } from '../../../web/client/pure/said.ts';
import { namesIn, type Text } from '../../../web/client/pure/text.ts';
import { saidEn } from '../../../web/client/texts/said-en.ts';
import { zhSaid } from '../../../web/client/texts/zh-said.ts';

const english: Readonly<Record<string, Text>> = { ...PATH_SAYINGS, ...NETCHECK_SAYINGS };
const plural = new Intl.PluralRules('zh');
/** Nothing but what is filled in. */
const ALIKE = ['path.at', 'path.with', 'quality.ms', 'ports.untold', 'try.stock'];
/** The field's terms need not be told on the page; all else has to be filled in. */
const TERMS = ['filtering', 'mapping', 'ports', 'theirFiltering', 'theirMapping', 'theirPorts'];
const foreign = (texts: Readonly<Record<string, Text>>): string[] =>
  Object.keys(texts).filter(code => {
    const [here, there] = [namesIn(texts[code] ?? ''), namesIn(english[code] ?? '')];
    const untold = there.filter(name => !here.includes(name));
    return here.some(name => !there.includes(name)) || untold.some(name => !TERMS.includes(name));
  });
const formsOf = (text: Text | undefined): string => (typeof text === 'string' ? text : (text?.other ?? ''));

t.test('all that the box says is in Chinese, with the same places to fill in', async t => {
  t.same(Object.keys(zhSaid).sort(), Object.keys(english).sort());
  t.same(foreign(zhSaid), []);
  const hanless = Object.keys(english).filter(
    code => !ALIKE.includes(code) && !/\p{Script=Han}/u.test(formsOf(zhSaid[code])),
  );
  t.same(hanless, []);
});

t.test('what is said otherwise on the page names no command', async t => {
  t.same(foreign(saidEn), []);
  for (const [code, text] of Object.entries(saidEn)) {
    t.ok(Object.hasOwn(english, code), code);
    t.not(text, english[code], code);
  }
  const advice = Object.keys(english).filter(code => /^(advice|sum|nat|there)\./.test(code));
  const commands = advice.filter(code => /ginnel (plugins|set)/.test(formsOf(saidEn[code] ?? english[code])));
  t.same(commands, []);
});

t.test('sentences within sentences are said in the same language', async t => {
  const path = says('path.via', { relay: '<b>hut</b>' });
  const said = says('reason.because', { path, why: says('verdict.blocked-there') });
  t.equal(said.words, "via <b>hut</b>, because UDP does not get out of the peer's network");
  t.equal(saidIn(said, zhSaid, plural), '经 <b>hut</b> 中继，因为对方所在网络不让 UDP 出去');
  t.equal(saidIn(said, saidEn, plural), said.words);
  t.equal(saidIn({ ...said, code: 'from.a.newer.box' }, zhSaid, plural), said.words);
  t.equal(saidIn({ ...said, code: 'constructor' }, zhSaid, plural), said.words);
  const evil = says('try.unsignalled', { code: '{why}{constructor}' });
  t.equal(saidIn(evil, zhSaid, plural), '信令没有送达（{why}{constructor}）', 'once, and no further');
});

t.test('half a sentence becomes a whole one', async t => {
  t.equal(asSentence('the only path', '.'), 'The only path.');
  t.equal(asSentence(netcheckSays('sum.steady').words, '.'), netcheckSays('sum.steady').words);
  t.equal(asSentence('唯一的路径', '。'), '唯一的路径。');
  t.equal(asSentence('', '.'), '');
});
