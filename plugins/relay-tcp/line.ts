// What the line to the outside carries now, and what it could: from the kernel's own counters of the interface with the
// default route. Where a system does not tell, there is no figure.
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel's tables as text; null: not to be had here. */
export interface KernelTables {
  read(path: string): string | null;
  list(path: string): readonly string[];
}

export const kernelTables: KernelTables = {
  read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return null;
    }
  },
  list(path) {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  },
};

export interface LineCounts {
  readonly name: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bits per second; null: the interface has none, or does not tell. */
  readonly speed: number | null;
}

export function readLine(tables: KernelTables): LineCounts | null {
  const name = defaultInterface(tables);
  if (name === null) return null;
  const counts = interfaces(tables).get(name);
  return counts === undefined ? null : { name, ...counts, speed: speedOf(tables, name) };
}

const ROUTE_UP = 1;
const ROUTE_REJECT = 0x200;

/** Of several default routes the one with the least metric; IPv4 before IPv6. */
function defaultInterface(tables: KernelTables): string | null {
  return leastMetric(defaults4(tables)) ?? leastMetric(defaults6(tables));
}

interface DefaultRoute {
  readonly name: string;
  readonly metric: number;
}

/** Iface Destination Gateway Flags RefCnt Use Metric Mask …, numbers in hexadecimal but for the metric. */
const defaults4 = (tables: KernelTables): DefaultRoute[] =>
  rows(tables.read('/proc/net/route')).flatMap(([name, destination, , flags, , , metric, mask]) =>
    destination === '00000000' && mask === '00000000' && (parseInt(flags ?? '', 16) & ROUTE_UP) !== 0
      ? [{ name: name ?? '', metric: Number(metric) }]
      : [],
  );

/** destination, its length, source, its length, next hop, metric, references, use, flags, interface. */
const defaults6 = (tables: KernelTables): DefaultRoute[] =>
  rows(tables.read('/proc/net/ipv6_route')).flatMap(([, length, , , , metric, , , flags, name]) => {
    const bits = parseInt(flags ?? '', 16);
    const isUsable = (bits & ROUTE_UP) !== 0 && (bits & ROUTE_REJECT) === 0 && name !== 'lo';
    return length === '00' && isUsable ? [{ name: name ?? '', metric: parseInt(metric ?? '', 16) }] : [];
  });

const leastMetric = (routes: readonly DefaultRoute[]): string | null =>
  [...routes].sort((a, b) => a.metric - b.metric)[0]?.name ?? null;

/** From /proc/net/dev, which is always of the own network namespace. */
function interfaces(tables: KernelTables): Map<string, Pick<LineCounts, 'bytesIn' | 'bytesOut'>> {
  const found = new Map<string, Pick<LineCounts, 'bytesIn' | 'bytesOut'>>();
  for (const line of (tables.read('/proc/net/dev') ?? '').split('\n')) {
    const [name, counts] = line.split(':');
    const numbers = (counts ?? '').trim().split(/\s+/).map(Number);
    const [bytesIn, bytesOut] = [numbers[0], numbers[8]];
    if (name === undefined || bytesIn === undefined || bytesOut === undefined) continue;
    if (Number.isFinite(bytesIn) && Number.isFinite(bytesOut)) found.set(name.trim(), { bytesIn, bytesOut });
  }
  return found;
}

/** /sys may be that of another network namespace: it is believed where it knows no interface that this one has not. */
function speedOf(tables: KernelTables, name: string): number | null {
  const own = interfaces(tables);
  const told = tables.list('/sys/class/net').filter(one => one !== 'bonding_masters');
  if (told.some(one => !own.has(one))) return null;
  const megabits = Number(tables.read(`/sys/class/net/${name}/speed`)?.trim() ?? NaN);
  return Number.isFinite(megabits) && megabits > 0 ? megabits * 1e6 : null;
}

const rows = (table: string | null): string[][] =>
  (table ?? '').split('\n').map(line => line.trim().split(/\s+/));
