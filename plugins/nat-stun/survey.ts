// The full report: mapping, port rule, filtering and hairpin, in an order in which no test spoils another.
import type { PluginContext } from '../../core/contract/plugin.ts';
import type { Findings } from './findings.ts';
import { judgeFiltering, judgeMapping, judgePorts, type MappingSample } from './judge.ts';
import { filteringPlan, hairpinPlan, mappingPlan, portPlan, type ServerView } from './plan.ts';
import type { Reflection } from './reflexive.ts';
import { runPlan, type StepResult } from './run.ts';

type Context = Pick<PluginContext, 'stun' | 'clock'>;

export interface Survey {
  readonly context: Context;
  readonly findings: Findings;
  readonly base: Reflection;
  readonly view: ServerView;
  readonly nat: boolean;
  readonly portSamples: number;
  readonly signal: AbortSignal;
  readonly changed: () => void;
}

/** The server that can answer most tests: with a second address, else with a second port; IPv4 before IPv6. */
export function chooseServer(
  reflections: readonly Reflection[],
): { readonly base: Reflection; readonly view: ServerView } | null {
  const worth = ({ seen, server }: Reflection): number =>
    (seen.mapped.family === 4 ? 4 : 0) +
    (usableOther(seen, server) ? 2 : 0) +
    (server.secondPort === null ? 0 : 1);
  const base = reflections.reduce<Reflection | null>(
    (best, one) => (best === null || worth(one) > worth(best) ? one : best),
    null,
  );
  if (base === null) return null;
  const { server, seen } = base;
  const primary = server.endpoint;
  const elsewhere = reflections.find(
    ({ server: { endpoint } }) => endpoint.family === primary.family && endpoint.address !== primary.address,
  );
  const other = usableOther(seen, server) ? seen.other : null;
  const secondPort = server.secondPort ?? (other !== null && other.port !== primary.port ? other.port : null);
  return { base, view: { primary, secondPort, other, elsewhere: elsewhere?.server.endpoint ?? null } };
}

/** A second address that is one: of the same family, another one, with a port. */
function usableOther({ other }: Reflection['seen'], { endpoint }: Reflection['server']): boolean {
  return (
    other !== null &&
    other.family === endpoint.family &&
    other.address !== endpoint.address &&
    other.port !== 0
  );
}

/** Rejects where sockets can't be opened. Verdicts are told as they come. */
export async function takeSurvey(survey: Survey): Promise<void> {
  // Mapping and ports one after the other: on a counting NAT each new mapping moves the other's count.
  await surveyMapping(survey);
  await surveyPorts(survey);
  await Promise.all([surveyFiltering(survey), surveyHairpin(survey)]);
}

const run = (
  { context, view, signal }: Survey,
  plan: Parameters<typeof runPlan>[2],
): Promise<readonly StepResult[]> => runPlan(context.stun, view.primary.family, plan, signal);

async function surveyMapping(survey: Survey): Promise<void> {
  const { base, view, nat, findings, context } = survey;
  const results = await run(survey, mappingPlan(view));
  const first: MappingSample = { to: view.primary, mapped: base.seen.mapped };
  const others = results.flatMap(({ step, seen }) => (seen.ok ? [{ to: step.to, mapped: seen.mapped }] : []));
  tell(survey, () =>
    findings.settle('mapping', judgeMapping([first, ...others], nat), context.clock.wallMs()),
  );
}

async function surveyPorts(survey: Survey): Promise<void> {
  const { view, findings, context, portSamples } = survey;
  const results = await run(survey, portPlan(view, portSamples));
  const samples = results.flatMap(({ localPort, seen }) =>
    seen.ok ? [{ localPort, mappedPort: seen.mapped.port }] : [],
  );
  tell(survey, () => findings.settle('ports', judgePorts(samples), context.clock.wallMs()));
}

async function surveyFiltering(survey: Survey): Promise<void> {
  const { view, findings, context } = survey;
  const results = await run(survey, filteringPlan(view));
  const seenIn = (test: string): StepResult['seen'] | null =>
    results.find(({ step }) => step.test === test)?.seen ?? null;
  const none = seenIn('filtering-none') ?? { ok: false, code: 'aborted' };
  const verdict = judgeFiltering({ none, both: seenIn('filtering-both'), port: seenIn('filtering-port') });
  tell(survey, () => findings.settle('filtering', verdict, context.clock.wallMs()));
}

async function surveyHairpin(survey: Survey): Promise<void> {
  const { base, nat, findings, context } = survey;
  if (!nat) return;
  const [result] = await run(survey, hairpinPlan(base.seen.mapped));
  const seen = result?.seen ?? { ok: false, code: 'aborted' };
  const silent = !seen.ok && seen.code === 'timeout';
  const verdict = seen.ok ? 'yes' : silent ? 'no' : 'not-checked';
  tell(survey, () => findings.set('hairpin', verdict, 'hairpin', null, context.clock.wallMs()));
}

/** What an aborted run found is half a finding. */
function tell({ signal, changed }: Survey, settle: () => void): void {
  if (signal.aborted) return;
  settle();
  changed();
}
