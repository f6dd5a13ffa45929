// Made-up plugins in a temporary folder, and a host over them with a clock moved by hand.
import type { Test } from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { seededRandom } from '../../../base/random.ts';
import type { PluginStore, StunDoor, StunOutcome } from '../../../core/contract/plugin.ts';
import { createPluginHost, type PluginHost } from '../../../core/plugin-host/host.ts';
import type { PluginDirectory } from '../../../core/plugin-host/manifest.ts';
import type { PluginChoice, PluginChoiceStore } from '../../../core/plugin-host/settings.ts';
import type { Primitives } from '../../../protocol/primitives.ts';
import { noHome, noLinks, noSignals, noNetwork, noStreams } from '../../support/no-streams.ts';

export const manifest = (name: string, changes: Record<string, unknown> = {}): string =>
  JSON.stringify({
    name,
    version: '1.0.0',
    kind: 'traversal',
    contract: 1,
    entry: 'index.js',
    purpose: 'Stands in a test.',
    enabled: true,
    settings: { type: 'object', properties: {}, additionalProperties: false },
    nativePackages: [],
    ...changes,
  });

/** A traversal plugin's code; `parts` replaces methods. What happens to it is written to `globalThis[name]`, a list. */
export const code = (name: string, parts: Record<string, string> = {}): string => {
  const methods = {
    start: `async start() { say('start') }`,
    stop: `async stop() { say('stop') }`,
    report: `report() { return { state: 'ready', code: '', facts: {} } }`,
    rest: `candidates() { return [] }, natReport() { return {} }, async refresh() {}, onChange() { return () => {} }`,
    ...parts,
  };
  return `
    const heard = (globalThis[${JSON.stringify(name)}] ??= []);
    const say = what => heard.push(what);
    say('loaded');
    export function createPlugin(context) {
      context.signal.addEventListener('abort', () => say('abort'));
      say('created ' + JSON.stringify(context.settings));
      return { ${Object.values(methods).join(',\n')} };
    }`;
};

/** What the plugin of that name said so far. */
export const heardFrom = (name: string): readonly string[] => {
  const heard: unknown = Reflect.get(globalThis, name);
  return Array.isArray(heard) ? heard.map(String) : [];
};

/** A network that knows what plugins hold of it. */
export class Outside implements StunDoor {
  readonly listeners = new Set<() => void>();
  open = 0;

  main(): null {
    return null;
  }

  fresh(family: 4 | 6): ReturnType<StunDoor['fresh']> {
    this.open++;
    const transact = (): Promise<StunOutcome> => Promise.resolve({ ok: false, code: 'timeout' });
    return Promise.resolve({
      family,
      localPort: 1,
      transact,
      close: () => {
        this.open--;
      },
    });
  }

  servers(): [] {
    return [];
  }

  localAddresses(): [] {
    return [];
  }

  onChange(changed: () => void): () => void {
    this.listeners.add(changed);
    return () => void this.listeners.delete(changed);
  }
}

export function memoryStore(): PluginStore {
  const kept = new Map<string, unknown>();
  return {
    get: async key => Promise.resolve(kept.get(key)),
    put: async (key, value) => {
      await Promise.resolve(kept.set(key, value));
    },
    delete: async key => {
      await Promise.resolve(kept.delete(key));
    },
  };
}

export function keptChoices(): PluginChoiceStore & { readonly kept: Map<string, PluginChoice> } {
  const kept = new Map<string, PluginChoice>();
  return {
    kept,
    load: async plugin => Promise.resolve(kept.get(plugin) ?? null),
    save: async (plugin, choice) => {
      await Promise.resolve(kept.set(plugin, choice));
    },
  };
}

export interface Bench {
  readonly host: PluginHost;
  readonly outside: Outside;
  /** The node comes up. */
  start(): Promise<void>;
  readonly clock: ManualClock;
  readonly counters: Counters;
  readonly choices: ReturnType<typeof keptChoices>;
}

export function bench(
  t: Test,
  folders: Record<string, Record<string, string>>,
  choices = keptChoices(),
  directories: readonly PluginDirectory[] = [{ path: t.testdir(folders), isThirdParty: false }],
): Bench {
  const clock = new ManualClock();
  const counters = new Counters();
  const outside = new Outside();
  const host = createPluginHost({
    directories,
    choices,
    clock,
    random: seededRandom(1),
    log: silentLog,
    counters,
  });
  t.teardown(() => host.rest());
  const start = (): Promise<void> =>
    host.start(() => ({
      primitives: {} as Primitives,
      store: memoryStore(),
      stun: outside,
      streams: noStreams,
      network: noNetwork,
      home: noHome,
      signals: noSignals,
      links: noLinks,
    }));
  return { host, start, outside, clock, counters, choices };
}

/** Turns of the event loop until the condition holds; a bound, not a sleep. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    if (condition()) return;
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  throw new Error('it did not come about');
}
