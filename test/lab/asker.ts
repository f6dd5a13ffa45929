// A plugin's context on plain sockets of the place it is started in, for askers: the real rules of sending and repeating
// (transactions, budget), without a node around them.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { systemClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import type { PluginContext, StunDoor, StunServer, StunSocket } from '../../core/contract/plugin.ts';
import { Budget } from '../../core/paths/budget.ts';
import { StunOverTcp } from '../../core/paths/stun-tcp.ts';
import { StunTransactions } from '../../core/paths/stun-transactions.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { decodeStun } from '../../protocol/stun/codec.ts';
import { primitives } from '../../system/crypto.ts';
import { openDoors } from '../../system/doors-linux.ts';
import { noHome, noLinks, noSignals, noNetwork, noStreams } from '../support/no-streams.ts';

const counters = new Counters();
const budget = new Budget(counters, systemClock.monotonicMs());
const transactions = new StunTransactions({
  clock: systemClock,
  random: systemRandom,
  primitives,
  budget,
  counters,
});

async function open(): Promise<StunSocket & { close(): void }> {
  const socket: Socket = createSocket('udp4');
  socket.bind();
  await once(socket, 'listening');
  const localPort = socket.address().port;
  const sender = {
    send(to: Endpoint, bytes: Uint8Array): boolean {
      socket.send(bytes, to.port, to.address);
      return true;
    },
    local: (): Endpoint => ({ family: 4, address: '0.0.0.0', port: localPort }),
  };
  socket.on('message', (bytes, { address, port }) => {
    const message = decodeStun(bytes);
    if (message.ok) transactions.received(message.value, { family: 4, address, port }, sender);
  });
  return {
    family: 4,
    localPort,
    transact: (ask, signal) => transactions.transact(sender, ask, signal),
    close: () => void socket.close(),
  };
}

export interface Asker {
  readonly context: PluginContext;
  close(): void;
}

export async function openAsker(
  servers: readonly StunServer[],
  settings: Readonly<Record<string, unknown>>,
): Promise<Asker> {
  const main = await open();
  const doors = openDoors();
  const tcp = { clock: systemClock, random: systemRandom, budget, counters };
  const freshTcp = (): Promise<StunOverTcp> =>
    Promise.resolve(new StunOverTcp(doors.openTcpSource!({ family: 4 }), tcp, () => undefined));
  const door: StunDoor = {
    ...(doors.openTcpSource === undefined ? {} : { freshTcp }),
    main: family => (family === 4 ? main : null),
    fresh: open,
    servers: () => servers,
    localAddresses: () =>
      Object.values(networkInterfaces()).flatMap(list =>
        (list ?? []).map(({ address }) => ({ family: 4 as const, address })),
      ),
    onChange: () => () => undefined,
  };
  const context: PluginContext = {
    settings,
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
    primitives,
    counters,
    store: {
      get: () => Promise.resolve(null),
      put: () => Promise.resolve(),
      delete: () => Promise.resolve(),
    },
    signal: new AbortController().signal,
    stun: door,
    streams: noStreams,
    network: noNetwork,
    home: noHome,
    signals: noSignals,
    links: noLinks,
  };
  return { context, close: () => main.close() };
}
