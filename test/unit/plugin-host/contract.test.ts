// The contract suite, over a well-behaved made-up plugin: it must pass here before it judges others.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { seededRandom } from '../../../base/random.ts';
import type { Plugin, PluginContext } from '../../../core/contract/plugin.ts';
import type { Primitives } from '../../../protocol/primitives.ts';
import { pluginContract } from '../../contract/plugin.ts';
import { memoryStore } from './made-up.ts';
import { noHome, noLinks, noSignals, noNetwork, noStreams } from '../../support/no-streams.ts';

let open = 0;

class Sample implements Plugin {
  readonly #context: PluginContext;
  #isOpen = false;

  constructor(context: PluginContext) {
    this.#context = context;
  }

  async start(signal: AbortSignal): Promise<void> {
    if ((await this.#context.store.get('broken')) === true) throw new Error('broken');
    if (signal.aborted) throw new Error('aborted');
    this.#isOpen = true;
    open++;
    signal.addEventListener('abort', () => this.#end());
  }

  async stop(): Promise<void> {
    await Promise.resolve();
    this.#end();
  }

  report(): ReturnType<Plugin['report']> {
    return this.#isOpen
      ? { state: 'ready', code: '', facts: { open } }
      : { state: 'unavailable', code: 'SAMPLE_OFF', facts: {} };
  }

  #end(): void {
    if (this.#isOpen) open--;
    this.#isOpen = false;
  }
}

const context = async (signal: AbortSignal, broken = false): Promise<PluginContext> => {
  const store = memoryStore();
  await store.put('broken', broken);
  return {
    settings: {},
    log: silentLog,
    clock: new ManualClock(),
    random: seededRandom(1),
    primitives: {} as Primitives,
    counters: new Counters(),
    store,
    signal,
    streams: noStreams,
    network: noNetwork,
    home: noHome,
    signals: noSignals,
    links: noLinks,
    stun: {
      main: () => null,
      fresh: () => Promise.reject(new Error('none')),
      servers: () => [],
      localAddresses: () => [],
      onChange: () => () => undefined,
    },
  };
};

pluginContract(t, {
  name: 'sample',
  contract: 1,
  context,
  create: given => new Sample(given),
  brokenContext: signal => context(signal, true),
  holds: () => open,
});
