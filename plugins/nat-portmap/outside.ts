// Is the place that the router names one that the outside gets to? A router behind another one names an address of the network
// in between, and its mapping alone opens nothing. What a server outside sees decides.
import type { PluginContext } from '../../core/contract/plugin.ts';
import { ADDRESS_RULES, compileRules, scopeOf, type AddressTable } from '../../protocol/ip/classify.ts';
import { readMapped } from '../../protocol/stun/attributes.ts';

/** A server's answer is short; the budget of the core counts. */
const ASK_MS = 2_000;

/** `double`: the router stands behind another one. `none`: it has no address outside. */
export type Verdict = 'reached' | 'double' | 'none';

export interface OutsideView {
  /** As servers see this box; empty: none was asked, or none answered. */
  readonly seen: readonly string[];
  /** This machine's own: who sees one of these sits on our side of the router, and tells nothing of it. */
  readonly own: readonly string[];
}

/** `router`: its address outside, as it says; empty: it says none. Of IPv4. */
export function judge(router: string, { seen, own }: OutsideView): Verdict {
  const scope = scopeOf(TABLE, router);
  if (router === '' || scope === 'special' || scope === 'loopback' || scope === 'link-local') return 'none';
  if (seen.includes(router)) return 'reached';
  const isFromOutside = (address: string): boolean => !own.includes(address) && isOutside(address);
  if (seen.some(isFromOutside) || scope !== 'public') return 'double';
  return 'reached';
}

/** Could the internet get there at all? */
export const isOutside = (address: string): boolean => scopeOf(TABLE, address) === 'public';

/** Asks each server once, from the socket that carries the data. IPv4 alone: IPv6 knows no two routers that translate. */
export async function askOutside(
  { stun }: Pick<PluginContext, 'stun'>,
  signal: AbortSignal,
): Promise<string[]> {
  const socket = stun.main(4);
  if (socket === null) return [];
  const servers = stun.servers().filter(({ endpoint }) => endpoint.family === 4);
  const asked = servers.map(async ({ endpoint }) => {
    const answer = await socket.transact({ to: endpoint, attributes: [], timeoutMs: ASK_MS }, signal);
    const mapped = answer.ok && answer.message.class === 'success' ? readMapped(answer.message) : null;
    return mapped?.family === 4 ? [mapped.address] : [];
  });
  return [...new Set((await Promise.all(asked)).flat())];
}

const TABLE = tableOfRules();

function tableOfRules(): AddressTable {
  const table = compileRules(ADDRESS_RULES);
  if (!table.ok) throw new TypeError(`the built-in address rules do not compile: ${table.code}`);
  return table.value;
}
