// `npm run fuzz`: every target under c8, and the decoders' branch coverage, which must be 95 % or more.
// FUZZ_N, FUZZ_SEED and FUZZ_ONLY as in every.ts; with FUZZ_ONLY coverage is shown and not judged.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { repositoryRoot } from '../support/repository.ts';
import { fuzzTargets } from './targets.ts';

const decoders = [...new Set(fuzzTargets.flatMap(({ decoders: files }) => files))].sort();
const judged = process.env['FUZZ_ONLY'] === undefined;
const { status } = spawnSync(
  process.execPath,
  [
    fileURLToPath(import.meta.resolve('c8/bin/c8.js')),
    '--exclude-after-remap',
    ...decoders.map(file => `--include=${file}`),
    ...(judged ? ['--check-coverage', '--branches=95', '--lines=0', '--functions=0', '--statements=0'] : []),
    '--reporter=text',
    '--temp-directory=.tap/fuzz-coverage',
    process.execPath,
    '--enable-source-maps',
    fileURLToPath(new URL('every.js', import.meta.url)),
  ],
  { cwd: repositoryRoot, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
