// Runs a grid in one lab: all nodes idle, then one cold packet per pair, and the kernel says which way it went.
import { whoCarries } from './carried.ts';
import type { Carrier } from './carried.ts';
import { startNode, startServer } from './ginnel.ts';
import type { GinnelNode } from './ginnel.ts';
import type { BoxPlan, GridPlan, Trial } from './grid-plan.ts';
import { buildLab } from './topology.ts';
import type { Home, Lab } from './topology.ts';
import { until } from './waiting.ts';

const ONE_WAY_MS = 20;
const FIRST_REPLY_MS = 3000;
/** By then a pair that can't meet must have said why. */
const VERDICT_MS = 20_000;
const STARTED_AT_ONCE = 2;
const APART_AT_ONCE = 4;

export interface Outcome extends Trial {
  /** From the first packet to its reply; null: none came. */
  readonly firstReplyMs: number | null;
  readonly carriedBy: Carrier;
  readonly family: 4 | 6 | null;
  /** What Ginnel says: `direct`, `unreachable`, …, the path and the reason. */
  readonly state: string;
  readonly path: string | null;
  readonly reason: string;
  readonly isAsExpected: boolean;
}

interface Box {
  readonly node: GinnelNode;
  readonly home: Home;
  readonly ip: string;
}

/** `tell` hears of each outcome as it comes. */
export async function runGrid(
  plan: GridPlan,
  tell: (outcome: Outcome) => void = () => undefined,
): Promise<Outcome[]> {
  const lab = await buildLab({ homes: plan.homes, delayMs: ONE_WAY_MS, server: { addresses: 2 } });
  try {
    const boxes = await startBoxes(lab, plan.boxes);
    const meeting = plan.trials.filter(({ expects }) => expects !== 'apart');
    const apart = plan.trials.filter(({ expects }) => expects === 'apart');
    // One by one: the counters must not see two pairs at once.
    const met = await inTurns(meeting, 1, trial => tryToMeet(lab, boxes, trial, tell));
    const parted = await inTurns(apart, APART_AT_ONCE, trial => seeApart(boxes, trial, tell));
    return [...met, ...parted];
  } finally {
    await lab.stop();
  }
}

async function startBoxes(lab: Lab, plans: readonly BoxPlan[]): Promise<Map<string, Box>> {
  const server = await startServer(lab);
  const boxes = await inTurns(plans, STARTED_AT_ONCE, async plan => {
    const home = lab.homes[plan.home];
    const place = plan.host === 0 ? home?.host : home?.hosts[plan.host];
    if (home === undefined || place === undefined) throw new TypeError(`no home for ${plan.name}`);
    const node = await startNode(server, place, plan.name);
    const { ip4 } = await node.status();
    return [plan.name, { node, home, ip: ip4 }] as const;
  });
  return new Map(boxes);
}

async function tryToMeet(
  lab: Lab,
  boxes: ReadonlyMap<string, Box>,
  trial: Trial,
  tell: (outcome: Outcome) => void,
): Promise<Outcome> {
  const [from, to] = [boxOf(boxes, trial.from), boxOf(boxes, trial.to)];
  const firstReplyMs = await coldPing(from, to);
  const carried = await whoCarries(lab, { place: from.node.place, home: from.home }, to);
  return told(trial, from, { firstReplyMs, carriedBy: carried.by, family: carried.family }, tell);
}

async function seeApart(
  boxes: ReadonlyMap<string, Box>,
  trial: Trial,
  tell: (outcome: Outcome) => void,
): Promise<Outcome> {
  const [from, to] = [boxOf(boxes, trial.from), boxOf(boxes, trial.to)];
  const firstReplyMs = await coldPing(from, to);
  await until(
    'a verdict',
    VERDICT_MS,
    async () => (await from.node.peer(trial.to))?.state !== 'trying',
  ).catch(() => undefined);
  const carriedBy = firstReplyMs === null ? 'nobody' : 'elsewhere';
  return told(trial, from, { firstReplyMs, carriedBy, family: null }, tell);
}

async function told(
  trial: Trial,
  from: Box,
  seen: Pick<Outcome, 'firstReplyMs' | 'carriedBy' | 'family'>,
  tell: (outcome: Outcome) => void,
): Promise<Outcome> {
  const peer = await from.node.peer(trial.to);
  const words = {
    state: peer?.state ?? 'unknown',
    path: peer?.path?.label ?? null,
    reason: peer?.reason ?? '',
  };
  const outcome = { ...trial, ...seen, ...words, isAsExpected: false };
  const judged = { ...outcome, isAsExpected: isAsExpected(outcome) };
  tell(judged);
  return judged;
}

function isAsExpected({ expects, firstReplyMs, carriedBy, family, state, reason }: Outcome): boolean {
  if (expects === 'apart')
    return firstReplyMs === null && state !== 'direct' && state !== 'trying' && reason !== '';
  if (firstReplyMs === null || firstReplyMs > FIRST_REPLY_MS || state !== 'direct') return false;
  if (expects === 'lan') return carriedBy === 'lan';
  return carriedBy === 'direct' && (expects !== 'direct6' || family === 6);
}

/** With a deadline, ping counts replies: it ends at the first one. */
async function coldPing(from: Box, to: Box): Promise<number | null> {
  const before = performance.now();
  const seconds = Math.ceil(FIRST_REPLY_MS / 1000) + 1;
  const { code } = await from.node.place.exec(`ping -q -c 1 -i 0.1 -w ${seconds} ${to.ip}`, {
    mayFail: true,
  });
  return code === 0 ? Math.round(performance.now() - before) : null;
}

function boxOf(boxes: ReadonlyMap<string, Box>, name: string): Box {
  const box = boxes.get(name);
  if (box === undefined) throw new TypeError(`no box ${name}`);
  return box;
}

/** Answers in the order of `items`, with so many under way at once. */
async function inTurns<T, R>(
  items: readonly T[],
  atOnce: number,
  act: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) results[index] = await act(item);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
