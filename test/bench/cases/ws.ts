// TCP and ping while three WebSocket clients ask the location server in the same process as much as it answers them.
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { IssuedInvite } from '../../../server/admin.ts';
import type { Case, Measuring } from '../case.ts';
import type { Figures } from '../figures.ts';
import { LocationServer } from '../../lab/ginnel.ts';
import { BOTH_ROLES } from '../contenders/ginnel-server.ts';
import { loadedPings } from './quiet.ts';

const CLIENT = fileURLToPath(new URL('../ws-client.js', import.meta.url));
const CLIENTS = 3;
const PORT = '7443';

export const ws: Pick<Case, 'name' | 'says' | 'each'> = {
  name: 'ws',
  says: 'TCP and ping on a box that is the location server too, while three WebSocket clients ask it 20 times a second each',
  each: measure,
};

interface Client {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
}

async function measure(measuring: Measuring): Promise<Figures> {
  const { ground, running } = measuring;
  const server = new LocationServer(ground.one, BOTH_ROLES);
  const { invite } = await server.api<IssuedInvite>('POST', '/v1/server/invites', { uses: CLIENTS });
  const args = [CLIENT, ground.one.address, PORT, running.target];
  const clients = Array.from({ length: CLIENTS }, (): Client => {
    const child = ground.lab.core.spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin?.end(invite);
    return { child, lines: createInterface({ input: child.stdout as Readable })[Symbol.asyncIterator]() };
  });
  for (const client of clients) await lineOf(client);
  const since = performance.now();
  const figures = await loadedPings(measuring);
  const seconds = (performance.now() - since) / 1000;
  for (const { child } of clients) child.kill('SIGTERM');
  const told = await Promise.all(clients.map(lineOf));
  const answers = told.reduce((sum, line) => sum + (JSON.parse(line) as { answers: number }).answers, 0);
  return { ...figures, answersPerSecond: answers / seconds };
}

async function lineOf({ lines }: Client): Promise<string> {
  const next = await lines.next();
  if (next.done === true) throw new Error('a WebSocket client ended before its time');
  return next.value;
}
