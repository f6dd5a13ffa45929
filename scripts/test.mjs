// Runs the built test files, or those named, each in a Node process of its own; tells each outcome as it comes, and keeps
// the raw TAP in .tap/results.tap. Why not `tap run`: the loaders that it gives each file (for types, mocks and coverage,
// none of which is used here) take more than a second of CPU a file.
//   node scripts/test.mjs [dist/test/unit/one.test.js …]
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runFile, stopFiles } from './test-file.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = '.tap/results.tap';
const FOLDERS = ['e2e', 'lab', 'contract', 'fuzz', 'unit'];
const IS_LAB = /^dist\/test\/lab\//;
/** A lab mostly waits for its network: two (never more: see test/lab/wrapper.ts) leave room for one other file. */
const LABS = 2;
const OTHERS_BESIDE_LABS = 1;
const OTHERS_ALONE = 2;
/** Labs run in real time: what is no lab yields the CPU to them. */
const NICENESS = 5;
const TOLD = /^(not )?ok \d+ - |^ *not ok |^ *Bail out!/;

const files = filesToRun(process.argv.slice(2));
const waiting = {
  labs: files.filter(file => IS_LAB.test(file)),
  others: files.filter(file => !IS_LAB.test(file)),
};
const running = { labs: 0, others: 0 };
let ended = 0;
let isGood = files.length > 0;

process.chdir(ROOT);
mkdirSync('.tap', { recursive: true });
writeFileSync(RESULTS, 'TAP version 14\n');
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, stop);
await new Promise(startMore);
finish();

function startMore(whenAllEnded) {
  const hasLabs = () => running.labs + waiting.labs.length > 0;
  const start = kind => {
    running[kind] += 1;
    runFile(waiting[kind].shift(), kind === 'labs' ? 0 : NICENESS).then(outcome => {
      running[kind] -= 1;
      tell(outcome);
      startMore(whenAllEnded);
    });
  };
  while (waiting.labs.length > 0 && running.labs < LABS) start('labs');
  while (waiting.others.length > 0 && running.others < (hasLabs() ? OTHERS_BESIDE_LABS : OTHERS_ALONE))
    start('others');
  if (running.labs + running.others === 0) whenAllEnded();
}

function tell({ file, lines, wrong, skipped, seconds }) {
  ended += 1;
  isGood &&= wrong === null;
  const words = wrong === null ? file : `${file}: ${wrong}`;
  const mark = skipped === null ? `# time=${seconds.toFixed(1)}s` : `# SKIP ${skipped}`;
  const all = [
    `# Subtest: ${file}`,
    ...lines.map(line => `    ${line}`),
    `${wrong === null ? '' : 'not '}ok ${ended} - ${words} ${mark}`,
  ];
  appendFileSync(RESULTS, all.join('\n') + '\n');
  for (const line of all) if (TOLD.test(line)) console.log(line);
}

/** What was under way counts as failed. */
async function stop() {
  waiting.labs.length = 0;
  waiting.others.length = 0;
  isGood = false;
  await stopFiles();
}

function finish() {
  appendFileSync(RESULTS, `1..${ended}\n`);
  const summary = spawnSync(process.execPath, ['scripts/tap-summary.mjs', RESULTS], { stdio: 'inherit' });
  process.exit(isGood ? (summary.status ?? 1) : 1);
}

function filesToRun(named) {
  if (named.length > 0) return named.map(file => relative(ROOT, resolve(file)));
  return FOLDERS.flatMap(folder => {
    const names = readdirSync(`${ROOT}dist/test/${folder}`, { recursive: true });
    const tests = names.filter(name => name.endsWith('.test.js')).sort();
    return tests.map(name => `dist/test/${folder}/${name}`);
  });
}
