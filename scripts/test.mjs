// Runs tap over everything built, or over the files named; the raw TAP is kept in .tap/results.tap.
//   node scripts/test.mjs [dist/test/unit/one.test.js …]
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tap = `${root}node_modules/tap/dist/esm/run.mjs`;

mkdirSync(`${root}.tap`, { recursive: true });
const reporter = process.stdout.isTTY ? [] : ['--reporter=dot'];
const args = [tap, 'run', ...reporter, '--output-file=.tap/results.tap', ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
const { status: summary } = spawnSync(process.execPath, ['scripts/tap-summary.mjs', '.tap/results.tap'], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status === 0 ? (summary ?? 1) : (status ?? 1));
