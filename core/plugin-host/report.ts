// A plugin's report is foreign data on its way to a person: its shape is checked and its size bounded.
import type { PluginReport, PluginState } from '../contract/plugin.ts';

/** Facts beyond this many bytes of JSON are left out. */
export const MAX_REPORT_BYTES = 16 * 1024;
const STATES: readonly PluginState[] = ['ready', 'limited', 'unavailable'];

/** What the plugin says of itself, or in words why that cannot be shown. */
export function readReport(report: () => PluginReport): PluginReport | string {
  try {
    const { state, code, facts } = report();
    if (!STATES.includes(state)) return 'its state is none of ready, limited, unavailable';
    if (typeof code !== 'string' || !/^[A-Z0-9_]{0,60}$/.test(code)) return 'its code is not a code';
    return { state, code, facts: bounded(facts) };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A plain copy of the facts, so that what is shown cannot change or run code afterwards. */
function bounded(facts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const json = JSON.stringify(facts);
  const bytes = Buffer.byteLength(json);
  if (bytes > MAX_REPORT_BYTES) return { leftOut: true, bytes };
  return JSON.parse(json) as Readonly<Record<string, unknown>>;
}
