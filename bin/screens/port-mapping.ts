// What the plugin `nat-portmap` got from routers, read from what it says of itself, for screens that tell of it in passing.
import type { PluginStatus } from '../../core/admin.ts';

/** Ports that a router passes on to this box, seen from outside: `203.0.113.7:41641`; empty: none, or the plugin is off. */
export function mappedPorts(plugins: readonly PluginStatus[]): readonly string[] {
  const routers = plugins.find(({ name }) => name === 'nat-portmap')?.facts['routers'];
  return listOf(routers)
    .flatMap(router => listOf(router['ports']))
    .flatMap(port => (typeof port['outside'] === 'string' ? [port['outside']] : []));
}

type Part = Readonly<Record<string, unknown>>;

const listOf = (value: unknown): readonly Part[] =>
  Array.isArray(value) ? value.filter((each): each is Part => typeof each === 'object' && each !== null) : [];
