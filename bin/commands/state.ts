// `ginnel check`, `ginnel repair`: the state on the disk. A check asks the daemon where one runs, else it looks itself and
// changes nothing. A repair works on a state that nobody uses, keeps what was damaged, and asks before it goes back in time.
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { GinnelError } from '../../base/errors.ts';
import type { StateReport } from '../../base/state/check.ts';
import type { Step } from '../../base/state/plan.ts';
import type { Health } from '../../web/api.ts';
import { commandErrors } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { needState } from '../places.ts';
import { checkScreen, repairScreen } from '../screens/state.ts';
import { withJson, type Kit } from './command.ts';

const LOOKS_AT_MOST = 400;
const LOOK_EVERY_MS = 50;

interface RepairFlags {
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `exit` takes the code of a command that ran, but whose answer is no. */
export function stateCommands(program: Command, kit: () => Kit, exit: (code: number) => void): void {
  withJson(program.command('check'))
    .summary('is the state on the disk whole? changes nothing')
    .action(async (flags: { json?: boolean }) => {
      const tools = kit();
      const report = await checked(tools);
      tools.show(flags.json === true, report, () => checkScreen(report, tools.places.state, Date.now()));
      exit(report.ok ? EXIT.ok : EXIT.failed);
    });
  withJson(program.command('repair'))
    .summary('mend a damaged state, while Ginnel does not run')
    .description(
      "Mends what `ginnel check` found: by LevelDB's own repair where all comes back, else from the newest export\nthat is whole. What was damaged is kept. Before anything goes back in time it asks.",
    )
    .option('-y, --yes', 'go back in time without asking')
    .action(async (flags: RepairFlags) => exit(await repair(kit(), flags)));
}

async function checked(kit: Kit): Promise<StateReport> {
  try {
    return await kit.client.get<StateReport>('/v1/state/check');
  } catch (error) {
    if (!(error instanceof GinnelError) || error.code !== 'DAEMON_NOT_RUNNING') throw error;
  }
  needState(kit.places);
  const { exportsIn, stateParts } = await import('../state.ts');
  const { checkState } = await import('../../base/state/check.ts');
  const { state } = kit.places;
  return toldIn(state, () => checkState(stateParts(state), exportsIn(state), new Map()));
}

async function repair(kit: Kit, flags: RepairFlags): Promise<number> {
  const { state } = kit.places;
  needState(kit.places);
  const { exportsIn, stateParts } = await import('../state.ts');
  const { planRepair, isLossless } = await import('../../base/state/plan.ts');
  const { carryOut } = await import('../../base/state/repair.ts');
  const lock = await lockOf(kit);
  try {
    const steps = await toldIn(state, () => planRepair(stateParts(state), exportsIn(state)));
    const aside = `${state}/damaged/${new Date().toISOString().replaceAll(':', '-').slice(0, 19)}`;
    const agreed = steps.every(isLossless) || (await agrees(kit, flags, steps));
    if (!agreed) throw commandErrors('REPAIR_NOT_AGREED');
    await toldIn(state, () => carryOut(steps, aside));
    const left = steps.filter(({ use }) => use === null);
    kit.show(flags.json === true, inJson(steps, aside), () => repairScreen(steps, aside, 'done'));
    return left.length === 0 ? EXIT.ok : EXIT.failed;
  } finally {
    await lock.release();
  }
}

/** A daemon that runs must not be mended under. */
async function lockOf(kit: Kit): Promise<{ release(): Promise<void> }> {
  const { places } = kit;
  const { holdStore } = await import('../../base/state/repair.ts');
  await leaving(kit);
  try {
    return await toldIn(places.state, () => holdStore(places.store));
  } catch (error) {
    if (!(error instanceof GinnelError) || error.code !== 'STORE_LOCKED') throw error;
    throw commandErrors('DAEMON_RUNNING', { folder: places.state }, error);
  }
}

/** One whose role did not come up, because of the damage, serves nobody: it is ended. */
async function leaving({ client, places }: Kit): Promise<void> {
  for (let look = 0; ; look++) {
    const health = await client.get<Health>('/v1/health').catch(() => null);
    if (health === null) return;
    const isIdle = Object.values(health.roles).every(role => role === 'down' || role === 'absent');
    if (!isIdle || look === LOOKS_AT_MOST) throw commandErrors('DAEMON_RUNNING', { folder: places.state });
    if (look === 0) endProcess(health.pid);
    await pause(LOOK_EVERY_MS);
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It was faster, or is another's: the lock on the state tells.
  }
}

async function agrees({ around }: Kit, { yes, json }: RepairFlags, steps: readonly Step[]): Promise<boolean> {
  if (yes === true) return true;
  if (json === true || around.input.isTTY !== true) {
    if (json !== true) around.err(`${repairScreen(steps, null, 'planned')}\n`);
    return false;
  }
  around.err(`${repairScreen(steps, null, 'planned')}\n`);
  const answer = await around.ask('Do it? [y/N] ').catch(() => '');
  return /^y(es)?$/i.test(answer.trim());
}

const inJson = (steps: readonly Step[], aside: string): object => ({
  aside: steps.some(({ use }) => use !== null) ? aside : null,
  steps: steps.map(step =>
    step.kind === 'store'
      ? {
          ...{ kind: 'store', path: step.part.path, problems: step.problems, lost: step.lost },
          source: step.use?.source ?? null,
          export: step.use?.path ?? null,
          madeAtMs: step.use?.madeAtMs ?? null,
          strange: step.use?.strange ?? false,
        }
      : {
          ...{ kind: 'file', path: step.path, problems: step.problems },
          export: step.use?.path ?? null,
          madeAtMs: step.use?.madeAtMs ?? null,
          strange: step.use?.strange ?? false,
        },
  ),
});

/** What the file system says, as an error that a person may meet. */
async function toldIn<T>(state: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { storeError } = await import('../../base/store/tell.ts');
    const { Counters } = await import('../../base/counters.ts');
    throw storeError(state, error, new Counters());
  }
}
