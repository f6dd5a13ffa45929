// Runs tap over everything built, or over the files named, and tells each file's outcome as it comes; the raw TAP is kept
// in .tap/results.tap. (tap's own reporters redraw all they have drawn: ten minutes of CPU over a whole run.)
//   node scripts/test.mjs [dist/test/unit/one.test.js …]
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const TOLD = /^(not )?ok \d+ - |^ *not ok |^ *Bail out!/;

mkdirSync(`${root}.tap`, { recursive: true });
const results = createWriteStream(`${root}.tap/results.tap`);
const args = [`${root}node_modules/tap/dist/esm/run.mjs`, 'run', '--reporter=tap', ...process.argv.slice(2)];
const tap = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
const ended = new Promise(resolve => tap.once('close', resolve));
for await (const line of createInterface({ input: tap.stdout })) {
  results.write(`${line}\n`);
  if (TOLD.test(line)) console.log(line);
}
const status = await ended;
await new Promise(resolve => results.end(resolve));
const summary = spawnSync(process.execPath, ['scripts/tap-summary.mjs', '.tap/results.tap'], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status === 0 ? (summary.status ?? 1) : (status ?? 1));
