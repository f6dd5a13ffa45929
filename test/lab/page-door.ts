// From the machine at which a person sits into a lab: ports of the machine's loopback that lead to the pages of the lab's
// boxes. They are opened before the lab is entered, and served from inside each box's network.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Place } from './place.ts';

/** Of the page, on a box's own loopback. */
export const PAGE_PORT = 7080;
const KEEPER = fileURLToPath(new URL('./page-door-keeper.js', import.meta.url));
const KNOWN_AS = 'GINNEL_LAB_PAGE_DOORS';
/** Where the lab finds the first of the ports that were opened outside. */
const FIRST_INSIDE = 3;

/** For `enterLab`'s `hands`: as many as there are free ports for; inside the lab, which has them already, none. */
export async function openPageDoors(count: number): Promise<readonly number[]> {
  if (process.env[KNOWN_AS] !== undefined) return [];
  const doors: { readonly port: number; readonly fd: number }[] = [];
  for (let door = 0; door < count; door++) {
    const server = (await listening(PAGE_PORT + door)) ?? (await listening(0));
    const address = server?.address();
    if (server === null || typeof address !== 'object' || address === null) break;
    const { fd } = (server as Server & { readonly _handle: { readonly fd: number } })._handle;
    doors.push({ port: address.port, fd });
  }
  process.env[KNOWN_AS] = doors.map(({ port }) => port).join(' ');
  return doors.map(({ fd }) => fd);
}

/** Door `door` leads to the page of the box at `place` from now on. Answers the address for a browser; null: no port was to be had. */
export function leadTo(place: Place, door: number): string | null {
  const port = process.env[KNOWN_AS]?.split(' ').filter(text => text !== '')[door];
  if (port === undefined) return null;
  place.spawn(process.execPath, [KEEPER, String(PAGE_PORT)], {
    stdio: ['ignore', 'ignore', 'inherit', FIRST_INSIDE + door],
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
