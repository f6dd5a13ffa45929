// The daemon's own settings: what concerns neither the node nor the server of this box.
import { Settings } from '../base/settings.ts';
import type { SettingsSchema } from '../base/setting-schema.ts';
import type { ScopedStore } from '../base/store.ts';
import { LogLevels } from '../base/log-levels.ts';
import { parseHostPort } from '../protocol/location/addresses.ts';
import { parsePagePlaces } from './daemon/page-places.ts';

export interface DaemonValues {
  /** As base/log-levels.ts reads it. */
  readonly 'log-level': string;
  /** `127.0.0.1:9477`; null: off. */
  readonly metrics: string | null;
  /** As daemon/page-places.ts reads it. */
  readonly page: string;
  readonly 'page-names': readonly string[];
  readonly 'page-tls': boolean;
  readonly 'speed-test': boolean;
}

export type DaemonSettings = Settings<DaemonValues>;

/** Adding one: here, and where it is read. */
export const DAEMON_SETTINGS: SettingsSchema = {
  type: 'object',
  properties: {
    'log-level': {
      title: 'Log level',
      description:
        'How much the log of this box tells, as a whole or by part; debug names addresses and is much.',
      type: 'string',
      maxLength: 1024,
      format: 'log-levels',
      default: 'info',
      'x-words': 'debug, info, warn, error or silent; for a part: info,node.paths=debug',
    },
    metrics: {
      title: 'Metrics',
      description:
        'Where figures are served for Prometheus, to who shows the token (ginnel metrics --token).',
      type: ['string', 'null'],
      maxLength: 300,
      format: 'host-port',
      default: null,
      'x-words': 'an address of this box with a port, such as 127.0.0.1:9477, or none',
    },
    page: {
      title: 'Page',
      description:
        'Where the page of this box is: in the home network, nowhere, or at addresses of your choice.',
      type: 'string',
      maxLength: 1024,
      format: 'page-places',
      default: 'lan',
      'x-words': 'lan (or, on another port, lan:8080), off, or addresses with ports: 192.168.1.2:7080',
    },
    'page-names': {
      title: 'Names of the page',
      description:
        'Further host names by which the page may be opened, beside its addresses and the name of this box.',
      type: 'array',
      maxItems: 16,
      uniqueItems: true,
      items: { type: 'string', maxLength: 253, format: 'host-name', 'x-words': 'a host name' },
      default: [],
    },
    'page-tls': {
      title: 'Page by HTTPS',
      description:
        'Whether the page is served encrypted, by a certificate that this box makes for itself; browsers ask once whether you trust it (ginnel page tells its fingerprint).',
      type: 'boolean',
      default: false,
    },
    'speed-test': {
      title: 'Take part in speed tests',
      description:
        'Whether other boxes of the network may measure how fast data comes and goes between them and this one.',
      type: 'boolean',
      default: true,
    },
  },
};

export const openDaemonSettings = (store: ScopedStore): Promise<DaemonSettings> =>
  Settings.open<DaemonValues>({ schema: DAEMON_SETTINGS, store, formats: FORMATS });

const FORMATS = {
  'log-levels': (text: string) => new LogLevels().set(text),
  'host-port': (text: string) => parseHostPort(text) !== null,
  'page-places': (text: string) => parsePagePlaces(text) !== null,
  'host-name': (text: string) => /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/.test(text),
};
