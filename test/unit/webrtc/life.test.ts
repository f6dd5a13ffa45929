// Enabled and disabled many times, and left in every way: nothing is leaked, and no exit is a crash. GINNEL_LONG=1: 200 rounds.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Held, Way } from '../../support/webrtc-rounds.ts';

const SCRIPT = fileURLToPath(new URL('../../support/webrtc-rounds.js', import.meta.url));
const IS_LONG = process.env['GINNEL_LONG'] === '1';
const ROUNDS = IS_LONG ? 200 : 20;
const TIMES = IS_LONG ? 10 : 1;
const WAYS: readonly Way[] = ['stopped', 'at-once', 'unstopped', 'under-way', 'by-itself', 'unused'];

interface Ended {
  readonly code: number | null;
  readonly killedBy: string | null;
  readonly said: string;
}

function run(args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, ['--expose-gc', '--max-semi-space-size=1', SCRIPT, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // What a test runner loads into all it spawns takes memory of its own.
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  return new Promise(resolve => child.once('close', (code, killedBy) => resolve({ code, killedBy, said })));
}

t.setTimeout(400_000);
t.test(`${ROUNDS} rounds leave what the first ten left`, { timeout: 180_000 }, async t => {
  const { code, said } = await run(['rounds', String(ROUNDS)]);
  t.equal(code, 0);
  const [early, late] = said
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Held) as [Held, Held];
  t.comment(JSON.stringify([early, late]));
  t.ok(late.megabytes < early.megabytes * 1.1, 'memory within a tenth');
  t.equal(late.handles, early.handles, 'handles');
  t.equal(late.threads, early.threads, 'threads');
});

for (const way of WAYS)
  t.test(`leaving: ${way}`, { timeout: 120_000 }, async t => {
    for (let time = 0; time < TIMES; time++)
      t.match(await run(['leave', way]), { code: 0, killedBy: null }, 'exit code 0');
  });
