// docs/health.md and the catalogues say the same.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import type { HealthKind } from '../../../base/health.ts';
import { repositoryRoot } from '../../support/repository.ts';

interface Catalogue {
  readonly kinds: Readonly<Record<string, HealthKind>>;
}

const isCatalogue = (value: unknown): value is Catalogue => typeof value === 'function' && 'kinds' in value;

function filesIn(folder: string): string[] {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return filesIn(path);
    return name === 'health.js' ? [path] : [];
  });
}

async function allKinds(): Promise<[string, HealthKind][]> {
  const kinds: [string, HealthKind][] = [];
  for (const top of ['system', 'core', 'plugins', 'server', 'web', 'bin'])
    for (const file of filesIn(join(repositoryRoot, 'dist', top))) {
      const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
      for (const { kinds: own } of Object.values(module).filter(isCatalogue))
        kinds.push(...Object.entries(own));
    }
  return kinds;
}

t.test('every health code is in docs/health.md with its severity and words, and no other', async t => {
  const kinds = await allKinds();
  const docs = readFileSync(join(repositoryRoot, 'docs/health.md'), 'utf8');
  const rows = new Map(
    [...docs.matchAll(/^\| `([A-Z0-9_]+)` \| (.*)$/gm)].map(([, code, row]) => [code, row]),
  );
  t.ok(kinds.length > 10, 'the catalogues were found');
  t.same(
    [...rows.keys()].sort(),
    kinds.map(([code]) => code).sort(),
    'npm run docs:errors writes them; no code is in two catalogues',
  );
  for (const [code, { severity, what, todo }] of kinds) {
    const row = rows.get(code) ?? '';
    t.ok(row.startsWith(`${severity} | ${what}`) && row.includes(todo), code);
  }
});

t.test('every health line says in a sentence what is', async t => {
  for (const [code, { what, todo }] of await allKinds()) {
    t.match(code, /^[A-Z][A-Z0-9_]+$/);
    t.match(what, /^[A-Z].*\.$/, `${code}: a sentence`);
    if (todo !== '') t.match(todo, /^([A-Z].*[.?]|\{todo\})$/, `${code}: what to do is a sentence`);
  }
});
