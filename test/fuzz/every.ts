// Runs the fuzz targets and prints a line for each. FUZZ_N: inputs a decoder (default 1,000,000); FUZZ_SEED: the seed
// (default 1); FUZZ_ONLY: names of targets that contain this. Exit code 1 with the input in hexadecimal at a failure.
import { fuzz, FuzzFailure, type FuzzReport } from './harness.ts';
import { fuzzTargets } from './targets.ts';

const inputs = Number(process.env['FUZZ_N'] ?? 1_000_000);
const seed = Number(process.env['FUZZ_SEED'] ?? 1);
const only = process.env['FUZZ_ONLY'] ?? '';

function line({ name, inputs: count, tookMs, outcomes }: FuzzReport): string {
  const told = Object.entries(outcomes).map(([outcome, times]) => `${outcome} ${times}`);
  return `${name.padEnd(32)} ${String(count).padStart(9)} ${(tookMs / 1000).toFixed(1).padStart(7)} s  ${told.join(', ')}`;
}

try {
  for (const target of fuzzTargets.filter(({ name }) => name.includes(only)))
    console.log(line(fuzz(target, inputs, seed)));
} catch (error) {
  if (!(error instanceof FuzzFailure)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
