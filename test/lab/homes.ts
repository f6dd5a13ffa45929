// What the tests of the promises begin with: boxes of the product in the homes of a lab, that have met.
import { snapshot } from './carried.ts';
import type { Snapshot } from './carried.ts';
import { startNode } from './ginnel.ts';
import type { Build, Chosen, GinnelNode, LocationServer } from './ginnel.ts';
import type { Home, Lab } from './topology.ts';
import { until } from './waiting.ts';

const MEET_MS = 30_000;

export interface Box {
  readonly home: Home;
  readonly node: GinnelNode;
  /** Its virtual IPv4 address. */
  readonly ip: string;
}

/** A box named `box0`, `box1`, … in each home, joined one after the other. */
export async function joinAll(lab: Lab, server: LocationServer): Promise<Box[]> {
  const boxes: Box[] = [];
  for (const [index, home] of lab.homes.entries()) boxes.push(await joinHome(server, home, `box${index}`));
  return boxes;
}

export async function joinHome(
  server: LocationServer,
  home: Home,
  name: string,
  build: Build & Chosen = {},
): Promise<Box> {
  const node = await startNode(server, home.host, name, build);
  return { home, node, ip: (await node.status()).ip4 };
}

/** Pings until there is an answer and both say that the path is direct. Answers the ms it took. */
export async function meet(from: Box, to: Box, boundMs = MEET_MS): Promise<number> {
  const before = performance.now();
  await until(`${from.node.name} to meet ${to.node.name}`, boundMs, async () => {
    const { code } = await from.home.host.exec(`ping -q -c 1 -W 1 ${to.ip}`, { mayFail: true });
    return code === 0;
  });
  const took = performance.now() - before;
  await until('both to say so', boundMs, async () => {
    const [there, back] = await Promise.all([from.node.peer(to.node.name), to.node.peer(from.node.name)]);
    return there?.state === 'direct' && back?.state === 'direct';
  });
  return took;
}

export interface Moved {
  readonly server: number;
  /** The least that any of the two homes' lines carried. */
  readonly lines: number;
}

/** What the kernel counted on the server's interface and on the lines of two homes since `before`, in bytes. */
export async function movedSince(lab: Lab, before: Snapshot, one: Home, other: Home): Promise<Moved> {
  const after = await snapshot(lab);
  const grew = (home: Home): number => (after.wan.get(home) ?? 0) - (before.wan.get(home) ?? 0);
  return { server: after.server - before.server, lines: Math.min(grew(one), grew(other)) };
}
