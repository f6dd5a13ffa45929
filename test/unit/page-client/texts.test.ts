// The page's texts: both languages whole, the same places to fill in, and nothing left untranslated.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fillText, namesIn, type Text } from '../../../web/client/pure/text.ts';
import { en, type TextKey } from '../../../web/client/texts/en.ts';
import { zh } from '../../../web/client/texts/zh.ts';
import { repositoryRoot } from '../../support/repository.ts';

/** Figures and signs alone: there is nothing to translate. */
const ALIKE: readonly TextKey[] = ['peers.inOut', 'history.change'];
const CLIENT = join(repositoryRoot, 'web/client');

const keys = Object.keys(en) as TextKey[];
const formsOf = (text: Text): readonly string[] =>
  typeof text === 'string' ? [text] : [...(text.one === undefined ? [] : [text.one]), text.other];

t.test('every text is in both languages, and none is empty', async t => {
  t.ok(keys.length > 250);
  t.same(Object.keys(zh).sort(), [...keys].sort());
  t.same(
    keys.filter(key => [...formsOf(en[key]), ...formsOf(zh[key])].some(form => form.trim() === '')),
    [],
  );
});

t.test('no Chinese text equals its English, but a listed few', async t => {
  const alike = keys.filter(key => formsOf(en[key]).some(form => formsOf(zh[key]).includes(form)));
  t.same([...alike].sort(), [...ALIKE].sort());
  const hanless = keys.filter(
    key => !ALIKE.includes(key) && !formsOf(zh[key]).some(form => /\p{Script=Han}/u.test(form)),
  );
  t.same(hanless, [], 'and each is written in Chinese');
});

t.test('the same is filled in in both', async t => {
  const other = keys.filter(key => namesIn(en[key]).join() !== namesIn(zh[key]).join());
  t.same(other, []);
});

t.test('every text is used somewhere, or by a prefix', async t => {
  const source = sources(CLIENT)
    .filter(path => !path.includes('/texts/'))
    .map(path => readFileSync(path, 'utf8'))
    .join('\n');
  const prefixes = [...source.matchAll(/`([a-z-]+(?:\.[a-z-]+)*\.?)\$\{/gi)].map(match => match[1] ?? '');
  const unused = keys.filter(
    key => !source.includes(`'${key}'`) && !prefixes.some(prefix => prefix !== '' && key.startsWith(prefix)),
  );
  t.same(unused, []);
});

t.test('a text is filled by name, in the form that the number asks for', async t => {
  const plural = new Intl.PluralRules('en');
  t.equal(fillText({ one: '{count} box', other: '{count} boxes' }, { count: 1 }, plural), '1 box');
  t.equal(fillText({ one: '{count} box', other: '{count} boxes' }, { count: 2 }, plural), '2 boxes');
  t.equal(fillText({ other: '{count} 台' }, { count: 1 }, new Intl.PluralRules('zh')), '1 台');
  t.equal(
    fillText('{name} {toString}', { name: '{evil}' }, plural),
    '{evil} {toString}',
    'once, and no further',
  );
});

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}
