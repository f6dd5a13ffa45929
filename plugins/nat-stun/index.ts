// nat-stun: under which addresses this box is seen outside (V6), and what kind of NAT stands before it (RFC 5780).
// Candidates come first, within a round trip; the full report is taken behind them, the mapping's lifetime behind that.
import { setMaxListeners } from 'node:events';
import type { Timer } from '../../base/clock.ts';
import type { Candidate } from '../../core/contract/candidate.ts';
import type { NatReport } from '../../core/contract/nat-report.ts';
import type { PluginContext, PluginReport, StunServer, TraversalPlugin } from '../../core/contract/plugin.ts';
import { sameEndpoint, type IpFamily } from '../../protocol/address.ts';
import { natStunErrors } from './errors.ts';
import { Findings } from './findings.ts';
import { measureLifetime, type Lifetime } from './lifetime.ts';
import type { ServerView } from './plan.ts';
import { askReflexive, wait, type Reflection, type ReflexiveResult } from './reflexive.ts';
import { readSettings, type NatStunSettings } from './settings.ts';
import { chooseServer, takeSurvey } from './survey.ts';

export function createPlugin(context: PluginContext): TraversalPlugin {
  return new NatStun(context);
}

/** `start` waits no longer than this for the first answer; the measuring goes on. */
const START_PATIENCE_MS = 1_000;
/** After a change of the network the fresh sockets wait until it has come to rest. */
const SETTLE_MS = 1_000;

const linkLocal = (address: string): boolean => /^fe[89ab]/.test(address);

/** A survey asks a dozen things side by side; each listens. */
function newRound(): AbortController {
  const round = new AbortController();
  setMaxListeners(64, round.signal);
  return round;
}

class NatStun implements TraversalPlugin {
  readonly #context: PluginContext;
  readonly #findings = new Findings();
  readonly #listeners = new Set<() => void>();
  readonly #ended = new AbortController();
  #settings: NatStunSettings;
  /** Ends what is being measured; made anew when the network changes. */
  #round = newRound();
  #full: Promise<void> | null = null;
  #background: Promise<void> = Promise.resolve();
  /** Ends the lifetime test, which a new survey would disturb. */
  #idling = new AbortController();
  #again: Timer | null = null;
  #last: ReflexiveResult = 'no-server';
  #unsubscribe = (): void => undefined;

  constructor(context: PluginContext) {
    this.#context = context;
    this.#settings = readSettings(context.settings);
    const end = (): void => this.#end();
    if (context.signal.aborted) end();
    else context.signal.addEventListener('abort', end, { once: true });
  }

  async start(signal: AbortSignal): Promise<void> {
    const { stun, clock, log } = this.#context;
    const { unreadable } = this.#settings;
    if (unreadable.length > 0) {
      log.warn(natStunErrors('STUN_BAD_SERVER', { servers: unreadable.join(', ') }).message);
    }
    const ended = AbortSignal.any([signal, this.#ended.signal]);
    if (ended.aborted) return;
    this.#unsubscribe = stun.onChange(() => this.#networkChanged());
    const first = this.#reflect(this.#round.signal);
    void this.#measure(0, first);
    await Promise.race([first, wait(clock, START_PATIENCE_MS, ended)]);
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#background;
  }

  async reconfigure(settings: Readonly<Record<string, unknown>>): Promise<void> {
    this.#settings = readSettings(settings);
    this.#networkChanged();
    return Promise.resolve();
  }

  report(): PluginReport {
    const { udp, mapped } = this.natReport();
    const facts = { mapped, servers: this.#servers().length, unreadable: this.#settings.unreadable };
    if (mapped.length === 0) {
      const code = this.#last === 'no-server' ? 'STUN_NO_SERVER' : 'STUN_NO_ANSWER';
      return { state: 'limited', code, facts: { ...facts, udp } };
    }
    const code = this.#settings.unreadable.length > 0 ? 'STUN_BAD_SERVER' : '';
    return { state: code === '' ? 'ready' : 'limited', code, facts };
  }

  candidates(): readonly Candidate[] {
    return this.#findings.candidates();
  }

  natReport(): NatReport {
    const { stun } = this.#context;
    const own = stun.localAddresses();
    const hasIpv6 =
      stun.main(6) !== null && own.some(({ family, address }) => family === 6 && !linkLocal(address));
    return this.#findings.report(
      own.map(({ address }) => address),
      hasIpv6,
    );
  }

  async refresh(depth: 'quick' | 'full', signal?: AbortSignal): Promise<void> {
    if (this.#ended.signal.aborted) return;
    const round = this.#round.signal;
    const given = signal === undefined ? round : AbortSignal.any([signal, round]);
    if (depth === 'quick') {
      await this.#reflect(given);
      return;
    }
    // Others may wait for the same report: a caller that gives up only stops waiting.
    const full = this.#full ?? this.#measure(0, this.#reflect(round));
    const givenUp = new Promise<void>(done => given.addEventListener('abort', () => done(), { once: true }));
    if (!given.aborted) await Promise.race([full, givenUp]);
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  // ---- measuring

  #servers(): readonly StunServer[] {
    const known = this.#context.stun.servers();
    const more = this.#settings.servers
      .filter(endpoint => !known.some(one => sameEndpoint(one.endpoint, endpoint)))
      .map(endpoint => ({ endpoint, secondPort: null }));
    return [...known, ...more];
  }

  #networkChanged(): void {
    if (this.#ended.signal.aborted) return;
    this.#round.abort();
    this.#round = newRound();
    this.#full = null;
    this.#findings.reset();
    this.#changed();
    void this.#measure(SETTLE_MS, this.#reflect(this.#round.signal));
  }

  async #reflect(signal: AbortSignal): Promise<ReflexiveResult> {
    const { stun, clock } = this.#context;
    const round = new Set<Reflection>();
    const heard = (reflection: Reflection): void => {
      const news = this.#findings.heard(reflection, round, clock.wallMs());
      round.add(reflection);
      this.#last = 'answered';
      if (news) this.#changed();
    };
    const lost = (family: IpFamily): void => {
      this.#findings.lost(family, clock.wallMs());
      this.#changed();
    };
    const result = await askReflexive(stun, this.#servers(), clock, { heard, lost }, signal);
    if (!signal.aborted) this.#last = result;
    return result;
  }

  /** The whole report, once `reflected` has brought a server that answers; behind it, in the background, the lifetime. */
  #measure(settleMs: number, reflected: Promise<ReflexiveResult>): Promise<void> {
    this.#again?.cancel();
    this.#idling.abort();
    this.#idling = new AbortController();
    const round = this.#round.signal;
    const idling = AbortSignal.any([round, this.#idling.signal]);
    const before = this.#background;
    const survey = async (): Promise<ServerView | null> => {
      await Promise.all([reflected, before]);
      await wait(this.#context.clock, settleMs, round);
      return round.aborted ? null : this.#survey(round);
    };
    const surveyed = survey().catch((error: unknown) => this.#failed(error));
    const full = surveyed.then(() => this.#surveyed(round));
    this.#full = full;
    this.#background = surveyed
      .then(view => this.#lifetime(view, idling))
      .catch((error: unknown) => void this.#failed(error));
    return full;
  }

  #surveyed(round: AbortSignal): void {
    if (round.aborted) return;
    this.#full = null;
    const { refreshMs } = this.#settings;
    if (refreshMs === 0) return;
    const again = (): void => void this.#measure(0, this.#reflect(this.#round.signal));
    this.#again = this.#context.clock.after(refreshMs, again);
  }

  async #survey(signal: AbortSignal): Promise<ServerView | null> {
    const chosen = chooseServer(this.#findings.reflections());
    if (chosen === null) return null;
    const { base, view } = chosen;
    const own = this.#context.stun.localAddresses();
    const nat = !own.some(({ address }) => address === base.seen.mapped.address);
    const { portSamples } = this.#settings;
    const changed = (): void => this.#changed();
    await takeSurvey({
      context: this.#context,
      findings: this.#findings,
      base,
      view,
      nat,
      portSamples,
      signal,
      changed,
    });
    return view;
  }

  async #lifetime(view: ServerView | null, signal: AbortSignal): Promise<void> {
    if (view === null || signal.aborted || !this.#settings.lifetimeProbing) return;
    const { stun, clock } = this.#context;
    const set = ({ aliveMs, goneMs }: Lifetime): void => {
      const note = goneMs === null ? null : `Lifetime: an idle mapping was gone after ${goneMs / 1000} s.`;
      this.#findings.set('lifetimeMs', aliveMs, 'lifetime', note, clock.wallMs());
      this.#changed();
    };
    const found = await measureLifetime(stun, view, clock, signal, set);
    if (found !== null) set(found);
  }

  #failed(error: unknown): null {
    this.#context.counters.counter('survey-failed').value++;
    this.#context.log.warn('the NAT report could not be completed', { error: String(error) });
    return null;
  }

  #changed(): void {
    if (this.#ended.signal.aborted) return;
    for (const listener of this.#listeners) listener();
  }

  #end(): void {
    this.#ended.abort();
    this.#round.abort();
    this.#unsubscribe();
    this.#again?.cancel();
  }
}
