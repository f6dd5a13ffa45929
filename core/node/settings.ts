// The node's settings: what its owner may choose, and where name and port lie, which are part of the membership.
import { Settings } from '../../base/settings.ts';
import type { SettingsSchema } from '../../base/setting-schema.ts';
import type { ScopedStore } from '../../base/store.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { canonicalIp } from '../../protocol/ip/address.ts';
import { parseEndpoint } from '../../protocol/ip/endpoint.ts';
import { formatHostPort, parseHostPort } from '../../protocol/location/addresses.ts';
import type { Membership, MembershipFile } from '../control/membership.ts';
import { nodeErrors } from './errors.ts';
import { NAME } from './options.ts';

export interface NodeValues {
  readonly name?: string;
  readonly server: readonly string[];
  readonly 'udp-port'?: number;
  readonly 'tcp-port': number | null;
  readonly 'web-port': number | null;
  readonly 'external-addresses': readonly string[];
  readonly upgrade: boolean;
  readonly card: string;
  readonly mtu: number;
  /** MiB. */
  readonly 'packet-memory': number;
}

const SERVER_PORT = 7443;
const TCP_PORT = 7443;

export type NodeSettings = Settings<NodeValues>;

/** Adding one: here, and where it is read. `x-restart`: taken over at the next `ginnel up` only. */
export const NODE_SETTINGS: SettingsSchema = {
  type: 'object',
  properties: {
    name: {
      title: 'Name of this box',
      description: 'What the other boxes call this one.',
      type: 'string',
      maxLength: 63,
      pattern: NAME.source,
      'x-words': '1 to 63 letters, digits or hyphens, with a letter or digit first and last',
    },
    server: {
      title: 'Address of the location server',
      description:
        'Where this box looks for the location server first, where it moved and nothing else tells; the other boxes hear of it from this one.',
      type: 'array',
      maxItems: 8,
      uniqueItems: true,
      items: {
        type: 'string',
        minLength: 1,
        maxLength: 260,
        format: 'server',
        'x-words': 'a name or address, perhaps with a port: home.example.net, 203.0.113.1:7443',
      },
      default: [],
    },
    'udp-port': {
      title: 'UDP port',
      description:
        'The UDP port of this box that carries the network. Unset: one that is free, kept from then on.',
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      'x-restart': true,
    },
    'tcp-port': {
      title: 'TCP port',
      description:
        'Where boxes that UDP does not reach connect to this one; a router in front has to forward it. A location server on this box may have the same port. None: nobody connects, this box still connects to others.',
      type: ['integer', 'null'],
      minimum: 1,
      maximum: 65_535,
      'x-words': 'a port from 1 to 65535, or none',
      default: TCP_PORT,
      'x-restart': true,
    },
    'web-port': {
      title: 'TCP port for homes that let only the web out',
      description:
        'Beside tcp-port: 443, or 80, for boxes in networks that let nothing else out; a router in front has to forward it. No other program on this box may listen there.',
      type: ['integer', 'null'],
      minimum: 1,
      maximum: 65_535,
      'x-words': 'a port from 1 to 65535 other than tcp-port, or none',
      default: null,
      'x-restart': true,
    },
    'external-addresses': {
      title: 'Addresses outside',
      description:
        'Where other boxes can reach this one, beyond what it finds out itself: for a port forwarded by hand.',
      type: 'array',
      maxItems: 8,
      uniqueItems: true,
      items: {
        type: 'string',
        minLength: 3,
        maxLength: 64,
        format: 'endpoint',
        'x-words': 'an address with its port, such as 203.0.113.1:7443 or [2001:db8::1]:7443',
      },
      default: [],
    },
    upgrade: {
      title: 'Look for better ways',
      description:
        'Whether this box looks for a way of its own through the routers between, beyond the route that the location server names. Off: it goes by that route alone, through a relay where there is one.',
      type: 'boolean',
      default: true,
    },
    card: {
      title: 'Name of the network card',
      description:
        'What the virtual network card of this box is called; %d stands for the first free number.',
      type: 'string',
      maxLength: 14,
      pattern: '^[A-Za-z][A-Za-z0-9_-]{0,11}(%d)?$',
      'x-words': 'a letter, then up to 11 letters, digits, _ or -, then perhaps %d',
      default: 'ginnel%d',
      'x-restart': true,
    },
    mtu: {
      title: 'MTU of the network card',
      description:
        'The largest packet on the virtual card, in bytes. 1,400 fits a PPPoE line and IPv6 outside.',
      type: 'integer',
      minimum: 1280,
      maximum: 9000,
      default: 1400,
      'x-restart': true,
    },
    'packet-memory': {
      title: 'Memory for packets',
      description:
        'How many MiB are set aside for packets on their way. What is not needed of them costs nothing; a box in touch with more than a thousand others may want more.',
      type: 'integer',
      minimum: 8,
      maximum: 256,
      default: 8,
      'x-restart': true,
    },
  },
};

export const openNodeSettings = (store: ScopedStore): Promise<NodeSettings> =>
  Settings.open<NodeValues>({
    schema: NODE_SETTINGS,
    store,
    formats: { endpoint: text => parseEndpoint(text).ok, server: text => serverPlace(text) !== null },
    check: values =>
      values['web-port'] !== null && values['web-port'] === values['tcp-port']
        ? { key: 'web-port', mayBe: 'a port from 1 to 65535 other than tcp-port, or none' }
        : null,
  });

/** `home.example.net` as `home.example.net:7443`; null where it is no name or address. */
function serverPlace(text: string): string | null {
  if (parseHostPort(text) !== null) return text;
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  const whole = formatHostPort(canonicalIp(bare) ?? bare, SERVER_PORT);
  return parseHostPort(whole) === null ? null : whole;
}

/** As the paths take them. */
export const externalEndpoints = ({ 'external-addresses': texts }: NodeValues): readonly Endpoint[] =>
  texts.flatMap(text => {
    const endpoint = parseEndpoint(text);
    return endpoint.ok ? [endpoint.value] : [];
  });

export interface MembershipNews {
  /** Tells the network the new name, and rejects where that refuses it. */
  readonly published: () => Promise<void>;
  /** There is another place to look for the server. */
  readonly serverChosen: () => void;
}

/** Where it lies. */
export function bindToMembership(
  settings: NodeSettings,
  membership: MembershipFile,
  { published, serverChosen }: MembershipNews,
): void {
  const member = (): Membership => {
    if (membership.current === null) throw nodeErrors('NOT_JOINED');
    return membership.current;
  };
  settings.bind('name', {
    read: () => membership.current?.name,
    async write(value) {
      if (typeof value !== 'string') throw nodeErrors('NAME_NEEDED');
      const { name } = member();
      await membership.replace({ ...member(), name: value });
      try {
        await published();
      } catch (error) {
        await membership.replace({ ...member(), name });
        throw error;
      }
    },
  });
  settings.bind('server', {
    read: () => membership.current?.chosenAddresses,
    async write(value) {
      const chosen = Array.isArray(value) ? value.map(text => serverPlace(String(text)) ?? '') : [];
      await membership.replace({ ...member(), chosenAddresses: chosen.filter(text => text !== '') });
      serverChosen();
    },
  });
  settings.bind('udp-port', {
    read: () => membership.current?.udpPort,
    write: async value => membership.replace({ ...member(), udpPort: typeof value === 'number' ? value : 0 }),
  });
}
