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

const BAD_FILES: Readonly<Record<string, readonly [source: string, wrong: RegExp]>> = {
  'a test that fails': [`t.pass('one'); t.fail('two');`, /^a test failed$/],
  'an error at once': [`throw new Error('x');`, /^a test failed$|with code 1$/],
  'an error before tap is there': [`process.abort();`, /^ended by SIGABRT$/],
  'an end in the middle': [`t.plan(2); t.pass('one'); process.exit(0);`, /^a test failed$/],
  'a way round tap': [
    `console.log('ok 1 - x'); process.reallyExit(0);`,
    /before it said how many .* code 0$/,
  ],
  'fewer than planned': [`console.log('ok 1 - x\\n1..2');`, /^1 results, but 2 planned$/],
  'a code alone': [`console.log('ok 1 - x\\n1..1'); process.exitCode = 3;`, /^ended with code 3$/],
  'no test at all': [`console.log('1..0');`, /^it has no tests$/],
  'a wait without end': [
    `t.test('waits', () => new Promise(() => setInterval(() => 0, 50)));`,
    /^took longer than 2 s$/,
  ],
};

t.test(
  'a test file that fails, dies, ends early, hangs or tests nothing is told from a good one',
  async t => {
    const outcome = (source: string): { wrong: string | null; skipped: string | null } => {
      const file = join(t.testdir(), 'it.test.js');
      writeFileSync(file, source.includes('t.') ? `import t from 'tap';\n${source}` : source);
      const run = `import { runFile } from './scripts/test-file.mjs';
      const { wrong, skipped } = await runFile(process.argv[1], 5);
      console.log(JSON.stringify({ wrong, skipped }));`;
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', run, file], {
        cwd: ROOT,
        env: { ...process.env, TAP_TIMEOUT: '1' },
        encoding: 'utf8',
      });
      return JSON.parse(stdout) as { wrong: string | null; skipped: string | null };
    };
    for (const [what, [source, wrong]] of Object.entries(BAD_FILES))
      t.match(outcome(source), { wrong, skipped: null }, what);
    t.same(outcome(`t.pass('one');`), { wrong: null, skipped: null });
    t.same(outcome(`console.log('1..0 # SKIP no root');`), { wrong: null, skipped: 'no root' });
  },
);

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
