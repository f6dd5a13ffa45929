// A plugin's report is foreign data on its way to a person: its shape is checked and its size bounded.
import type { PluginReport, PluginState } from '../contract/plugin.ts';
import { plainCopy, TooLarge } from './bounded.ts';

/** Facts beyond this many bytes of JSON are left out. */
export const MAX_REPORT_BYTES = 16 * 1024;
const STATES: readonly unknown[] = ['ready', 'limited', 'unavailable'] satisfies PluginState[];

/** What the plugin says of itself; throws an Error that says in words why it cannot be shown. */
export function readReport(answer: unknown, scrub: (text: string) => string): PluginReport {
  if (typeof answer !== 'object' || answer === null) throw new Error('it is no report');
  const { state, code, facts } = answer as Record<keyof PluginReport, unknown>;
  if (!isState(state)) throw new Error('its state is none of ready, limited, unavailable');
  if (typeof code !== 'string' || !/^[A-Z0-9_]{0,60}$/.test(code)) throw new Error('its code is not a code');
  if (typeof facts !== 'object' || facts === null || Array.isArray(facts)) throw new Error('it has no facts');
  return { state, code, facts: bounded(facts, scrub) };
}

const isState = (state: unknown): state is PluginState => STATES.includes(state);

/** A plain copy of the facts, so that what is shown cannot change or run code afterwards. */
function bounded(facts: object, scrub: (text: string) => string): PluginReport['facts'] {
  try {
    return plainCopy(facts, MAX_REPORT_BYTES, scrub) as PluginReport['facts'];
  } catch (error) {
    if (error instanceof TooLarge) return { leftOut: true };
    throw error;
  }
}
