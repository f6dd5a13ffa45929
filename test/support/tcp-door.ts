// A node's TCP door for tests: it proves a control key by the handshake of streams, and carries nothing.
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Test } from 'tap';
import { startNoise } from '../../protocol/noise/handshake-state.ts';
import type { DhKeyPair } from '../../protocol/primitives.ts';
import { acceptStream, STREAM_VERSION, StreamMessages } from '../../protocol/stream/handshake.ts';
import type { AcceptingStream } from '../../protocol/stream/handshake.ts';
import { primitives } from '../../system/crypto.ts';

export interface TcpDoor {
  readonly port: number;
  /** Public keys of those who began and proved that they are here, and whether they brought a node. */
  readonly proved: { readonly key: Uint8Array; readonly broughtNode: boolean }[];
  /** Bytes that came behind a whole beginning. */
  readonly carried: () => number;
  close(): Promise<void>;
}

export async function openDoor(t: Test, localStatic: DhKeyPair, host = '127.0.0.1'): Promise<TcpDoor> {
  const proved: TcpDoor['proved'] = [];
  const sockets = new Set<Socket>();
  let carried = 0;
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    const messages = new StreamMessages(true);
    let accepting: AcceptingStream | null = null;
    socket.on('data', bytes => {
      messages.add(bytes);
      for (let next = messages.next(); ; next = messages.next()) {
        if (!next.ok || next.value === null) break;
        if (accepting === null) {
          const begun = acceptStream({ startNoise, primitives, localStatic }, next.value, {
            ...{ v: STREAM_VERSION, forwards: false },
          });
          if (!begun.ok) return void socket.destroy();
          accepting = begun.value;
          socket.write(accepting.second);
        } else if (accepting.isReady(next.value))
          proved.push({ key: accepting.remoteKey, broughtNode: accepting.hello.node !== undefined });
      }
      carried += messages.rest.length;
    });
  });
  await new Promise<void>(resolve => server.listen(0, host, resolve));
  const close = (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    return new Promise(resolve => void server.close(() => resolve()));
  };
  t.teardown(close);
  return { port: (server.address() as AddressInfo).port, proved, carried: () => carried, close };
}
