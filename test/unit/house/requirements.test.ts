// docs/requirements.md and the tests' titles say the same of every clause.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import { repositoryRoot } from '../../support/repository.ts';

const CLAUSES = [
  ...Array.from({ length: 15 }, (_, i) => `V${i + 1}`),
  ...Array.from({ length: 8 }, (_, i) => `P${i + 1}`),
];

interface Row {
  readonly clause: string;
  readonly proof: string;
}

function rows(): Row[] {
  const page = readFileSync(join(repositoryRoot, 'docs/requirements.md'), 'utf8');
  return [...page.matchAll(/^\| ([VP]\d+) \|.*\| ([^|]*) \|$/gm)].map(match => ({
    clause: match[1] ?? '',
    proof: match[2] ?? '',
  }));
}

function testFiles(folder: string): string[] {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return name === 'house' ? [] : testFiles(path);
    return name.endsWith('.test.ts') ? [path] : [];
  });
}

/** Clauses in the titles of `t.test('V1, P5: …')`, by file. */
function provenBy(): Map<string, Set<string>> {
  const proven = new Map<string, Set<string>>();
  for (const file of testFiles(join(repositoryRoot, 'test'))) {
    const name = relative(repositoryRoot, file);
    for (const [, title] of readFileSync(file, 'utf8').matchAll(
      /test\(\s*['"`]((?:[VP]\d+(?:, ?| and )?)+):/g,
    )) {
      for (const [clause] of (title ?? '').matchAll(/[VP]\d+/g)) {
        if (!proven.has(clause)) proven.set(clause, new Set());
        proven.get(clause)?.add(name);
      }
    }
  }
  return proven;
}

t.test('every clause has its row', t => {
  t.same(
    rows().map(row => row.clause),
    CLAUSES,
  );
  t.end();
});

t.test('a clause is proved by the tests the page names, or is "not yet"', t => {
  const proven = provenBy();
  for (const { clause, proof } of rows()) {
    const named = [...proof.matchAll(/`([^`]+)`/g)].map(match => match[1] ?? '').sort();
    if (named.length === 0) {
      t.match(proof, /not yet/, `${clause}: no test is named, so the page says "not yet"`);
      t.notOk(
        proven.has(clause),
        `${clause}: "not yet", but titled in ${[...(proven.get(clause) ?? [])].join(', ')}`,
      );
    }
    for (const file of named)
      t.ok(proven.get(clause)?.has(file), `${clause}: a test in ${file} carries the number`);
  }
  t.end();
});
