// From the machine at which a person sits into a lab: a port of the machine's loopback that leads to the page of one of the
// lab's boxes. The port is opened before the lab is entered, and served from inside the box's network.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Place } from './place.ts';

/** Of the page, on a box's own loopback. */
export const PAGE_PORT = 7080;
const KEEPER = fileURLToPath(new URL('./page-door-keeper.js', import.meta.url));
const KNOWN_AS = 'GINNEL_LAB_PAGE_DOOR';
/** Where the lab finds the port that was opened outside. */
const INSIDE_FD = 3;

/** For `enterLab`'s `hands`; inside the lab, which has it already, undefined. */
export async function openPageDoor(): Promise<number | undefined> {
  if (process.env[KNOWN_AS] !== undefined) return undefined;
  const server = (await listening(PAGE_PORT)) ?? (await listening(0));
  const address = server?.address();
  if (server === null || typeof address !== 'object' || address === null) return undefined;
  process.env[KNOWN_AS] = String(address.port);
  return (server as Server & { readonly _handle: { readonly fd: number } })._handle.fd;
}

/** Leads to the page of the box at `place` from now on. Answers the address for a browser; null: no port was to be had. */
export function leadTo(place: Place): string | null {
  const port = process.env[KNOWN_AS];
  if (port === undefined) return null;
  place.spawn(process.execPath, [KEEPER, String(PAGE_PORT)], {
    stdio: ['ignore', 'ignore', 'inherit', INSIDE_FD],
  });
  return `http://127.0.0.1:${port}/`;
}

async function listening(port: number): Promise<Server | null> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    // Somebody else has it.
    return null;
  }
}
