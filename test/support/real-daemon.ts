// The whole daemon as it is, in this process: real store, node, server and sockets. Only the network card is made up,
// since it needs root.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { LogLevels } from '../../base/log-levels.ts';
import { LogRing } from '../../base/log-ring.ts';
import { openLog } from '../../base/pino-log.ts';
import { assemble } from '../../bin/assemble.ts';
import { clientOf, type Client } from '../../bin/client.ts';
import { runDaemon } from '../../bin/daemon.ts';
import { placesOf, type Places } from '../../bin/places.ts';
import { openDoors } from '../../system/doors-linux.ts';
import type { Doors, NetworkDoor } from '../../system/doors.ts';
import { MadeUpCard } from '../unit/node/bench.ts';

export interface RealDaemon {
  readonly places: Places;
  readonly client: Client;
  /** Before the test does, as a machine that is switched off in order. Its folder stays until then. */
  readonly end: () => Promise<void>;
}

const PATIENCE_MS = 10_000;

export async function realDaemon(t: Test): Promise<RealDaemon> {
  const folder = mkdtempSync(join(tmpdir(), 'ginnel-daemon-'));
  const places = placesOf({ GINNEL_STATE: folder });
  const client = clientOf(places);
  const end = new AbortController();
  const journal = { ring: new LogRing(), levels: new LogLevels('info') };
  const log = openLog({ level: journal.levels, ring: journal.ring, destination: { write: () => undefined } });
  const parts = { log, clock: systemClock, counters: new Counters() };
  const ended = runDaemon({
    ...parts,
    ...{
      journal,
      places,
      environment: { GINNEL_PAGE: 'off' },
      version: '1.2.3',
      lingerMs: null,
      signal: end.signal,
    },
    build: () => assemble({ ...parts, places, environment: {}, openDoors: () => doorsWithoutCard() }),
  });
  t.teardown(async () => {
    end.abort();
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });
  await Promise.race([ended, answers(client)]);
  return { places, client, end: async () => (end.abort(), ended) };
}

/** No test asks the router of whoever runs it to open a port. */
const withoutGateway = (network: NetworkDoor): NetworkDoor => ({
  addresses: () => network.addresses(),
  gateway: () => null,
  onChange: changed => network.onChange(changed),
  close: () => network.close(),
});

function doorsWithoutCard(): Doors {
  const doors = openDoors();
  return {
    arena: doors.arena,
    kind: doors.kind,
    slowness: doors.slowness,
    openUdp: options => doors.openUdp(options),
    openNetwork: () => withoutGateway(doors.openNetwork()),
    openTun: options => new MadeUpCard('ginnel0', options),
  };
}

async function answers(client: Client): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end;) {
    if (await isThere(client)) return;
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  throw new Error('the daemon does not answer');
}

const isThere = (client: Client): Promise<boolean> =>
  client.get('/v1/health').then(
    () => true,
    () => false,
  );
