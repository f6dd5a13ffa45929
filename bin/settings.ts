// The daemon's own settings: what concerns neither the node nor the server of this box.
import { Settings } from '../base/settings.ts';
import type { SettingsSchema } from '../base/setting-schema.ts';
import type { ScopedStore } from '../base/store.ts';
import { LOG_LEVELS, type LogLevel } from '../base/pino-log.ts';

export interface DaemonValues {
  readonly 'log-level': LogLevel;
}

export type DaemonSettings = Settings<DaemonValues>;

/** Adding one: here, and where it is read. */
export const DAEMON_SETTINGS: SettingsSchema = {
  type: 'object',
  properties: {
    'log-level': {
      title: 'Log level',
      description: 'How much the log of this box tells; debug names addresses and is much.',
      enum: LOG_LEVELS,
      default: 'info',
    },
  },
};

export const openDaemonSettings = (store: ScopedStore): Promise<DaemonSettings> =>
  Settings.open<DaemonValues>({ schema: DAEMON_SETTINGS, store });
