// What the state of the routers means for a person: the report's code, and a line for `ginnel netcheck`.
import type { PluginState } from '../../core/contract/plugin.ts';
import { portmapErrors } from './errors.ts';
import type { Verdict } from './outside.ts';
import type { RouterState } from './router.ts';

export interface RouterWords {
  readonly family: 4 | 6;
  readonly state: RouterState;
  readonly answer: string;
  /** Its address outside, as it says; empty: none. */
  readonly address: string;
  readonly seen: readonly string[];
  readonly verdict: Verdict;
}

export interface Said {
  readonly state: PluginState;
  readonly code: string;
  readonly notes: readonly string[];
}

const MAX_NOTE = 500;

/** Many IPv6 routers let no box open a port, and few need one: that alone is no fault. */
export function words(routers: readonly RouterWords[]): Said {
  const told = routers.map(router => ({ router, code: codeOf(router) }));
  const worst = told.find(({ router, code }) => router.family === 4 && code !== '');
  const notes = told.flatMap(({ router, code }) => noteOf(router, code));
  return { state: worst === undefined ? 'ready' : 'limited', code: worst?.code ?? '', notes };
}

type Code = keyof typeof portmapErrors.kinds | '';

function codeOf({ state, verdict }: RouterWords): Code {
  if (state === 'silent') return 'PORTMAP_NO_ANSWER';
  if (state === 'refused') return 'PORTMAP_REFUSED';
  if (state === 'no-outside') return 'PORTMAP_NO_OUTSIDE';
  if (state !== 'mapped' || verdict === 'reached') return '';
  return verdict === 'double' ? 'PORTMAP_DOUBLE_NAT' : 'PORTMAP_NO_OUTSIDE';
}

function noteOf({ family, answer, address, seen }: RouterWords, code: Code): string[] {
  const outside = seen.join(' or ') || 'nothing that is known';
  // A router that says nothing stands in nobody's way.
  if (code === 'PORTMAP_NO_ANSWER') return [];
  if (code !== '' && family === 4)
    return [portmapErrors(code, { answer, router: address, outside }).message.slice(0, MAX_NOTE)];
  return [];
}
