// Runs the cells of a punching plan in one lab: 20 ms one way, ends that begin apart, tries that know nothing of each other.
// Direct is what the kernel counted between the two homes, with nobody between, once both ends say so.
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { forgetAll, startPunchLab } from './punch-lab.ts';
import type { PunchLab } from './punch-lab.ts';
import type { Meeting, PunchPlan, PunchSettings } from './punch-plan.ts';
import { tryToMeet } from './punch-try.ts';
import type { PunchOutcome } from './punch-try.ts';
import type { Left } from './watch.ts';

const LOOK_MS = 50;

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
  /** The machine's load average over five minutes, at the end: its own work and others'. */
  readonly load: number;
}

/** `tell` hears of each try as it ends. */
export async function runPunch(
  plan: PunchPlan,
  settings: PunchSettings,
  tell: (outcome: PunchOutcome) => void = () => undefined,
): Promise<PunchReport> {
  const runner = await startPunchLab(plan, settings);
  try {
    const outcomes: PunchOutcome[] = [];
    for (const [index, sweep] of plan.sweeps.entries()) {
      if (index > 0) await forgetAll(runner);
      await sweepThrough(runner, sweep, outcome => {
        outcomes.push(outcome);
        tell(outcome);
      });
    }
    return { settings, outcomes, boxes: await reportOf(runner), load: loadavg()[1] ?? 0 };
  } finally {
    await runner.lab.stop();
  }
}

/** Several tries at once, each box in one of them at most. */
async function sweepThrough(
  runner: PunchLab,
  sweep: readonly Meeting[],
  tell: (outcome: PunchOutcome) => void,
): Promise<void> {
  const waiting = [...sweep];
  const busy = new Set<string>();
  const worker = async (): Promise<void> => {
    while (waiting.length > 0) {
      const index = waiting.findIndex(({ from, to }) => !busy.has(from) && !busy.has(to));
      if (index < 0) {
        await pause(LOOK_MS);
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

function reportOf({ departures, kinds }: PunchLab): Promise<BoxReport[]> {
  return Promise.all(
    [...departures].map(async ([name, departed]) => ({
      name,
      kind: kinds.get(name) ?? '',
      left: await departed.left(),
    })),
  );
}
