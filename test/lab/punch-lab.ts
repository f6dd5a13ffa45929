// The lab of a punching run: boxes that know what stands between them and the world, and counters of the kernel's.
import type { NodeStatus } from '../../core/admin.ts';
import { startNode, startServer } from './ginnel.ts';
import type { Box } from './homes.ts';
import { openNowhere, startForeign } from './neighbour.ts';
import { SERVER_ADDRESSES } from './plan.ts';
import { FOREIGN_PER_SECOND } from './punch-plan.ts';
import type { PunchPlan, PunchSettings } from './punch-plan.ts';
import { buildLab } from './topology.ts';
import type { Lab } from './topology.ts';
import { inTurns } from './turns.ts';
import { until } from './waiting.ts';
import { Departures, Meetings } from './watch.ts';

const ONE_WAY_MS = 20;
const RELAYS = 2;
const STARTED_AT_ONCE = 2;
const READY_MS = 40_000;

export interface PunchLab {
  readonly settings: PunchSettings;
  readonly lab: Lab;
  readonly boxes: ReadonlyMap<string, Box>;
  readonly kinds: ReadonlyMap<string, string>;
  readonly meetings: Meetings;
  readonly departures: ReadonlyMap<string, Departures>;
  /** By cell. */
  readonly tried: Map<string, number>;
}

/** Builds it, starts all boxes, and two relays beside them. Stop its `lab` in the end. */
export async function startPunchLab(plan: PunchPlan, settings: PunchSettings): Promise<PunchLab> {
  const relays = Array.from({ length: RELAYS }, () => ({ kind: 'public' }));
  const lab = await buildLab({
    homes: [...plan.homes, ...relays],
    delayMs: ONE_WAY_MS,
    server: { addresses: 2 },
  });
  try {
    return await start(lab, plan, settings);
  } catch (error) {
    await lab.stop();
    throw error;
  }
}

async function start(lab: Lab, plan: PunchPlan, settings: PunchSettings): Promise<PunchLab> {
  const server = await startServer(lab);
  const names = plan.boxes.map(({ name }) => name);
  const join = async (index: number): Promise<Box> => {
    const home = lab.homes[index];
    if (home === undefined) throw new TypeError(`no home ${index}`);
    const node = await startNode(server, home.host, names[index] ?? `relay-${index}`);
    return { home, node, ip: (await node.status()).ip4 };
  };
  const all = [...lab.homes.keys()];
  // Relays first: when the others come, there is something to choose.
  await inTurns(all.slice(names.length), STARTED_AT_ONCE, join);
  const boxes = await inTurns(all.slice(0, names.length), STARTED_AT_ONCE, join);
  await allReady(boxes);
  const departures = await Promise.all(
    boxes.map(async ({ home, node }) => {
      return [node.name, await Departures.watch(home.host, SERVER_ADDRESSES)] as const;
    }),
  );
  await openNowhere(lab);
  for (const [index, { home }] of boxes.entries())
    if (plan.boxes[index]?.isNoisy === true) startForeign(home.hosts[1] ?? home.host, FOREIGN_PER_SECOND);
  return {
    settings,
    lab,
    boxes: new Map(boxes.map(box => [box.node.name, box])),
    kinds: new Map(plan.boxes.map(({ name, kind }) => [name, kind])),
    meetings: await Meetings.watch(lab),
    departures: new Map(departures),
    tried: new Map(),
  };
}

/** Until every box knows what stands between it and the world, as one does that was up before. */
export async function allReady(boxes: readonly Box[]): Promise<void> {
  for (const { node } of boxes)
    await node.explained(
      until(`${node.name} to be ready`, READY_MS, async () => isReady(await node.status())),
    );
}

function isReady({ state, server, nat }: NodeStatus): boolean {
  const knows = nat.udp === 'no' || (nat.udp === 'yes' && nat.mapping !== 'not-checked');
  return state === 'up' && server.state === 'connected' && knows;
}

/** Boxes down, routers' tables empty, boxes up again. */
export async function forgetAll({ boxes, lab }: PunchLab): Promise<void> {
  const all = [...boxes.values()];
  await inTurns(all, STARTED_AT_ONCE, ({ node }) => node.stop());
  await Promise.all(lab.homes.map(home => home.flushNat()));
  const carriers = lab.homes.flatMap(({ carrier }) => carrier ?? []);
  await Promise.all(carriers.map(carrier => carrier.exec('conntrack -F')));
  await inTurns(all, STARTED_AT_ONCE, ({ node }) => node.up());
  await allReady(all);
}

export function boxOf({ boxes }: PunchLab, name: string): Box {
  const box = boxes.get(name);
  if (box === undefined) throw new TypeError(`no box ${name}`);
  return box;
}
