// Testing packets (P2, P3): from a fresh socket to places of the location server that it never sent to, all in one turn,
// so that between them others get few ports. Where the server has few places, more sockets ask first.
import type { Clock } from '../../base/clock.ts';
import type { StunServer, StunSocket } from '../../core/contract/plugin.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { sameEndpoint } from '../../protocol/address.ts';
import { readMapped, writeSoftware } from '../../protocol/stun/attributes.ts';
import type { Measurement, Sample } from './model.ts';

export type FreshSocket = StunSocket & { close(): void };
type Opener = (family: 4) => Promise<FreshSocket>;

/** An answer that is lost must not hold up the other end. */
export const MEASURE_MS = 450;
/** Of that: a machine that was busy meanwhile still reads what has come. */
const LAST_LOOK_MS = 20;
/** Once most have answered, the rest gets a round trip more and at least this: an answer that comes again counts too. */
const GRACE_MS = 60;
/** Testing packets of one measurement: three distances, of which chance may spoil one. */
const PACKETS = 4;
const MAX_PLACES = 6;

/** Every IPv4 place of the location server, different addresses first. */
export function placesOf(servers: readonly StunServer[]): readonly Endpoint[] {
  const first = servers.map(({ endpoint }) => endpoint);
  const second = servers.flatMap(({ endpoint, secondPort }) =>
    secondPort === null ? [] : [{ ...endpoint, port: secondPort }],
  );
  const all = [...first, ...second].filter(({ family }) => family === 4);
  return all
    .filter((place, at) => all.findIndex(one => sameEndpoint(one, place)) === at)
    .slice(0, MAX_PLACES);
}

export interface Asked {
  readonly socket: FreshSocket;
  readonly measurement: Measurement;
}

/** The socket is the caller's to close. Rejects where none could be opened, and when aborted before. */
export async function measurePorts(
  open: Opener,
  places: readonly Endpoint[],
  clock: Clock,
  signal: AbortSignal,
): Promise<Asked> {
  const helpers: FreshSocket[] = [];
  const socket = await open(4);
  try {
    while ((helpers.length + 1) * places.length < PACKETS) {
      const helper = await open(4).catch(() => null);
      if (helper === null) break;
      helpers.push(helper);
    }
    const samples = await askAll([...helpers, socket], places, clock, signal);
    const asked = (helpers.length + 1) * places.length;
    return { socket, measurement: { asked, samples, localPort: socket.localPort } };
  } catch (error) {
    socket.close();
    throw error;
  } finally {
    for (const helper of helpers) helper.close();
  }
}

function askAll(
  sockets: readonly FreshSocket[],
  places: readonly Endpoint[],
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const count = sockets.length * places.length;
  const ended = new AbortController();
  return new Promise(resolve => {
    let settled = 0;
    let grace = clock.after(MEASURE_MS - LAST_LOOK_MS, lastLook);
    const began = clock.monotonicMs();
    function lastLook(): void {
      grace = clock.after(LAST_LOOK_MS, finish);
    }
    function finish(): void {
      grace.cancel();
      ended.abort();
      signal.removeEventListener('abort', finish);
      resolve(samples.sort((a, b) => a.order - b.order));
    }
    /** Never later than planned: the first timer stands until most have answered. */
    const hasten = (): void => {
      const now = clock.monotonicMs();
      grace.cancel();
      const left = began + MEASURE_MS - LAST_LOOK_MS - now;
      grace = clock.after(Math.min(left, Math.max(GRACE_MS, now - began)), lastLook);
    };
    const ask = async (socket: FreshSocket, to: Endpoint, order: number): Promise<void> => {
      const sample = await askOne(socket, to, order, clock, ended.signal);
      if (ended.signal.aborted) return;
      if (sample !== null) samples.push(sample);
      settled++;
      if (settled === count) finish();
      else if (sample !== null && samples.length > count / 2) hasten();
    };
    if (signal.aborted) {
      finish();
      return;
    }
    signal.addEventListener('abort', finish, { once: true });
    for (const [at, socket] of sockets.entries())
      for (const [index, to] of places.entries()) void ask(socket, to, at * places.length + index);
  });
}

/** Servers answer at length only to requests as long. */
const filler = writeSoftware('ginnel'.padEnd(76));

async function askOne(
  socket: FreshSocket,
  to: Endpoint,
  order: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Sample | null> {
  const outcome = await socket.transact({ to, attributes: [filler], timeoutMs: 2 * MEASURE_MS }, signal);
  if (!outcome.ok || outcome.message.class !== 'success') return null;
  const mapped = readMapped(outcome.message);
  if (mapped === null || mapped.family !== 4) return null;
  return { order, localPort: socket.localPort, to, mapped, atMs: clock.monotonicMs() };
}
