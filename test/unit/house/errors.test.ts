// docs/errors.md and the catalogues say the same.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import type { ErrorKind } from '../../../base/errors.ts';
import { repositoryRoot } from '../../support/repository.ts';

interface Catalogue {
  readonly kinds: Readonly<Record<string, ErrorKind>>;
}

function cataloguesIn(folder: string): string[] {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return cataloguesIn(path);
    return name === 'errors.js' ? [path] : [];
  });
}

const isCatalogue = (value: unknown): value is Catalogue => typeof value === 'function' && 'kinds' in value;

async function allKinds(): Promise<Map<string, ErrorKind>> {
  const kinds = new Map<string, ErrorKind>();
  for (const top of ['base', 'system', 'core', 'plugins', 'server', 'web', 'bin']) {
    for (const file of cataloguesIn(join(repositoryRoot, 'dist', top))) {
      const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
      for (const catalogue of Object.values(module).filter(isCatalogue)) {
        for (const [code, kind] of Object.entries(catalogue.kinds)) kinds.set(code, kind);
      }
    }
  }
  return kinds;
}

t.test('every error code is in docs/errors.md with its sentence, and no other', async t => {
  const kinds = await allKinds();
  const docs = readFileSync(join(repositoryRoot, 'docs/errors.md'), 'utf8');
  const listed = new Set([...docs.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map(match => match[1] ?? ''));
  t.ok(kinds.size > 10, 'the catalogues were found');
  t.same(
    [...kinds.keys()].filter(code => !listed.has(code)).sort(),
    [],
    'in a catalogue but not in the docs',
  );
  t.same([...listed].filter(code => !kinds.has(code)).sort(), [], 'in the docs but in no catalogue');
});

t.test('every error says what happened and what to do', async t => {
  for (const [code, kind] of await allKinds()) {
    t.match(code, /^[A-Z][A-Z0-9_]+$/, code);
    t.match(kind.what, /[.!?]$/, `${code}: what happened is a sentence`);
    t.match(kind.todo, /[.!?]$/, `${code}: what to do is a sentence`);
  }
});
