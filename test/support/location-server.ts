// A real location server on loopback for tests, in a folder that is gone afterwards.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import type { ServerOptions } from '../../server/admin.ts';
import { createServer } from '../../server/server.ts';
import type { CreateServerOptions, LocationServer } from '../../server/server.ts';
import { primitives } from '../../system/crypto.ts';
import { testTcp } from './tcp-ports.ts';

export interface TestServer {
  readonly server: LocationServer;
  readonly stateDir: string;
  readonly counters: Counters;
  readonly port: number;
  readonly invite: (validMs?: number) => Promise<string>;
}

export const LOOPBACK: Partial<ServerOptions> = { port: 0, secondPort: null, listen: ['127.0.0.1'] };

export function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'ginnel-server-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function startServer(
  t: Test,
  options: Partial<ServerOptions> = {},
  more: Partial<CreateServerOptions> = {},
): Promise<TestServer> {
  const stateDir = more.stateDir ?? temporaryFolder(t);
  const counters = new Counters();
  const server = createServer({
    stateDir,
    primitives,
    clock: systemClock,
    counters,
    log: silentLog,
    tcp: testTcp(counters),
    ...more,
  });
  const { port } = await server.up({ ...LOOPBACK, ...options });
  t.teardown(() => server.down());
  const invite = async (validMs = 60_000): Promise<string> => (await server.invite({ validMs })).invite;
  return { server, stateDir, counters, port, invite };
}
