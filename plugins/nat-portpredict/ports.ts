// Ports as a NAT counts them: signed distances on a ring of 16 bits, and the range in which it counts.

const PORTS = 65_536;

/** The ports that a NAT gives away; after the last one it goes on at the other end. */
export interface PortRange {
  readonly lowest: number;
  readonly highest: number;
}

/** None of the well-known ones (RFC 4787 REQ-3). */
export const WHOLE_RANGE: PortRange = { lowest: 1_024, highest: PORTS - 1 };

/** The short way round from one port to another: −32768 … 32767. */
export const signedDistance = (from: number, to: number): number =>
  ((to - from + PORTS + PORTS / 2) % PORTS) - PORTS / 2;

/** The port that comes `count` steps after `port`; where the range ends, it goes on at its other end. */
export function portAfter(port: number, step: number, count: number, range = WHOLE_RANGE): number {
  if (step === 0 || count <= 0) return Math.min(PORTS - 1, Math.max(1, port + step * count));
  const { lowest, highest } = isWithin(port, range) ? range : WHOLE_RANGE;
  const [last, first] = step > 0 ? [highest, lowest] : [lowest, highest];
  const untilEnd = Math.max(0, Math.floor((last - port) / step));
  return count <= untilEnd ? port + step * count : portAfterWrap(first, step, count - untilEnd - 1);
}

const portAfterWrap = (first: number, step: number, count: number): number =>
  Math.min(PORTS - 1, Math.max(1, first + step * count));

const isWithin = (port: number, { lowest, highest }: PortRange): boolean => port >= lowest && port <= highest;
