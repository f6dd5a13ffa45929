// Who carried the packets of two nodes, by the kernel's counters and not by what Ginnel says of itself.
import type { Place } from './place.ts';
import type { Home, Lab } from './topology.ts';

/**
 * `lan`: no line to the outside saw them. `relay`: a third home that is known to forward did; `elsewhere`: another one.
 * `nobody`: they did not arrive.
 */
export type Carrier = 'lan' | 'direct' | 'relay' | 'server' | 'elsewhere' | 'nobody';

export interface Carried {
  readonly by: Carrier;
  /** The names of the relays whose lines saw them, in the order of `relays`: each way may have its own. */
  readonly through: readonly string[];
  /** Which IP version crossed the core. */
  readonly family: 4 | 6 | null;
  readonly serverBytes: number;
}

export interface Snapshot {
  readonly server: number;
  readonly wan: ReadonlyMap<Home, number>;
  /** Bytes that came to the core, by family. */
  readonly byFamily: { readonly 4: number; readonly 6: number };
}

/** Much more than what the server says to dozens of nodes meanwhile. */
const COUNT = 80;
const SIZE = 1300;

export async function snapshot(lab: Lab): Promise<Snapshot> {
  const [server, byFamily, wan] = await Promise.all([
    lab.server.bytes(),
    bytesByFamily(lab.core),
    bytesByHome(lab.homes),
  ]);
  return { server, byFamily, wan };
}

/** Read where many lines end, one look for all of them: a grid has dozens of homes. */
async function bytesByHome(homes: readonly Home[]): Promise<Map<Home, number>> {
  const places = [...new Set(homes.map(({ line }) => line.place))];
  const counters = new Map(
    await Promise.all(places.map(async place => [place, await place.counters()] as const)),
  );
  return new Map(
    homes.map(home => {
      const found = counters.get(home.line.place)?.[home.line.device];
      if (found === undefined) throw new TypeError(`nothing counts the line of ${home.host.name}`);
      return [home, found.receivedBytes + found.sentBytes];
    }),
  );
}

/**
 * Sends pings of a known size from one to the other's virtual address and sees which interfaces counted them. `relays`: the
 * names of boxes that may forward, by their homes.
 */
export async function whoCarries(
  lab: Lab,
  from: { place: Place; home: Home },
  to: { home: Home; ip: string },
  relays: ReadonlyMap<Home, string> = new Map(),
): Promise<Carried> {
  const before = await snapshot(lab);
  const { stdout } = await from.place.exec(`ping -q -c ${COUNT} -i 0.006 -W 2 -s ${SIZE} ${to.ip}`, {
    mayFail: true,
  });
  const after = await snapshot(lab);
  const received = Number(/(\d+) received/.exec(stdout)?.[1] ?? 0);
  // Whoever carries them sees each ping twice at least: there and back, or, where each way has a relay, in and out.
  const isMuch = (bytes: number) => bytes > 1.5 * received * SIZE;
  const grew = (home: Home) => isMuch((after.wan.get(home) ?? 0) - (before.wan.get(home) ?? 0));
  const serverBytes = after.server - before.server;
  const others = lab.homes.filter(home => home !== from.home && home !== to.home && grew(home));
  const through = [...relays].flatMap(([home, name]) => (others.includes(home) ? [name] : []));
  const by = ((): Carrier => {
    if (received === 0) return 'nobody';
    if (isMuch(serverBytes)) return 'server';
    if (others.length > 0) return through.length === others.length ? 'relay' : 'elsewhere';
    return grew(from.home) ? 'direct' : 'lan';
  })();
  const [four, six] = [after.byFamily[4] - before.byFamily[4], after.byFamily[6] - before.byFamily[6]];
  return { by, through, serverBytes, family: by === 'lan' || by === 'nobody' ? null : six > four ? 6 : 4 };
}

/** Bytes, not packets: reports and keep-alives of others are many and small. */
async function bytesByFamily(core: Place): Promise<{ 4: number; 6: number }> {
  const { stdout } = await core.exec('cat /proc/net/netstat /proc/net/snmp6');
  const [names = '', values = ''] = stdout.split('\n').filter(line => line.startsWith('IpExt:'));
  const index = names.split(' ').indexOf('InOctets');
  return {
    4: Number(values.split(' ')[index]),
    6: Number(/^Ip6InOctets\s+(\d+)/m.exec(stdout)?.[1] ?? 0),
  };
}
