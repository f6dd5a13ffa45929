// The contract suite for plugins: whatever a plugin does, it must start, report, stop once and end with its signal like this.
// A plugin's own test calls `pluginContract` and says how to make one.
import type { Test } from 'tap';
import { CONTRACT } from '../../core/contract/plugin.ts';
import type { Plugin, PluginContext, PluginReport, TraversalPlugin } from '../../core/contract/plugin.ts';
import { AnswerChecks } from '../../core/plugin-host/answers.ts';
import { MAX_REPORT_BYTES } from '../../core/plugin-host/report.ts';

export interface PluginUnderTest {
  readonly name: string;
  readonly contract: number;
  /** A context in which it can start; each call a fresh one, ended by `abort`. */
  context(abort: AbortSignal): PluginContext | Promise<PluginContext>;
  create(context: PluginContext): Plugin;
  /** A context in which it cannot start, where there is one. */
  brokenContext?(abort: AbortSignal): PluginContext | Promise<PluginContext>;
  /** What must be gone some turns after stop or abort: open sockets, timers. Absent: not looked at. */
  holds?(): number;
}

const PATIENCE_MS = 10_000;

export function pluginContract(t: Test, under: PluginUnderTest): void {
  const made = async (): Promise<{ plugin: Plugin; abort: AbortController }> => {
    const abort = new AbortController();
    return { plugin: under.create(await under.context(abort.signal)), abort };
  };

  t.test(`${under.name}: is written for this contract`, t => {
    t.equal(under.contract, CONTRACT);
    t.end();
  });

  t.test(`${under.name}: reports before start without throwing`, async t => {
    const { plugin, abort } = await made();
    expectReport(t, plugin.report());
    await plugin.stop();
    abort.abort();
  });

  t.test(`${under.name}: starts within 10 s, reports, stops and holds nothing afterwards`, async t => {
    const { plugin, abort } = await made();
    const began = performance.now();
    await plugin.start(abort.signal);
    t.ok(performance.now() - began < PATIENCE_MS);
    expectReport(t, plugin.report());
    await plugin.stop();
    expectReport(t, plugin.report());
    abort.abort();
    await nothingHeld(t, under);
  });

  t.test(`${under.name}: an abort in the middle of the start ends it`, async t => {
    const { plugin, abort } = await made();
    const start = plugin.start(abort.signal);
    abort.abort();
    await settled(start);
    await plugin.stop();
    await nothingHeld(t, under);
  });

  t.test(`${under.name}: an abort after the start ends all that it began; stop still works`, async t => {
    const { plugin, abort } = await made();
    await plugin.start(abort.signal);
    abort.abort();
    await plugin.stop();
    await nothingHeld(t, under);
  });

  t.test(`${under.name}: two of them, one after the other, do not disturb each other`, async t => {
    for (let round = 0; round < 2; round++) {
      const { plugin, abort } = await made();
      await plugin.start(abort.signal);
      expectReport(t, plugin.report());
      await plugin.stop();
      abort.abort();
    }
  });

  t.test(
    `${under.name}: what it answers of itself fits the contract, before, while and after it runs`,
    async t => {
      const { plugin, abort } = await made();
      if (!isTraversal(plugin)) {
        await plugin.stop();
        return;
      }
      const checks = new AnswerChecks();
      const expectAnswers = (): void => {
        t.doesNotThrow(() => checks.candidates(plugin.candidates(), under.name), 'candidates');
        t.doesNotThrow(() => checks.natReport(plugin.natReport()), 'the NAT report');
        for (const { foundBy } of plugin.candidates()) t.equal(foundBy, under.name, 'by its own name');
      };
      const unsubscribe = plugin.onChange(expectAnswers);
      expectAnswers();
      await plugin.start(abort.signal);
      expectAnswers();
      const given = new AbortController();
      const refreshed = plugin.refresh('quick', given.signal);
      given.abort();
      await settled(refreshed);
      unsubscribe();
      await plugin.stop();
      expectAnswers();
      await settled(plugin.refresh('quick'));
      abort.abort();
      await nothingHeld(t, under);
    },
  );

  // A plugin that cannot fail to start has nothing to show here.
  if (under.brokenContext === undefined) return;
  t.test(`${under.name}: stop works after a failed start`, async t => {
    const abort = new AbortController();
    const context = await under.brokenContext?.(abort.signal);
    if (context === undefined) return;
    const plugin = under.create(context);
    await t.rejects(plugin.start(abort.signal));
    await plugin.stop();
    abort.abort();
    await nothingHeld(t, under);
  });
}

const isTraversal = (plugin: Plugin): plugin is TraversalPlugin => 'natReport' in plugin;

function expectReport(t: Test, report: PluginReport): void {
  t.ok(['ready', 'limited', 'unavailable'].includes(report.state), 'the state is one of three');
  t.match(report.code, /^[A-Z0-9_]*$/, 'the code is a code');
  t.equal(
    report.code === '',
    report.state === 'ready',
    'a code stands where it is not ready, and only there',
  );
  const json = JSON.stringify(report.facts);
  t.same(JSON.parse(json), report.facts, 'the facts are JSON');
  t.ok(Buffer.byteLength(json) <= MAX_REPORT_BYTES, 'the facts are not too large');
}

/** Settles whichever way, within the patience of the host. */
async function settled(work: Promise<unknown>): Promise<void> {
  const outcome = await Promise.race([
    work.then(
      () => 'settled',
      () => 'settled',
    ),
    new Promise(resolve => setTimeout(() => resolve('still running'), PATIENCE_MS).unref()),
  ]);
  if (outcome !== 'settled') throw new Error('still running after 10 s');
}

async function nothingHeld(t: Test, under: PluginUnderTest): Promise<void> {
  if (under.holds === undefined) return;
  for (let turn = 0; turn < 100 && under.holds() > 0; turn++)
    await new Promise(resolve => setImmediate(resolve));
  t.equal(under.holds(), 0, 'nothing is held afterwards');
}
