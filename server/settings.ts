// The server's settings: given at `up` or set at run time, checked, and kept, so that a restart needs none.
import { schemaProblem } from '../base/config.ts';
import { Settings } from '../base/settings.ts';
import type { SettingsSchema } from '../base/setting-schema.ts';
import type { ScopedStore } from '../base/store.ts';
import { parseIp } from '../protocol/ip/address.ts';
import { formatHostPort, parseHostPort } from '../protocol/location/addresses.ts';
import { compileSchema } from '../protocol/location/codec.ts';
import { networkNameSchema } from '../protocol/location/schema.ts';
import type { ServerOptions } from './admin.ts';
import { serverErrors } from './errors.ts';
import { RELAY_CHOICES } from './relays/facts.ts';
import type { RelayChoice } from './relays/facts.ts';
import { proxyPrefix } from './trusted-proxies.ts';

export interface ServerValues {
  readonly port: number;
  readonly 'second-port': number | null;
  readonly 'web-port': number | null;
  readonly listen: readonly string[];
  readonly advertise: readonly string[];
  readonly 'trusted-proxy': readonly string[];
  readonly 'relay-choice': RelayChoice;
}

export type ServerSettings = Settings<ServerValues>;

export const DEFAULT_PORT = 7443;

/** Adding one: here, and where it is read. `x-restart`: taken over at the next start of the server only. */
export const SERVER_SETTINGS: SettingsSchema = {
  type: 'object',
  properties: {
    port: {
      title: 'Port of the location server',
      description:
        'TCP and UDP; a router in front has to forward both. Boxes that know another one learn it when they log in.',
      type: 'integer',
      // 0, any free port, is for tests.
      minimum: 0,
      maximum: 65_535,
      'x-words': 'a port from 1 to 65535',
      default: DEFAULT_PORT,
      'x-restart': true,
    },
    'second-port': {
      title: 'Second port of the location server',
      description: 'TCP and UDP; with it, boxes can tell kinds of NATs apart.',
      type: ['integer', 'null'],
      minimum: 1,
      maximum: 65_535,
      'x-words': 'a port from 1 to 65535 other than port, or none',
      default: DEFAULT_PORT + 1,
      'x-restart': true,
    },
    'web-port': {
      title: 'Port of the location server for homes that let only the web out',
      description:
        'TCP, beside its own port: 443, or 80. Boxes try it after the other one; a router in front has to forward it too.',
      type: ['integer', 'null'],
      minimum: 1,
      maximum: 65_535,
      'x-words': 'a port from 1 to 65535 other than port, or none',
      default: null,
      'x-restart': true,
    },
    listen: {
      title: 'Addresses the location server listens on',
      description:
        'Of this machine; empty: all. With two of a family, boxes can tell all kinds of NATs apart.',
      type: 'array',
      maxItems: 16,
      uniqueItems: true,
      items: {
        type: 'string',
        maxLength: 45,
        format: 'ip',
        'x-words': 'an address of this machine, such as 192.168.1.2',
      },
      default: [],
      'x-restart': true,
    },
    advertise: {
      title: 'Names and addresses of the location server',
      description: "What invites and boxes are told, in this order; empty: this machine's own addresses.",
      type: 'array',
      maxItems: 16,
      uniqueItems: true,
      items: {
        type: 'string',
        minLength: 1,
        maxLength: 253,
        format: 'place',
        'x-words': 'a name or address, perhaps with a port: home.example.net, 203.0.113.1:7443',
      },
      default: [],
    },
    'trusted-proxy': {
      title: 'Reverse proxies in front of the location server',
      description:
        'From these alone it is believed for whom a connection is (X-Forwarded-For or Forwarded); empty: from nobody.',
      type: 'array',
      maxItems: 16,
      uniqueItems: true,
      items: {
        type: 'string',
        maxLength: 49,
        format: 'proxy',
        'x-words': 'an address or a network, such as 127.0.0.1 or 10.0.0.0/24',
      },
      default: [],
    },
    'relay-choice': {
      title: 'How relays are chosen for boxes that cannot be reached',
      description:
        'By chance, by distance (region, then round trip), by bandwidth to spare, or balanced by bandwidth, CPU load and how many boxes each serves.',
      enum: RELAY_CHOICES,
      default: 'balanced',
    },
  },
};

const SET_UP_SCHEMA = {
  type: 'object',
  properties: { pool4: { type: 'string', maxLength: 64 }, networkName: networkNameSchema },
  additionalProperties: true,
};

/** `store`: the server's own. */
export async function openServerSettings(store: ScopedStore): Promise<ServerSettings> {
  return Settings.open<ServerValues>({
    schema: SERVER_SETTINGS,
    store: store.scope('settings/'),
    formats: {
      ip: text => parseIp(text).ok,
      place: text => placeOf(text, 1) !== null,
      proxy: text => proxyPrefix(text) !== null,
    },
    check(values) {
      const same = (['second-port', 'web-port'] as const).find(key => values[key] === values.port);
      return same === undefined
        ? null
        : { key: same, mayBe: 'a port from 1 to 65535 other than port, or none' };
    },
  });
}

/** What of the options of `up` is a setting; the rest is the network's own, kept with it. Error: SERVER_OPTIONS. */
export function settingsOf(wanted: Partial<ServerOptions>, isFirst: boolean): Partial<ServerValues> {
  const validate = compileSchema<Partial<ServerOptions>>(SET_UP_SCHEMA);
  if (!validate(wanted)) throw serverErrors('SERVER_OPTIONS', { problem: schemaProblem(validate.errors) });
  const { port, secondPort, webPort, listen, advertise } = wanted;
  // Where a port was chosen, the one behind it is not ours to take.
  const second = secondPort === undefined && isFirst && port !== undefined ? null : secondPort;
  return {
    ...(port === undefined ? {} : { port }),
    ...(second === undefined ? {} : { 'second-port': second }),
    ...(webPort === undefined ? {} : { 'web-port': webPort }),
    ...(listen === undefined ? {} : { listen }),
    ...(advertise === undefined ? {} : { advertise }),
  };
}

/** `home.example.net`, `2001:db8::1`, `host:port` as `host:port`; null where it is none. */
export function placeOf(text: string, port: number): string | null {
  if (parseHostPort(text) !== null) return text;
  const whole = formatHostPort(text, port);
  return parseHostPort(whole) === null ? null : whole;
}
