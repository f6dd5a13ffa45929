// One test file for scripts/test.mjs: runs it, and judges what it wrote and how it ended.
import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';

/** A file ends itself after that, and says what it waits for. It may set more: t.setTimeout. */
const PATIENCE_S = Number(process.env.TAP_TIMEOUT ?? 240);
/** For those that can't end themselves, such as an endless loop. */
const LONGEST_S = 2 * PATIENCE_S;
const GRACE_MS = 2000;
const RESULT = /^(not )?ok\b/;
const PLAN = /^1\.\.(\d+)(?:\s*# SKIP\s*(.*))?$/i;

const running = new Set();

/** Resolves to { file, lines, wrong, skipped, seconds }: `wrong` and `skipped` are null or a reason. Never rejects. */
export async function runFile(file, niceness) {
  const begin = performance.now();
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(PATIENCE_S) },
  });
  running.add(child);
  let spawning = null;
  child.once('error', error => (spawning = `could not be started: ${error.message}`));
  yieldTo(child, niceness);
  let isTooLong = false;
  const timer = setTimeout(() => {
    isTooLong = true;
    kill(child);
  }, LONGEST_S * 1000);
  const lines = [];
  createInterface({ input: child.stdout }).on('line', line => lines.push(line));
  const [code, signal] = await new Promise(resolve => child.once('close', (...end) => resolve(end)));
  clearTimeout(timer);
  running.delete(child);
  const seconds = (performance.now() - begin) / 1000;
  const verdict = isTooLong
    ? { wrong: `took longer than ${LONGEST_S} s`, skipped: null }
    : spawning !== null
      ? { wrong: spawning, skipped: null }
      : judge(lines, code, signal);
  return { file, lines, seconds, ...verdict };
}

/** Ends the files that run: kindly, so that they clean up, then surely. */
export async function stopFiles() {
  for (const child of running) child.kill('SIGTERM');
  await new Promise(resolve => setTimeout(resolve, GRACE_MS));
  for (const child of running) kill(child);
}

/** Whoever it left behind may hold its output open for ever: that is not waited for. */
function kill(child) {
  child.kill('SIGKILL');
  child.stdout.destroy();
}

function yieldTo(child, niceness) {
  try {
    if (niceness > 0 && child.pid !== undefined) setPriority(child.pid, niceness);
  } catch {
    // It is over already.
  }
}

/** A file is good if it ended well and wrote as many results as it planned, none of them bad. */
export function judge(lines, code, signal) {
  const results = lines.filter(line => RESULT.test(line));
  const plan = lines.map(line => PLAN.exec(line)).find(match => match !== null);
  const skipped = plan?.[1] === '0' && plan[2] !== undefined ? plan[2] : null;
  const wrong = () => {
    if (signal !== null) return `ended by ${signal}`;
    if (plan === undefined) return `ended before it said how many tests it has, with code ${code}`;
    if (Number(plan[1]) !== results.length) return `${results.length} results, but ${plan[1]} planned`;
    if (lines.some(line => line.startsWith('Bail out!'))) return 'it bailed out';
    if (results.some(line => line.startsWith('not') && !/# TODO/i.test(line))) return 'a test failed';
    if (code !== 0) return `ended with code ${code}`;
    return results.length === 0 && skipped === null ? 'it has no tests' : null;
  };
  const words = wrong();
  return { wrong: words, skipped: words === null ? skipped : null };
}
