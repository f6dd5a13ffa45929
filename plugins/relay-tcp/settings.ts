// The settings of plugin.json as the code reads them. The host has checked them against the schema and filled in defaults.
export interface RelaySettings {
  readonly serve: boolean;
  /** Bytes per second forwarded in all, and for one node; Infinity: no limit. */
  readonly bytesPerSecond: number;
  readonly nodeBytesPerSecond: number;
  /** Nodes that may keep a connection here to be reached through it. */
  readonly connections: number;
  /** As it goes into the registration; empty where none, or one that cannot go there, was chosen. */
  readonly region: string;
  readonly isRegionBad: boolean;
}

/** What the registration takes (protocol/location/schema.ts). */
const REGION = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]{0,31}$/u;

export function readSettings(settings: Readonly<Record<string, unknown>>): RelaySettings {
  const region = typeof settings['region'] === 'string' ? settings['region'].trim() : '';
  const isRegionBad = region !== '' && !REGION.test(region);
  return {
    serve: settings['serve'] !== false,
    bytesPerSecond: limitOf(settings['bandwidth']),
    nodeBytesPerSecond: limitOf(settings['node-bandwidth']),
    connections: typeof settings['connections'] === 'number' ? settings['connections'] : 512,
    region: isRegionBad ? '' : region,
    isRegionBad,
  };
}

/** From Mbit/s. */
const limitOf = (value: unknown): number =>
  typeof value === 'number' && value > 0 ? (value * 1e6) / 8 : Infinity;
