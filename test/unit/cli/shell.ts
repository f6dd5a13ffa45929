// Runs the whole program in processes of its own, on a state folder of its own, and leaves none behind.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { clientOf, type Client } from '../../../bin/client.ts';
import { placesOf, type Places } from '../../../bin/places.ts';
import type { Health } from '../../../web/api.ts';
import { repositoryRoot } from '../../support/repository.ts';

const PROGRAM = join(repositoryRoot, 'dist/test/support/fake-ginnel.js');

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Shell {
  readonly places: Places;
  readonly client: Client;
  readonly ginnel: (
    args: readonly string[],
    options?: { input?: string; environment?: Record<string, string> },
  ) => Promise<Ran>;
  /** Starts it and leaves it running. */
  readonly start: (args: readonly string[], environment?: Record<string, string>) => ChildProcess;
  /** The same, by a program that then becomes it: `unshare --net`. */
  readonly startBy: (
    program: string,
    before: readonly string[],
    args: readonly string[],
    environment?: Record<string, string>,
  ) => ChildProcess;
  readonly health: () => Promise<Health | null>;
  readonly until: (
    what: string,
    condition: () => boolean | Promise<boolean>,
    patienceMs?: number,
  ) => Promise<void>;
}

export function shell(t: Test): Shell {
  const folder = mkdtempSync(join(tmpdir(), 'ginnel-cli-'));
  const places = placesOf({ GINNEL_STATE: folder });
  const client = clientOf(places);
  const env = { ...process.env, GINNEL_STATE: folder, NODE_OPTIONS: '', GINNEL_PAGE: 'off' };
  const spawned = (args: readonly string[], environment: Record<string, string> = {}): ChildProcess =>
    spawn(process.execPath, [PROGRAM, ...args], { env: { ...env, ...environment }, stdio: 'pipe' });
  const health = (): Promise<Health | null> => client.get<Health>('/v1/health').catch(() => null);
  const children: ChildProcess[] = [];
  const one: Shell = {
    places,
    client,
    health,
    start(args, environment) {
      const child = spawned(args, environment);
      children.push(child);
      return child;
    },
    startBy(program, before, args, environment = {}) {
      const all = [...before, process.execPath, PROGRAM, ...args];
      const child = spawn(program, all, { env: { ...env, ...environment }, stdio: 'pipe' });
      children.push(child);
      return child;
    },
    ginnel: (args, { input = '', environment } = {}) => ran(spawned(args, environment), input),
    until: async (what, condition, patienceMs = 10_000) => {
      for (const end = performance.now() + patienceMs; performance.now() < end;) {
        if (await condition()) return;
        await new Promise(resolve => setTimeout(resolve, 20));
      }
      throw new Error(`did not come about: ${what}`);
    },
  };
  t.teardown(async () => {
    for (const child of children) child.kill('SIGKILL');
    const left = await health();
    if (left !== null) {
      process.kill(left.pid, 'SIGTERM');
      await one.until('the daemon is gone', async () => (await health()) === null);
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });
  return one;
}

export function ran(child: ChildProcess, input = ''): Promise<Ran> {
  return new Promise((resolve, reject) => {
    let out = '';
    let err = '';
    child.stdout?.on('data', part => (out += String(part)));
    child.stderr?.on('data', part => (err += String(part)));
    child.on('error', reject);
    child.on('close', code => resolve({ code, out, err }));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
