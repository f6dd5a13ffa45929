// Runs the cells of a punching plan in one lab: 20 ms one way, ends that begin apart, tries that know nothing of each other.
// Direct is what the kernel counted between the two homes, with nobody between, once both ends say so.
import type { ChildProcess } from 'node:child_process';
import { systemRandom } from '../../base/random.ts';
import type { NodeStatus } from '../../core/admin.ts';
import { startNode, startServer } from './ginnel.ts';
import type { Box } from './homes.ts';
import { openNowhere, startForeign } from './neighbour.ts';
import { SERVER_ADDRESSES } from './plan.ts';
import { endOf } from './place.ts';
import { BOUND_MS, expects, FOREIGN_PER_SECOND, MOST_SKEW_MS, SKEW_STEP_MS } from './punch-plan.ts';
import type { Cell, Meeting, PunchExpectation, PunchPlan, PunchSettings } from './punch-plan.ts';
import { buildLab } from './topology.ts';
import type { Lab } from './topology.ts';
import { inTurns } from './turns.ts';
import { until } from './waiting.ts';
import { Departures, Meetings, PING_BYTES } from './watch.ts';
import type { Left } from './watch.ts';

const ONE_WAY_MS = 20;
const RELAYS = 2;
const STARTED_AT_ONCE = 2;
const READY_MS = 40_000;
const LOOK_MS = 50;
/** A path that comes late is waited for: how late says more than that it was. */
const LATE_MS = 10_000;
const BURST = 10;
const LOOKS = 3;
const WRAPS = /^seqw/;

export interface PunchOutcome {
  readonly cell: Cell;
  readonly from: string;
  readonly to: string;
  readonly expects: PunchExpectation;
  /** By which the server's word came late at each end, in ms. */
  readonly skewMs: readonly [number, number];
  /** From the first packet until both ends said that it is direct; null: never. */
  readonly directMs: number | null;
  /** By the kernel: how the packets of the pair went in the end. */
  readonly carriedBy: 'udp' | 'tcp' | 'others' | 'nobody';
  /** By which it got there, as Ginnel noted; null: it did not arrive. */
  readonly method: PunchExpectation | null;
  readonly state: string;
  readonly path: string;
  readonly reason: string;
  /** What both ends noted. */
  readonly why: readonly string[];
  readonly isRight: boolean;
  /** What guessing cost at each end; null: there was none. */
  readonly cost: readonly [Cost, Cost] | null;
}

export interface Cost {
  /** Probes that left the box. */
  readonly probes: number;
  /** Flows that its router remembers more than before. */
  readonly entries: number;
}

/** What left one box, over all its tries. */
export interface BoxReport {
  readonly name: string;
  readonly kind: string;
  readonly left: Left;
}

export interface PunchReport {
  readonly settings: PunchSettings;
  readonly outcomes: readonly PunchOutcome[];
  readonly boxes: readonly BoxReport[];
}

interface Runner {
  readonly settings: PunchSettings;
  readonly lab: Lab;
  readonly boxes: ReadonlyMap<string, Box>;
  readonly kinds: ReadonlyMap<string, string>;
  readonly meetings: Meetings;
  readonly departures: ReadonlyMap<string, Departures>;
  /** By cell. */
  readonly tried: Map<string, number>;
}

/** `tell` hears of each try as it ends. */
export async function runPunch(
  plan: PunchPlan,
  settings: PunchSettings,
  tell: (outcome: PunchOutcome) => void = () => undefined,
): Promise<PunchReport> {
  const relays = Array.from({ length: RELAYS }, () => ({ kind: 'public' }));
  const lab = await buildLab({
    homes: [...plan.homes, ...relays],
    delayMs: ONE_WAY_MS,
    server: { addresses: 2 },
  });
  try {
    const runner = await start(lab, plan, settings);
    const outcomes: PunchOutcome[] = [];
    for (const [index, sweep] of plan.sweeps.entries()) {
      if (index > 0) await forgetAll(runner);
      await sweepThrough(runner, sweep, outcome => {
        outcomes.push(outcome);
        tell(outcome);
      });
    }
    return { settings, outcomes, boxes: await reportOf(runner) };
  } finally {
    await lab.stop();
  }
}

async function start(lab: Lab, plan: PunchPlan, settings: PunchSettings): Promise<Runner> {
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
  if (settings.noise !== 'none') await openNowhere(lab);
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
async function allReady(boxes: readonly Box[]): Promise<void> {
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
async function forgetAll({ boxes, lab }: Runner): Promise<void> {
  const all = [...boxes.values()];
  await inTurns(all, STARTED_AT_ONCE, ({ node }) => node.stop());
  await Promise.all(lab.homes.map(home => home.flushNat()));
  const carriers = lab.homes.flatMap(({ carrier }) => carrier ?? []);
  await Promise.all(carriers.map(carrier => carrier.exec('conntrack -F')));
  await inTurns(all, STARTED_AT_ONCE, ({ node }) => node.up());
  await allReady(all);
}

/** Several tries at once, each box in one of them at most. */
async function sweepThrough(
  runner: Runner,
  sweep: readonly Meeting[],
  tell: (outcome: PunchOutcome) => void,
): Promise<void> {
  const waiting = [...sweep];
  const busy = new Set<string>();
  const worker = async (): Promise<void> => {
    while (waiting.length > 0) {
      const index = waiting.findIndex(({ from, to }) => !busy.has(from) && !busy.has(to));
      if (index < 0) {
        await new Promise(resolve => setTimeout(resolve, LOOK_MS));
        continue;
      }
      const [meeting] = waiting.splice(index, 1);
      if (meeting === undefined) continue;
      const { from, to } = meeting;
      for (const name of [from, to]) busy.add(name);
      try {
        tell(await tryToMeet(runner, meeting));
      } finally {
        for (const name of [from, to]) busy.delete(name);
      }
    }
  };
  await Promise.all(Array.from({ length: runner.settings.atOnce }, worker));
}

async function tryToMeet(runner: Runner, meeting: Meeting): Promise<PunchOutcome> {
  const { settings, lab } = runner;
  const ends = [boxOf(runner, meeting.from), boxOf(runner, meeting.to)] as const;
  const [from, to] = ends;
  const skewMs = skewOf(runner, meeting.cell);
  await lab.delay?.hold(
    Object.fromEntries(ends.map(({ home }, end) => [home.outerAddress, skewMs[end] ?? 0])),
  );
  await wrapSoon(runner, ends);
  const foreign = foreignFor(runner, ends);
  try {
    const expected = expects(meeting.cell, settings.transport);
    const before = expected === 'birthday' ? await costsOf(runner, ends) : null;
    const directMs = await timeToDirect(from, to, expected);
    const after = before === null ? null : await costsOf(runner, ends);
    return await look(runner, meeting, { expects: expected, skewMs, directMs, cost: grown(before, after) });
  } finally {
    await Promise.all(foreign.map(stopped));
  }
}

function skewOf({ settings, tried }: Runner, { from, to }: Cell): [number, number] {
  const key = `${from} ${to}`;
  const tries = tried.get(key) ?? 0;
  tried.set(key, tries + 1);
  if (settings.skewMs === 'each') return [(tries * SKEW_STEP_MS) % (MOST_SKEW_MS + SKEW_STEP_MS), 0];
  if (settings.skewMs !== null) return [settings.skewMs, 0];
  return [systemRandom.below(MOST_SKEW_MS + 1), systemRandom.below(MOST_SKEW_MS + 1)];
}

/**
 * A sequence that is to wrap does so within the try, at any of its packets. The box starts anew: it would take the ports
 * that are left out for others' (a real range comes to its end once in a long while).
 */
async function wrapSoon({ kinds }: Runner, ends: readonly Box[]): Promise<void> {
  for (const box of ends) {
    if (!WRAPS.test(kinds.get(box.node.name) ?? '')) continue;
    await box.node.stop();
    await box.home.flushNat();
    await box.node.up();
    await allReady([box]);
    await box.home.nextPorts({ before: 1 + systemRandom.below(12) });
  }
}

/** On one router: on the one whose ports are predicted; where both are, on the one that is met. */
function foreignFor({ settings, kinds }: Runner, [from, to]: readonly [Box, Box]): ChildProcess[] {
  const isSequence = ({ node }: Box): boolean => (kinds.get(node.name) ?? '').startsWith('seq');
  const one = isSequence(to) || !isSequence(from) ? to : from;
  const noisy = { none: [], one: [one], both: [from, to] }[settings.noise];
  return noisy.map(({ home }) => startForeign(home.hosts[1] ?? home.host, FOREIGN_PER_SECOND));
}

/** Packets go all the while; null: the path never was direct. */
async function timeToDirect(from: Box, to: Box, expected: PunchExpectation): Promise<number | null> {
  const before = performance.now();
  const trickle = from.node.place.spawn('ping', ['-q', '-i', '0.2', '-s', String(PING_BYTES), to.ip], {
    stdio: 'ignore',
  });
  try {
    const patience = expected === 'relay' ? BOUND_MS.relay : LATE_MS;
    while (performance.now() - before < patience) {
      if ((await isDirect(from, to)) && (await isDirect(to, from)))
        return Math.round(performance.now() - before);
      await new Promise(resolve => setTimeout(resolve, LOOK_MS));
    }
    return null;
  } finally {
    await stopped(trickle);
  }
}

async function isDirect(from: Box, to: Box): Promise<boolean> {
  return (await from.node.peer(to.node.name))?.state === 'direct';
}

async function stopped(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await endOf(child);
}

async function look(
  runner: Runner,
  meeting: Meeting,
  seen: Pick<PunchOutcome, 'expects' | 'skewMs' | 'directMs' | 'cost'>,
): Promise<PunchOutcome> {
  const [from, to] = [boxOf(runner, meeting.from), boxOf(runner, meeting.to)];
  const carriedBy = await whoCarries(runner, from, to, seen.directMs !== null);
  const peer = await from.node.peer(to.node.name);
  const why = [...(await from.node.why(to.node.name)), ...(await to.node.why(from.node.name))];
  const isDirect = carriedBy === runner.settings.transport;
  const isRight =
    seen.expects === 'relay'
      ? seen.directMs === null && carriedBy === 'others'
      : isDirect && seen.directMs !== null && seen.directMs <= BOUND_MS[seen.expects];
  return {
    ...meeting,
    ...seen,
    carriedBy,
    method: methodOf(carriedBy, why),
    state: peer?.state ?? 'unknown',
    path: peer?.path?.label ?? '',
    reason: peer?.reason ?? '',
    why,
    isRight,
  };
}

async function costsOf({ departures }: Runner, ends: readonly [Box, Box]): Promise<[Cost, Cost]> {
  const costOf = async ({ home, node }: Box): Promise<Cost> => {
    const [left, entries] = await Promise.all([
      departures.get(node.name)?.left(),
      home.router?.exec('conntrack -C'),
    ]);
    return { probes: left?.probes.packets ?? 0, entries: Number(entries?.stdout ?? 0) };
  };
  const [from, to] = ends;
  return [await costOf(from), await costOf(to)];
}

function grown(
  before: readonly [Cost, Cost] | null,
  after: readonly [Cost, Cost] | null,
): PunchOutcome['cost'] {
  if (before === null || after === null) return null;
  const since = (end: 0 | 1): Cost => ({
    probes: after[end].probes - before[end].probes,
    entries: Math.max(0, after[end].entries - before[end].entries),
  });
  return [since(0), since(1)];
}

function methodOf(carriedBy: PunchOutcome['carriedBy'], why: readonly string[]): PunchOutcome['method'] {
  if (carriedBy === 'nobody') return null;
  if (carriedBy !== 'udp') return carriedBy === 'tcp' ? 'tcp' : 'relay';
  const noted = why
    .map(line => /\((predict|birthday)\) answered/.exec(line)?.[1])
    .filter(word => word !== undefined);
  return noted.includes('predict') ? 'predict' : noted.includes('birthday') ? 'birthday' : 'plain';
}

/** Each end changes over by itself: a packet or two may still go by the relay just then. */
async function whoCarries(
  runner: Runner,
  from: Box,
  to: Box,
  isDirect: boolean,
): Promise<PunchOutcome['carriedBy']> {
  for (let look = 1; ; look++) {
    const carrier = await whoCarried(runner, from, to);
    if (carrier === runner.settings.transport || !isDirect || look === LOOKS) return carrier;
  }
}

/** A burst, of which every packet must have gone from home to home, both ways. */
async function whoCarried({ meetings }: Runner, from: Box, to: Box): Promise<PunchOutcome['carriedBy']> {
  const counts = (): Promise<{ udp: number; tcp: number }[]> =>
    Promise.all([meetings.between(from.home, to.home), meetings.between(to.home, from.home)]);
  const before = await counts();
  const { stdout } = await from.node.place.exec(
    `ping -q -c ${BURST} -i 0.02 -W 2 -s ${PING_BYTES} ${to.ip}`,
    { mayFail: true },
  );
  const after = await counts();
  const received = Number(/(\d+) received/.exec(stdout)?.[1] ?? 0);
  if (received === 0) return 'nobody';
  const grew = (transport: 'udp' | 'tcp'): boolean =>
    after.every((count, way) => count[transport] - (before[way]?.[transport] ?? 0) >= received);
  return grew('udp') ? 'udp' : grew('tcp') ? 'tcp' : 'others';
}

function reportOf({ departures, kinds }: Runner): Promise<BoxReport[]> {
  return Promise.all(
    [...departures].map(async ([name, departed]) => ({
      name,
      kind: kinds.get(name) ?? '',
      left: await departed.left(),
    })),
  );
}

function boxOf({ boxes }: Runner, name: string): Box {
  const box = boxes.get(name);
  if (box === undefined) throw new TypeError(`no box ${name}`);
  return box;
}
