// One try of two boxes at each other: ends that begin apart, perhaps beside other traffic; how long until it is direct, and
// what the kernel says of it.
import type { ChildProcess } from 'node:child_process';
import { systemRandom } from '../../base/random.ts';
import type { Box } from './homes.ts';
import { endOf } from './place.ts';
import { allReady, boxOf } from './punch-lab.ts';
import type { PunchLab } from './punch-lab.ts';
import { BOUND_MS, expects, MOST_SKEW_MS, SKEW_STEP_MS } from './punch-plan.ts';
import type { Cell, Meeting, PunchExpectation } from './punch-plan.ts';
import { COUNTED_BYTES, PING_BYTES } from './watch.ts';

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

export async function tryToMeet(runner: PunchLab, meeting: Meeting): Promise<PunchOutcome> {
  const { settings, lab } = runner;
  const ends = [boxOf(runner, meeting.from), boxOf(runner, meeting.to)] as const;
  const [from, to] = ends;
  const skewMs = skewOf(runner, meeting.cell);
  await lab.delay?.hold(
    Object.fromEntries(ends.map(({ home }, end) => [home.outerAddress, skewMs[end] ?? 0])),
  );
  await wrapSoon(runner, ends);
  const expected = expects(meeting.cell, settings.transport);
  const before = expected === 'birthday' ? await costsOf(runner, ends) : null;
  const directMs = await timeToDirect(from, to, expected);
  const after = before === null ? null : await costsOf(runner, ends);
  return await look(runner, meeting, { expects: expected, skewMs, directMs, cost: grown(before, after) });
}

function skewOf({ settings, tried }: PunchLab, { from, to }: Cell): [number, number] {
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
async function wrapSoon({ kinds }: PunchLab, ends: readonly Box[]): Promise<void> {
  for (const box of ends) {
    if (!WRAPS.test(kinds.get(box.node.name) ?? '')) continue;
    await box.node.stop();
    await box.home.flushNat();
    await box.node.up();
    await allReady([box]);
    await box.home.nextPorts({ before: 1 + systemRandom.below(12) });
  }
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
  runner: PunchLab,
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

async function costsOf({ departures }: PunchLab, ends: readonly [Box, Box]): Promise<[Cost, Cost]> {
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
  runner: PunchLab,
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
async function whoCarried({ meetings }: PunchLab, from: Box, to: Box): Promise<PunchOutcome['carriedBy']> {
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
    after.every(
      (count, way) => count[transport] - (before[way]?.[transport] ?? 0) >= received * COUNTED_BYTES,
    );
  return grew('udp') ? 'udp' : grew('tcp') ? 'tcp' : 'others';
}
