// A command's surroundings in this process: what it says is noted, nobody is at the terminal, no daemon is started.
import { Readable } from 'node:stream';
import type { Surroundings } from '../../bin/surroundings.ts';

export interface Said {
  out: string;
  err: string;
}

export function quietSurroundings(said: Said, more: Partial<Surroundings> = {}): Surroundings {
  return {
    version: '1.2.3',
    environment: { GINNEL_STATE: '/nonexistent' },
    daemonCommand: ['false'],
    input: Readable.from([]),
    isTerminal: { out: false, err: false },
    columns: Infinity,
    out: text => void (said.out += text),
    err: text => void (said.err += text),
    ask: () => Promise.reject(new Error('nobody is there')),
    askSecret: () => Promise.reject(new Error('nobody is there')),
    interrupted: new AbortController().signal,
    readyToSucceed: () => Promise.reject(new Error('no daemon here')),
    pluginsAtRest: () => {
      throw new Error('not for this test');
    },
    daemon: () => {
      throw new Error('no daemon here');
    },
    ...more,
  };
}
