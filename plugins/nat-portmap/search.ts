// Searches for the gateway by SSDP. Only the gateway's own answers count, and only a place on itself is followed.
import type { RemoteInfo } from 'node:dgram';
import {
  decodeSsdp,
  encodeSsdpSearch,
  GATEWAY_TYPES,
  placeAt,
  SSDP_GROUP,
  SSDP_PORT,
  type HttpPlace,
} from '../../protocol/portmap/ssdp.ts';
import { refuse, type Ground } from './protocol.ts';
import { boundSocket } from './wire.ts';

const SENT_AT_MS = [0, 300] as const;
const GIVE_UP_MS = 1_200;

export interface FoundGateway {
  readonly place: HttpPlace;
  /** Another one after a restart; empty: it does not say. */
  readonly boot: string;
}

/**
 * The gateway's first answer that holds; null: none. It is asked straight, which all but few answer, and to the group, which
 * those do. `isQuiet`: straight only.
 */
export async function searchGateway(
  ground: Ground,
  signal: AbortSignal,
  isQuiet = false,
): Promise<FoundGateway | null> {
  const { gateway, clock } = ground;
  if (gateway.family === 6 || signal.aborted) return null;
  const socket = await boundSocket(ground);
  return new Promise(resolve => {
    const done = (found: FoundGateway | null): void => {
      for (const timer of timers) timer.cancel();
      signal.removeEventListener('abort', gone);
      socket.removeAllListeners('message');
      socket.close();
      resolve(found);
    };
    const gone = (): void => done(null);
    const ask = (): void => {
      for (const host of isQuiet ? [gateway.address] : [gateway.address, SSDP_GROUP])
        for (const type of GATEWAY_TYPES)
          socket.send(encodeSsdpSearch(type, host), SSDP_PORT, host, () => undefined);
    };
    socket.on('error', () => undefined);
    socket.on('message', (bytes, from) => {
      const found = read(ground, bytes, from);
      if (found !== null) done(found);
    });
    const timers = [...SENT_AT_MS.slice(1).map(ms => clock.after(ms, ask)), clock.after(GIVE_UP_MS, gone)];
    signal.addEventListener('abort', gone, { once: true });
    leaveBy(socket, gateway.local);
    if (signal.aborted) done(null);
    else ask();
  });
}

function leaveBy(socket: Awaited<ReturnType<typeof boundSocket>>, local: string): void {
  try {
    socket.setMulticastInterface(local);
    socket.setMulticastTTL(2);
  } catch {
    // A card without groups: it is asked straight.
  }
}

function read(ground: Ground, bytes: Uint8Array, { address }: RemoteInfo): FoundGateway | null {
  if (address !== ground.gateway.address) {
    refuse(ground, 'wrong-source');
    return null;
  }
  const answer = decodeSsdp(bytes);
  if (!answer.ok) {
    refuse(ground, answer.code);
    return null;
  }
  const place = placeAt(answer.value.location, ground.gateway.address);
  if (place === null) refuse(ground, 'ssdp.elsewhere');
  return place === null ? null : { place, boot: answer.value.boot };
}
