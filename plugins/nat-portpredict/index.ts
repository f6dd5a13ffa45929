// nat-portpredict: ways through NATs that give each destination another port (P2 to P7). It measures how the NAT counts,
// forecasts the port that comes next, and proposes what both ends send; where there is nothing to forecast, it guesses.
import { setMaxListeners } from 'node:events';
import type { PluginContext, PluginReport, TraversalPlugin } from '../../core/contract/plugin.ts';
import type { Measured, Puncher, Volley, VolleyAsk } from '../../core/contract/punch.ts';
import { NOTHING_CHECKED, type NatReport } from '../../core/contract/nat-report.ts';
import type { Forecast, PunchMethod } from '../../protocol/location/messages.ts';
import { birthdayVolley } from './birthday.ts';
import { natPortPredictErrors } from './errors.ts';
import { measurePorts, placesOf } from './measure.ts';
import { foresee, NOTHING_KNOWN, type Memory } from './model.ts';
import { readSettings, type PortPredictSettings } from './settings.ts';
import { predictVolley, tcpVolley } from './volley.ts';

export function createPlugin(context: PluginContext): TraversalPlugin {
  return new NatPortPredict(context);
}

/** Forecasts of tries under way. */
const KEPT = 16;

class NatPortPredict implements TraversalPlugin, Puncher {
  readonly #context: PluginContext;
  readonly #ended = new AbortController();
  #settings: PortPredictSettings;
  /** What the NAT taught, for each transport: most count UDP and TCP apart. */
  #memories: Record<'udp' | 'tcp', Memory> = { udp: NOTHING_KNOWN, tcp: NOTHING_KNOWN };
  /** The latest ones, the newest last: for their sockets, where the core's own word of an end is for its main one. */
  #forecasts: readonly Forecast[] = [];
  #wasSilent = false;
  #unsubscribe = (): void => undefined;

  constructor(context: PluginContext) {
    this.#context = context;
    this.#settings = readSettings(context.settings);
    const end = (): void => this.#end();
    if (context.signal.aborted) end();
    else context.signal.addEventListener('abort', end, { once: true });
  }

  get puncher(): Puncher {
    return this;
  }

  get methods(): readonly PunchMethod[] {
    const { birthday, tcp } = this.#settings;
    const overTcp = tcp && this.#context.stun.freshTcp !== undefined;
    return ['predict', ...(birthday ? (['birthday'] as const) : []), ...(overTcp ? (['tcp'] as const) : [])];
  }

  async start(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#ended.signal.aborted) return Promise.resolve();
    this.#unsubscribe = this.#context.stun.onChange(() => this.#forget());
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  async reconfigure(settings: Readonly<Record<string, unknown>>): Promise<void> {
    this.#settings = readSettings(settings);
    return Promise.resolve();
  }

  report(): PluginReport {
    const facts = { methods: this.methods, forecast: this.#forecasts.at(-1) ?? null };
    const limited = placesOf(this.#context.stun.servers()).length === 0 ? 'PREDICT_NO_SERVER' : null;
    const code = limited ?? (this.#wasSilent ? 'PREDICT_NO_ANSWER' : '');
    return { state: code === '' ? 'ready' : 'limited', code, facts };
  }

  // ---- it finds no addresses: its forecasts are good for one try

  candidates(): readonly never[] {
    return [];
  }

  natReport(): NatReport {
    return NOTHING_CHECKED;
  }

  async refresh(): Promise<void> {
    return Promise.resolve();
  }

  onChange(): () => void {
    return () => undefined;
  }

  // ---- puncher

  async measure(transport: 'udp' | 'tcp', signal: AbortSignal): Promise<Measured | null> {
    const { stun, clock, counters, log } = this.#context;
    const places = placesOf(stun.servers());
    if (places.length === 0 || signal.aborted || this.#ended.signal.aborted) return null;
    const open = this.#opener(transport);
    if (open === null) return null;
    const { either, forget } = firstOf([signal, this.#ended.signal]);
    try {
      const { socket, measurement } = await measurePorts(open, places, clock, either);
      const foreseen = foresee(measurement, this.#memories[transport], this.#settings.difference);
      this.#wasSilent = foreseen === null;
      counters.counter(foreseen === null ? 'measured.silent' : 'measured.answered').value++;
      if (foreseen === null || either.aborted) {
        socket.close();
        return null;
      }
      this.#memories[transport] = foreseen.memory;
      this.#forecasts = [...this.#forecasts, foreseen.forecast].slice(-KEPT);
      return { forecast: foreseen.forecast, socket };
    } catch (error) {
      counters.counter('measured.failed').value++;
      log.warn(natPortPredictErrors('PREDICT_NO_ANSWER').message, { reason: String(error) });
      return null;
    } finally {
      forget();
    }
  }

  volley(ask: VolleyAsk): Volley | null {
    const volley = this.#propose(ask);
    this.#noteOwn(volley, ask.method === 'tcp' ? 'tcp' : 'udp');
    this.#context.counters.counter(`volleys.${volley === null ? 'none' : ask.method}`).value++;
    return volley;
  }

  #propose(ask: VolleyAsk): Volley | null {
    const { window, birthday, tcp } = this.#settings;
    switch (ask.method) {
      case 'predict':
        return predictVolley(ask, window, this.#isMeasured(ask.own.forecast) ? 'measured' : 'main');
      case 'birthday':
        return birthday ? birthdayVolley(ask, this.#context.random) : null;
      case 'tcp':
        return tcp ? tcpVolley(ask, window) : null;
    }
  }

  /** Our own mappings must not pass for others' at the next measurement. */
  #noteOwn(volley: Volley | null, transport: 'udp' | 'tcp'): void {
    const { next } = this.#memories[transport];
    if (volley === null || next === null) return;
    const flows = new Set(volley.shots.map(({ from, to }) => `${from} ${to.port}`));
    const noted = { ...next, own: next.own + flows.size };
    this.#memories[transport] = { ...this.#memories[transport], next: noted };
  }

  #isMeasured({ address, port, step }: Forecast): boolean {
    return this.#forecasts.some(one => one.address === address && one.port === port && one.step === step);
  }

  #opener(transport: 'udp' | 'tcp') {
    const { stun } = this.#context;
    if (transport === 'udp') return (family: 4) => stun.fresh(family);
    return stun.freshTcp === undefined ? null : (family: 4) => stun.freshTcp!(family);
  }

  /** The network is another one, or its server: what was learnt is of another NAT. */
  #forget(): void {
    this.#memories = { udp: NOTHING_KNOWN, tcp: NOTHING_KNOWN };
    this.#forecasts = [];
    this.#wasSilent = false;
  }

  #end(): void {
    this.#ended.abort();
    this.#unsubscribe();
  }
}

/** Aborted with the first of them. AbortSignal.any would stay with the plugin's own signal, one for each measurement. */
function firstOf(signals: readonly AbortSignal[]): {
  readonly either: AbortSignal;
  readonly forget: () => void;
} {
  const ended = new AbortController();
  setMaxListeners(32, ended.signal);
  const abort = (): void => ended.abort();
  for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
  const forget = (): void => {
    for (const signal of signals) signal.removeEventListener('abort', abort);
  };
  return { either: ended.signal, forget };
}
