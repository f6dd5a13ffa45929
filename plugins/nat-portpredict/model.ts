// From the ports that a few testing packets were given to the one that the next new destination will get (P2, P4).
import type { Endpoint } from '../../protocol/address.ts';
import type { Forecast } from '../../protocol/location/messages.ts';
import { driftAt, rateFrom, USUAL_RATE } from './noise.ts';
import { portAfter, signedDistance, WHOLE_RANGE, type PortRange } from './ports.ts';
import { lastOf, stepOf, type Mapping } from './steps.ts';

/** One testing packet that was answered. */
export interface Sample {
  /** Its place among all that were asked, from 0. */
  readonly order: number;
  readonly localPort: number;
  readonly to: Endpoint;
  readonly mapped: Endpoint;
  readonly atMs: number;
}

export interface Measurement {
  /** How many packets left; not all were answered. */
  readonly asked: number;
  /** In the order of asking. */
  readonly samples: readonly Sample[];
  /** The port of the socket that the forecast is for; other sockets only helped to see the NAT count. */
  readonly localPort: number;
}

/** What earlier measurements behind the same NAT taught. */
export interface Memory {
  readonly step: number | null;
  /** The port that would have come next, when, and how many mappings we have made ourselves since. */
  readonly next: { readonly port: number; readonly atMs: number; readonly own: number } | null;
  readonly rate: number | null;
  readonly seen: PortRange | null;
  /** It was seen to go back to the other end of `seen`. */
  readonly wraps: boolean;
}

export const NOTHING_KNOWN: Memory = { step: null, next: null, rate: null, seen: null, wraps: false };

export interface Foreseen {
  readonly forecast: Forecast;
  readonly memory: Memory;
}

/** Null: nothing was answered. `difference`: the preset one of P4. */
export function foresee(measurement: Measurement, memory: Memory, difference: number): Foreseen | null {
  const { samples, localPort } = measurement;
  const own = samples.filter(sample => sample.localPort === localPort);
  const latest = own.at(-1) ?? samples.at(-1);
  if (latest === undefined) return null;
  const { address, port } = latest.mapped;
  const fixed = fixedPort(samples, own);
  if (fixed !== null) return { forecast: { address, port: fixed, step: 0, drift: 0 }, memory };
  const mappings = newMappings(samples);
  // P4: one answer, and a difference set beforehand (or measured before).
  const step = mappings.length === 1 ? (memory.step ?? difference) : stepOf(mappings, memory.step);
  if (step === null) return { forecast: { address, port, step, drift: 0 }, memory };
  const known = memory.step === step ? memory : NOTHING_KNOWN;
  return counted({ mappings, step, address, measurement, memory: known });
}

/** The NAT gives every destination the same port, or keeps the socket's own. Null: it does neither. */
function fixedPort(samples: readonly Sample[], own: readonly Sample[]): number | null {
  const [first] = own;
  if (first === undefined) return null;
  if (own.length > 1)
    return own.every(({ mapped }) => mapped.port === first.mapped.port) ? first.mapped.port : null;
  return samples.every(({ mapped, localPort }) => mapped.port === localPort) ? first.mapped.port : null;
}

/** Each mapping once: a NAT that looks at addresses alone gives two ports of one server the same. */
function newMappings(samples: readonly Sample[]): readonly Mapping[] {
  const first = samples.filter(
    (sample, at) =>
      samples.findIndex(
        one =>
          one.localPort === sample.localPort &&
          one.to.address === sample.to.address &&
          one.mapped.port === sample.mapped.port,
      ) === at,
  );
  const repeated = first.length < samples.length;
  return first.map(({ order, mapped }, at) => ({ order: repeated ? at : order, port: mapped.port }));
}

type Ranged = Pick<Memory, 'wraps'> & { readonly seen: PortRange };

interface Counted {
  readonly mappings: readonly Mapping[];
  readonly step: number;
  readonly address: string;
  readonly measurement: Measurement;
  readonly memory: Memory;
}

function counted({ mappings, step, address, measurement, memory }: Counted): Foreseen {
  const { last, wrapped } = lastOf(mappings, step);
  const { seen, wraps } = rangeSeen(mappings, wrapped, memory);
  const range = wraps ? seen : WHOLE_RANGE;
  // Answers that are missing at the end: their packets were given ports all the same.
  const unanswered =
    mappings.length === measurement.samples.length ? measurement.asked - 1 - mappings.at(-1)!.order : 0;
  const silent = Math.max(0, unanswered);
  const ahead = mappings.length === 1 ? 1 : 1 + silent;
  const port = portAfter(last.port, step, ahead, range);
  const atMs = measurement.samples.at(-1)!.atMs;
  const rate = rateSeen(mappings[0]!, step, measurement.samples[0]!.atMs, memory);
  const drift = driftAt(rate ?? USUAL_RATE) + (mappings.length === 1 ? silent : 0);
  const learnt = { step, rate, seen, wraps, next: { port, atMs, own: 0 } };
  return { forecast: { address, port, step, drift }, memory: learnt };
}

/** A port beyond the ends that were believed in: the range is another one, or the NAT is. */
function rangeSeen(mappings: readonly Mapping[], wrapped: boolean, { seen, wraps }: Memory): Ranged {
  const ports = mappings.map(({ port }) => port);
  const isOther = seen !== null && wraps && ports.some(port => port < seen.lowest || port > seen.highest);
  if (seen !== null && !isOther) ports.push(seen.lowest, seen.highest);
  const range = { lowest: Math.min(...ports), highest: Math.max(...ports) };
  return { seen: range, wraps: wrapped || (wraps && !isOther) };
}

/** How fast others took ports since the last measurement. */
function rateSeen(
  first: Mapping,
  step: number,
  atMs: number,
  { next, rate, step: before }: Memory,
): number | null {
  if (next === null || before !== step) return rate;
  const foreign = signedDistance(next.port, first.port) / step - next.own;
  return Number.isInteger(foreign) ? rateFrom(foreign, atMs - next.atMs, rate) : rate;
}
