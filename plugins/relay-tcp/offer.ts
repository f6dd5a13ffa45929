// What this box tells the location server of itself as a relay (V4, V8): how much it gives and has to spare.
import type { NetworkWords } from '../../core/contract/plugin.ts';
import type { RelayOffer } from '../../protocol/location/messages.ts';
import type { Load } from './load.ts';
import type { RelaySettings } from './settings.ts';

export type RelayFacts = Pick<
  Parameters<NetworkWords['tell']>[0],
  'relay' | 'region' | 'bandwidth' | 'cpuLoad'
>;

export interface Serving {
  /** Nodes that are reached through this one now. */
  readonly nodes: number;
  /** Bits per second that it forwards. */
  readonly forwarding: number;
}

export function factsOf(settings: RelaySettings, load: Load, serving: Serving | null): RelayFacts {
  const relay = serving === null ? null : offerOf(settings, load, serving);
  return { relay, region: settings.region, bandwidth: load.speed, cpuLoad: load.cpuLoad };
}

function offerOf(
  { bytesPerSecond, connections }: RelaySettings,
  load: Load,
  { nodes, forwarding }: Serving,
): RelayOffer {
  const limit = bytesPerSecond === Infinity ? null : bytesPerSecond * 8;
  const ofLimit = limit === null ? null : limit - forwarding;
  // What is forwarded comes in and goes out: the busier direction is what counts.
  const ofLine = load.speed === null || load.lineUse === null ? null : load.speed - load.lineUse;
  const known = [ofLimit, ofLine].filter(figure => figure !== null);
  const spare = known.length === 0 ? null : Math.round(Math.max(0, Math.min(...known)));
  return { limit, spare, nodes, mostNodes: connections };
}

const NOTABLE = 0.1;

/** Is it worth telling? By more than a tenth, or something that is no figure. */
export function isNotable(before: RelayFacts | null, now: RelayFacts): boolean {
  if (before === null) return true;
  const [a, b] = [before.relay ?? null, now.relay ?? null];
  if (before.region !== now.region || (a === null) !== (b === null)) return true;
  const figures = [
    [before.bandwidth ?? null, now.bandwidth ?? null],
    [a?.limit ?? null, b?.limit ?? null],
    [a?.spare ?? null, b?.spare ?? null],
    [a?.nodes ?? null, b?.nodes ?? null],
    [a?.mostNodes ?? null, b?.mostNodes ?? null],
  ] as const;
  return figures.some(([one, other]) => differs(one, other, 0)) || differs(before.cpuLoad, now.cpuLoad, 1);
}

/** `whole`: what a tenth is taken of, where it is more than the figures themselves. */
function differs(before: number | null | undefined, now: number | null | undefined, whole: number): boolean {
  if (before == null || now == null) return (before ?? null) !== (now ?? null);
  return Math.abs(before - now) > NOTABLE * Math.max(Math.abs(before), Math.abs(now), whole);
}
