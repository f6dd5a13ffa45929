// The settings of plugin.json as the code reads them. The host has checked them against the schema and filled in defaults.
import { PROTOCOL_NAMES, type ProtocolName } from './protocol.ts';

export interface PortmapSettings {
  /** In the order in which they are preferred. */
  readonly protocols: readonly ProtocolName[];
  readonly leaseS: number;
  /** The location server's ports too. */
  readonly server: boolean;
}

export function readSettings(settings: Readonly<Record<string, unknown>>): PortmapSettings {
  const { protocols, lease, server } = settings;
  return {
    protocols: PROTOCOL_NAMES.filter(name => !Array.isArray(protocols) || protocols.includes(name)),
    leaseS: typeof lease === 'number' ? lease : 3600,
    server: server !== false,
  };
}
