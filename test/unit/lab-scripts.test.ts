// The scripts around the tests: what a run adds up to, and what a machine that is too old is told.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const TAP = `TAP version 14
# Subtest: dist/a.test.js
    # Subtest: one
        ok 1 - fine
        not ok 2 - bad
        1..2
    not ok 1 - one # time=3ms
    ok 2 - skipped one # SKIP because
    1..2
not ok 1 - dist/a.test.js # time=1
# Subtest: dist/b.test.js
    ok 1 - x
    1..1
ok 2 - dist/b.test.js
# Subtest: dist/c.test.js
    1..0 # SKIP no root
ok 3 - dist/c.test.js # SKIP no root
`;

t.test('tap-summary counts leaves, and a file that died without a failed assert as one failure', t => {
  const { stdout, status } = summarize(t.testdir(), `${TAP}not ok 4 - dist/d.test.js\n`);
  t.equal(stdout.trimEnd().split('\n').at(-1), '2 passed, 2 failed, 2 skipped');
  t.match(stdout, /failed: {2}bad\nfailed: {2}dist\/d\.test\.js\n/);
  t.equal(status, 1);
  t.end();
});

t.test('tap-summary: a skip fails the run unless it is listed', t => {
  const passing = TAP.replaceAll('not ok', 'ok');
  const run = (allowed: string) => {
    const folder = t.testdir();
    writeFileSync(join(folder, 'allowed'), allowed);
    return summarize(folder, passing, '--allowed', join(folder, 'allowed')).status;
  };
  t.equal(run('# none\n'), 1);
  t.equal(run('skipped one\n'), 1);
  t.equal(run('skipped one\nno root\n'), 0);
  t.end();
});

t.test('tap-summary: a run in which nothing passed is a failure', t => {
  t.equal(summarize(t.testdir(), 'TAP version 14\n1..0\n').status, 1);
  t.end();
});

t.test('setup: a Node that is too old is told so in one sentence', t => {
  for (const version of ['12.22.12', '20.18.3']) {
    const disguise = join(t.testdir(), 'disguise.cjs');
    writeFileSync(disguise, `Object.defineProperty(process, 'versions', { value: { node: '${version}' } });`);
    const args = ['--require', disguise, join(ROOT, 'scripts/setup.cjs'), 'demo'];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    t.equal(status, 1);
    t.match(
      stderr,
      new RegExp(`^Ginnel needs Node 20\\.19 or newer, and this is Node ${version}: [^\\n]*\\.\\n$`),
    );
  }
  t.end();
});

function summarize(
  folder: string,
  tap: string,
  ...args: string[]
): { stdout: string; status: number | null } {
  const file = join(folder, 'results.tap');
  writeFileSync(file, tap);
  return spawnSync(process.execPath, [join(ROOT, 'scripts/tap-summary.mjs'), file, ...args], {
    encoding: 'utf8',
  });
}
