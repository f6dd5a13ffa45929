// The settings of plugin.json as the code reads them. The host has checked them against the schema and filled in defaults.
import { MAX_WINDOW } from './window.ts';

export interface PortPredictSettings {
  /** P4: the preset difference. */
  readonly difference: number;
  /** The most ports of the other end that one try sends to, where they are predicted. */
  readonly window: number;
  readonly birthday: boolean;
  readonly tcp: boolean;
}

export function readSettings(settings: Readonly<Record<string, unknown>>): PortPredictSettings {
  const { difference, window, birthday, tcp } = settings;
  return {
    difference: typeof difference === 'number' ? difference : 1,
    window: typeof window === 'number' ? window : MAX_WINDOW,
    birthday: birthday !== false,
    tcp: tcp !== false,
  };
}
