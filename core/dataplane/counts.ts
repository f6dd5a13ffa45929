// What the data plane counts: every way in which a packet or a handshake message can end.
import type { Counter, Counters } from '../../base/counters.ts';

export interface Counts {
  readonly out: Readonly<Record<OutCount, Counter>>;
  readonly in: Readonly<Record<InCount, Counter>>;
  readonly handshake: Readonly<Record<HandshakeCount, Counter>>;
}

const OUT = [
  'packets',
  'batches',
  'keepalives',
  /** To the other node itself, not to its card. */
  'words',
  /** Packets of the fast profile; they count as packets too. */
  'fast',
  /** Dropped: neither an overlay address nor a peer's network. */
  'no-route',
  /** Dropped: nobody has that overlay address, or nobody told in time. */
  'route-unknown',
  'malformed',
  /** Dropped: longer than the path carries. */
  'too-long',
  /** Of those, how often the sender was told. */
  'told-too-big',
  /** IPv4 that was longer, and went on in fragments; each counts as a packet. */
  'fragmented',
  /** SYNs whose MSS was lowered to what the path carries. */
  'mss-lowered',
  /** Dropped while waiting for a path or a session. */
  'held-dropped',
  'busy',
  'closed',
  'no-room',
] as const;

const IN = [
  'packets',
  'keepalives',
  'words',
  'fast',
  'not-mine',
  'malformed',
  'unknown-index',
  'expired',
  'tag',
  'replay',
  'not-ip',
  /** The IP header claims more than came. */
  'too-long',
  'mss-lowered',
  /** The source address is not in the peer's allowed IPs. */
  'source',
] as const;

const HANDSHAKE = [
  'initiations-sent',
  'initiations-received',
  'responses-sent',
  'responses-received',
  'completed',
  'cookies-sent',
  'cookies-received',
  'given-up',
  'not-sent',
  'mac1',
  /** Under load: this source sends too many. */
  'limited',
  /** What Noise refused: a wrong key, a forged or damaged message. */
  'refused',
  'timestamp',
  'too-soon',
  'unknown-peer',
  'unknown-index',
  'cookie-refused',
] as const;

type OutCount = (typeof OUT)[number];
type InCount = (typeof IN)[number];
type HandshakeCount = (typeof HANDSHAKE)[number];

export function countsOf(counters: Counters): Counts {
  return {
    out: named(counters.scope('out'), OUT),
    in: named(counters.scope('in'), IN),
    handshake: named(counters.scope('handshake'), HANDSHAKE),
  };
}

function named<Name extends string>(counters: Counters, names: readonly Name[]): Record<Name, Counter> {
  const all: Partial<Record<Name, Counter>> = {};
  for (const name of names) all[name] = counters.counter(name);
  return all as Record<Name, Counter>;
}
