// A process of its own that opens channels and closes them, or leaves in one of many ways: asked by arguments, it prints what
// it holds, as JSON lines.   rounds COUNT | leave HOW
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Signalling, startEnd, type WebrtcEnd } from './webrtc-ends.ts';

export interface Held {
  readonly round: number;
  readonly megabytes: number;
  readonly handles: number;
  readonly threads: number;
}

export type Way = 'stopped' | 'at-once' | 'unstopped' | 'under-way' | 'by-itself' | 'unused';

const [what, argument = ''] = process.argv.slice(2);
if (what === 'rounds') await rounds(Number(argument));
if (what === 'leave') await leave(argument as Way);

/** In each the plugin starts at both ends, a channel stands and carries something, and both stop. */
async function rounds(count: number): Promise<void> {
  for (let round = 1; round <= count; round++) {
    const [a, b] = await pair();
    await a.dial(b);
    await stop(a, b);
    // What nobody holds any more is given back now and then, as in a process that lives long.
    if (round % 10 === 0) global.gc?.();
    if (round === 10 || round === count) {
      await pause(300);
      process.stdout.write(`${JSON.stringify(held(round))}\n`);
    }
  }
}

function held(round: number): Held {
  global.gc?.();
  global.gc?.();
  const status = readFileSync('/proc/self/status', 'utf8');
  return {
    round,
    megabytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024,
    handles: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
  };
}

async function leave(how: Way): Promise<void> {
  const [a, b] = await pair();
  const opening = how === 'unused' ? Promise.resolve() : a.dial(b).then(() => undefined);
  if (how === 'under-way') opening.catch(() => undefined);
  else await opening;
  const stopped = how === 'unstopped' ? Promise.resolve() : stop(a, b);
  if (how === 'at-once') process.exit(0);
  await stopped;
  if (how !== 'by-itself') process.exit(0);
}

async function pair(): Promise<readonly [WebrtcEnd, WebrtcEnd]> {
  const signalling = new Signalling();
  return [await startEnd('anna', signalling), await startEnd('bert', signalling)];
}

async function stop(...ends: readonly WebrtcEnd[]): Promise<void> {
  await Promise.all(ends.map(end => end.stop()));
}
