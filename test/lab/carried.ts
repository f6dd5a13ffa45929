// Who carried the packets of two nodes, by the kernel's counters and not by what Ginnel says of itself.
import type { Place } from './place.ts';
import type { Home, Lab } from './topology.ts';

/** `lan`: no line to the outside saw them. `elsewhere`: a third home did. `nobody`: they did not arrive. */
export type Carrier = 'lan' | 'direct' | 'server' | 'elsewhere' | 'nobody';

export interface Carried {
  readonly by: Carrier;
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

const COUNT = 20;
const SIZE = 1000;

export async function snapshot(lab: Lab): Promise<Snapshot> {
  const [server, byFamily, ...wan] = await Promise.all([
    lab.server.bytes(),
    bytesByFamily(lab.core),
    ...lab.homes.map(async home => [home, await home.wanBytes()] as const),
  ]);
  return { server, byFamily, wan: new Map(wan) };
}

/** Sends pings of a known size from one to the other's virtual address and sees which interfaces counted them. */
export async function whoCarries(
  lab: Lab,
  from: { place: Place; home: Home },
  to: { home: Home; ip: string },
): Promise<Carried> {
  const before = await snapshot(lab);
  const { stdout } = await from.place.exec(`ping -q -c ${COUNT} -i 0.02 -W 2 -s ${SIZE} ${to.ip}`, {
    mayFail: true,
  });
  const after = await snapshot(lab);
  const received = Number(/(\d+) received/.exec(stdout)?.[1] ?? 0);
  // Both ways, each ping once; half of that stands clear of keep-alives and reports.
  const isMuch = (bytes: number) => bytes > received * SIZE;
  const grew = (home: Home) => isMuch((after.wan.get(home) ?? 0) - (before.wan.get(home) ?? 0));
  const serverBytes = after.server - before.server;
  const others = lab.homes.filter(home => home !== from.home && home !== to.home);
  const by = ((): Carrier => {
    if (received === 0) return 'nobody';
    if (isMuch(serverBytes)) return 'server';
    if (others.some(grew)) return 'elsewhere';
    return grew(from.home) ? 'direct' : 'lan';
  })();
  const [four, six] = [after.byFamily[4] - before.byFamily[4], after.byFamily[6] - before.byFamily[6]];
  return { by, serverBytes, family: by === 'lan' || by === 'nobody' ? null : six > four ? 6 : 4 };
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
