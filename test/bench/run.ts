// Goes through the cases: stage by stage, in each stage round by round, in each round case by case, and there one
// contender after the other, so that whatever the machine does meanwhile hits all of them alike.
import { rmSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startServer } from '../lab/ginnel.ts';
import type { LocationServer } from '../lab/ginnel.ts';
import { buildLab } from '../lab/topology.ts';
import type { Lab } from '../lab/topology.ts';
import { LAB_FOLDER } from '../lab/wrapper.ts';
import { NotYet } from './case.ts';
import type { Case, Settings, Stage } from './case.ts';
import type { Contender, Ground, Running } from './contender.ts';
import { addFigures, samplesOf } from './figures.ts';
import type { Figures, Report } from './figures.ts';
import { totalCpu } from './measures.ts';
import { calculationMs } from './noise.ts';

export interface Run {
  readonly cases: readonly Case[];
  readonly isWanted: (contender: Contender) => boolean;
  readonly settings: Settings;
  readonly report: Report;
  readonly say: (words: string) => void;
}

interface Started {
  readonly ground: Ground;
  readonly contender: Contender;
  readonly running: Running;
}

/** Whoever takes more than this with nothing to do is held still while others are measured. */
const QUIET_PERCENT = 1;

export async function runCases(run: Run): Promise<void> {
  const stages = new Set(run.cases.map(each => each.stage));
  for (const stage of stages) {
    const inStage = run.cases.filter(each => each.stage === stage);
    if (stage.contenders.some(run.isWanted)) await runStage(run, stage, inStage);
  }
}

async function runStage(run: Run, stage: Stage, cases: readonly Case[]): Promise<void> {
  const contenders = stage.contenders.filter(run.isWanted);
  const lab = await buildLab({ homes: contenders.flatMap(() => stage.homes), ...stage.trouble });
  try {
    const started = await startAll(run, stage, groundsOf(lab, contenders), cases);
    for (const each of cases) if (each.together !== undefined) await measureTogether(run, each, started);
    holdNoisyOnes(run, started);
    const rounds = Math.max(...cases.map(each => Math.min(each.rounds, run.settings.rounds)));
    for (let round = 0; round < rounds; round += 1)
      for (const each of cases)
        if (round < each.rounds) for (const one of started) await measureOne(run, each, started, one);
  } finally {
    await lab.stop();
    for (const name of readdirSync(LAB_FOLDER)) rmSync(join(LAB_FOLDER, name), { recursive: true });
  }
}

function groundsOf(lab: Lab, contenders: readonly Contender[]): ReadonlyMap<Contender, Ground> {
  let server: Promise<LocationServer> | null = null;
  const locationServer = (): Promise<LocationServer> => (server ??= startServer(lab));
  const grounds = contenders.map((contender, index): [Contender, Ground] => {
    const [homeA, homeB] = lab.homes.slice(index * 2);
    if (homeA === undefined || homeB === undefined) throw new TypeError('each contender has two homes');
    const places = { one: homeA.host, other: homeB.host, homes: [homeA, homeB] as const };
    return [contender, { lab, ...places, locationServer }];
  });
  return new Map(grounds);
}

/** A contender that does not start is named, and the others are measured all the same. */
async function startAll(
  run: Run,
  stage: Stage,
  grounds: ReadonlyMap<Contender, Ground>,
  cases: readonly Case[],
): Promise<readonly Started[]> {
  const started: Started[] = [];
  for (const [contender, ground] of grounds) {
    try {
      await noteContender(run.report, contender);
      started.push({ contender, ground, running: await contender.start(ground) });
    } catch (error) {
      for (const { name } of cases) noteOutcome(run, name, contender, error);
    }
  }
  run.say(`${stage.name}: ${started.map(({ contender }) => contender.label).join(', ')}`);
  return started;
}

async function noteContender({ contenders }: Report, contender: Contender): Promise<void> {
  if (contenders.some(({ name }) => name === contender.name)) return;
  const { name, label, setUp } = contender;
  contenders.push({ name, label, setUp, ...(await contender.version()) });
}

async function measureTogether(run: Run, testCase: Case, started: readonly Started[]): Promise<void> {
  const { together } = testCase;
  if (together === undefined) return;
  const { settings } = run;
  await Promise.all(started.map(one => measured(run, testCase, one, () => together({ ...one, settings }))));
}

async function measureOne(
  run: Run,
  testCase: Case,
  started: readonly Started[],
  one: Started,
): Promise<void> {
  const { each } = testCase;
  if (each === undefined) return;
  const { noise } = run.report;
  noise.calculationMs.push(calculationMs());
  const others = started.filter(other => other !== one);
  const held = others.filter(({ contender }) => noise.heldStill.includes(contender.name));
  signalAll(held, 'SIGSTOP');
  try {
    const [before, since] = [await cpuOf(others), performance.now()];
    await measured(run, testCase, one, () => each({ ...one, settings: run.settings }));
    const [after, tookMs] = [await cpuOf(others), performance.now() - since];
    others.forEach(({ contender: { name } }, index) => {
      const percent = (((after[index] ?? 0) - (before[index] ?? 0)) / tookMs) * 100_000;
      if (percent > noise.busiestWaiting.percent) noise.busiestWaiting = { contender: name, percent };
    });
  } finally {
    signalAll(held, 'SIGCONT');
  }
}

const cpuOf = (all: readonly Started[]): Promise<number[]> =>
  Promise.all(all.map(({ running }) => totalCpu(running.pids)));

async function measured(
  run: Run,
  testCase: Case,
  { contender }: Started,
  measure: () => Promise<Figures>,
): Promise<void> {
  try {
    const figures = await measure();
    addFigures(run.report, testCase.name, contender.name, figures);
    const told = Object.entries(figures).map(([name, value]) => `${name} ${value.toPrecision(4)}`);
    run.say(`  ${testCase.name.padEnd(12)}${contender.label.padEnd(16)}${told.join(', ')}`);
  } catch (error) {
    noteOutcome(run, testCase.name, contender, error);
  }
}

function noteOutcome({ report, say }: Run, testCase: string, contender: Contender, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  const outcome = { contender: contender.name, case: testCase, reason };
  (error instanceof NotYet ? report.notYet : report.failures).push(outcome);
  say(
    `  ${testCase.padEnd(12)}${contender.label.padEnd(16)}${error instanceof NotYet ? 'not yet' : 'FAILED'}: ${firstLine(reason)}`,
  );
}

const firstLine = (text: string): string => text.split('\n')[0] ?? '';

function holdNoisyOnes({ report }: Run, started: readonly Started[]): void {
  for (const { contender } of started) {
    const shares = samplesOf(report, 'idle', contender.name, 'cpuPercent');
    const isNoisy = shares.some(share => share > QUIET_PERCENT);
    if (isNoisy && !report.noise.heldStill.includes(contender.name))
      report.noise.heldStill.push(contender.name);
  }
}

function signalAll(held: readonly Started[], signal: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of held.flatMap(({ running }) => running.pids)) process.kill(pid, signal);
}
