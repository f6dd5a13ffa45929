// Every figure has words (base/counter-words.ts): whoever adds a counter says what it counts.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import { wordsOf } from '../../../base/counter-words.ts';
import { repositoryRoot } from '../../support/repository.ts';

/** What a folder's parts put before the names they are handed. */
const SCOPES: readonly (readonly [folder: string, prefix: string])[] = [
  ['core/control/', 'control.'],
  ['core/dataplane/', 'dataplane.'],
  ['core/paths/', 'paths.'],
  ['core/streams/', 'streams.'],
  ['core/node/hearsay', 'hearsay.'],
  ['system/tun', 'system.tun.'],
  ['system/udp', 'system.udp.'],
  ['system/tcp-source', 'system.tcp-source.'],
  ['system/tcp', 'system.tcp.'],
  ['system/', 'system.'],
  ['plugins/', 'plugins.any.'],
  ['server/session', 'session.'],
];
const USE = /\b(?:counter|count)\(\s*(?:'([^']+)'|`([^`]+)`)/g;

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    return name.endsWith('.ts') ? [path] : [];
  });
}

interface Used {
  readonly file: string;
  readonly name: string;
}

function usedIn(file: string): Used[] {
  const text = readFileSync(join(repositoryRoot, file), 'utf8');
  return [...text.matchAll(USE)].map(([, plain, template]) => ({
    file,
    name: (plain ?? template ?? '').replaceAll(/\$\{[^}]*\}/g, 'any'),
  }));
}

function isDescribed({ file, name }: Used): boolean {
  const prefix = SCOPES.find(([folder]) => file.startsWith(folder))?.[1] ?? '';
  return wordsOf(name) !== null || wordsOf(prefix + name) !== null;
}

t.test('every counter that the code names is described, or belongs to an area that is', t => {
  const used = ['base', 'bin', 'core', 'plugins', 'server', 'system', 'web']
    .flatMap(top => sources(join(repositoryRoot, top)))
    .flatMap(path => usedIn(relative(repositoryRoot, path)));
  t.ok(used.length > 60, 'the counters were found');
  t.same(
    used.filter(one => !isDescribed(one)).map(({ file, name }) => `${file}: ${name}`),
    [],
    'say in base/counter-words.ts what it counts',
  );
  t.end();
});

t.test('the check notices a name that nobody described', t => {
  t.notOk(isDescribed({ file: 'core/node/stay.ts', name: 'unheard-of.things' }));
  t.ok(isDescribed({ file: 'core/paths/peer.ts', name: 'path.lost' }));
  t.end();
});
