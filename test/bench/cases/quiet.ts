// What a contender costs with nothing to do, and how long a packet is on its way: alone, and beside a TCP stream.
import { setTimeout as pause } from 'node:timers/promises';
import type { Case, Measuring } from '../case.ts';
import type { Figures } from '../figures.ts';
import { idlePercent, memoryMb, pings, tcp } from '../measures.ts';

type Part = Pick<Case, 'name' | 'says' | 'each' | 'together'>;

const IDLE_S = 10;
const PINGS = 200;
/** The stream has its full speed by then. */
const GATHERING_MS = 1000;
const LOADED_S = 4;

export const idle: Part = {
  name: 'idle',
  says: 'nothing to do: memory of the larger daemon, CPU of both',
  together: async ({ running: { pids } }): Promise<Record<string, number>> =>
    pids.length === 0 ? {} : { cpuPercent: await idlePercent(pids, IDLE_S), memoryMb: await memoryMb(pids) },
};

export const ping: Part = {
  name: 'ping',
  says: 'ping with nothing else going on',
  each: ({ ground, running }) => pings(ground, running.target, PINGS),
};

export const pingLoaded: Part = {
  name: 'ping-loaded',
  says: 'ping while one TCP stream takes all it can get',
  each: loadedPings,
};

/** The pings, and the rate of the stream beside them. */
export async function loadedPings({ ground, running }: Measuring): Promise<Figures> {
  const stream = tcp(ground, running, LOADED_S);
  const waited = pause(GATHERING_MS).then(() => pings(ground, running.target, PINGS));
  const [rate, times] = await Promise.all([stream, waited]);
  return { ...rate, ...times };
}
