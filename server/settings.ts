// The server's settings: given at `up`, checked, and kept, so that a restart needs none.
import { schemaProblem } from '../base/config.ts';
import type { ScopedStore } from '../base/store.ts';
import { parseIp } from '../protocol/ip/address.ts';
import { formatHostPort, parseHostPort } from '../protocol/location/addresses.ts';
import { compileSchema } from '../protocol/location/codec.ts';
import { networkNameSchema } from '../protocol/location/schema.ts';
import type { ServerOptions } from './admin.ts';
import { serverErrors } from './errors.ts';

/** Pool and network name are the network's own, kept with it. */
export type Settings = Pick<ServerOptions, 'port' | 'secondPort' | 'listen' | 'advertise'>;

export const DEFAULT_PORT = 7443;
const DEFAULTS: Settings = { port: DEFAULT_PORT, secondPort: DEFAULT_PORT + 1, listen: [], advertise: [] };

const WANTED_SCHEMA = {
  type: 'object',
  properties: {
    port: { type: 'integer', minimum: 0, maximum: 65_535 },
    secondPort: { anyOf: [{ type: 'integer', minimum: 1, maximum: 65_535 }, { type: 'null' }] },
    listen: { type: 'array', maxItems: 16, items: { type: 'string', maxLength: 45 } },
    advertise: { type: 'array', maxItems: 16, items: { type: 'string', maxLength: 253 } },
    pool4: { type: 'string', maxLength: 18 },
    networkName: networkNameSchema,
  },
  additionalProperties: false,
};

export async function loadSettings(store: ScopedStore): Promise<Settings | null> {
  return ((await store.get('settings')) as Settings | undefined) ?? null;
}

/** What is wanted over what was kept over the defaults. Error: SERVER_OPTIONS. */
export function mergeSettings(kept: Settings | null, wanted: Partial<ServerOptions>): Settings {
  const validate = compileSchema<Partial<ServerOptions>>(WANTED_SCHEMA);
  if (!validate(wanted)) refuse(schemaProblem(validate.errors));
  const settings: Settings = {
    port: wanted.port ?? kept?.port ?? DEFAULTS.port,
    secondPort:
      wanted.secondPort !== undefined
        ? wanted.secondPort
        : kept !== null
          ? kept.secondPort
          : secondOf(wanted),
    listen: wanted.listen ?? kept?.listen ?? DEFAULTS.listen,
    advertise: wanted.advertise ?? kept?.advertise ?? DEFAULTS.advertise,
  };
  if (settings.secondPort === settings.port) refuse('the second port is the first one');
  const noAddress = settings.listen.find(text => !parseIp(text).ok);
  if (noAddress !== undefined) refuse(`${noAddress} is no address to listen on`);
  const noPlace = settings.advertise.find(text => placeOf(text, 1) === null);
  if (noPlace !== undefined) refuse(`${noPlace} is no name or address`);
  return settings;
}

/** Where a port was chosen, the one behind it is not ours to take. */
const secondOf = (wanted: Partial<ServerOptions>): number | null =>
  wanted.port === undefined ? DEFAULTS.secondPort : null;

/** `home.example.net`, `2001:db8::1`, `host:port` as `host:port`; null where it is none. */
export function placeOf(text: string, port: number): string | null {
  if (parseHostPort(text) !== null) return text;
  const whole = formatHostPort(text, port);
  return parseHostPort(whole) === null ? null : whole;
}

function refuse(problem: string): never {
  throw serverErrors('SERVER_OPTIONS', { problem });
}
