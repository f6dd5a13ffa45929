// The settings of plugin.json as the code reads them. The host has checked them against the schema and filled in defaults.
import type { Endpoint } from '../../protocol/address.ts';
import { parseEndpoint } from '../../protocol/ip/endpoint.ts';

export interface NatStunSettings {
  readonly servers: readonly Endpoint[];
  /** Entries of `servers` that are no address and port. */
  readonly unreadable: readonly string[];
  readonly refreshMs: number;
  readonly lifetimeProbing: boolean;
  readonly portSamples: number;
}

export function readSettings(settings: Readonly<Record<string, unknown>>): NatStunSettings {
  const texts = Array.isArray(settings['servers']) ? settings['servers'].map(String) : [];
  const parsed = texts.map(text => ({ text, endpoint: parseEndpoint(text, 3478) }));
  return {
    servers: parsed.flatMap(({ endpoint }) => (endpoint.ok ? [endpoint.value] : [])),
    unreadable: parsed.flatMap(({ text, endpoint }) => (endpoint.ok ? [] : [text])),
    refreshMs: numberOr(settings['refreshMinutes'], 60) * 60_000,
    lifetimeProbing: settings['lifetimeProbing'] !== false,
    portSamples: numberOr(settings['portSamples'], 6),
  };
}

const numberOr = (value: unknown, otherwise: number): number =>
  typeof value === 'number' ? value : otherwise;
