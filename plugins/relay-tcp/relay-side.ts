// The relay's side: forwards between other nodes while its owner wants that, and tells the location server what it has to
// give. Its parts: forwarder (each frame), detours (to nodes that hold no connection here), quotas, and who is served.
import type { Timer } from '../../base/clock.ts';
import type { PluginContext, Stream } from '../../core/contract/plugin.ts';
import { Detours } from './detours.ts';
import { Forwarder } from './forwarder.ts';
import { keyOf } from './keys.ts';
import { LoadMeter, type Load, type Machine } from './load.ts';
import { ServedNodes } from './nodes.ts';
import { factsOf, isNotable, type RelayFacts, type Serving } from './offer.ts';
import { Quotas } from './quotas.ts';
import type { RelaySettings } from './settings.ts';
import type { Visits } from './visits.ts';

/** The load is looked at, and told where it changed, so often. */
export const TELL_EVERY_MS = 10_000;
const VISIT_TIMEOUT_MS = 1_500;

type Context = Pick<PluginContext, 'clock' | 'counters' | 'network' | 'streams'>;

export interface RelayFigures {
  readonly nodes: number;
  readonly mostNodes: number;
  readonly bitsPerSecond: number;
  readonly line: Load;
}

export class RelaySide {
  readonly #context: Context;
  readonly #visits: Visits;
  readonly #load: LoadMeter;
  #settings: RelaySettings;
  #work: Work | null = null;
  #lately: Load = { speed: null, lineUse: null, processCpu: null, cpuLoad: null };
  #forwarding = 0;
  #bytesBefore = 0;
  #measuredAt: number;
  #told: RelayFacts | null = null;
  #telling: Timer | null = null;

  constructor(context: Context, settings: RelaySettings, visits: Visits, machine?: Machine) {
    this.#context = context;
    this.#settings = settings;
    this.#visits = visits;
    this.#load = new LoadMeter(context.clock, machine);
    this.#measuredAt = context.clock.monotonicMs();
    this.#bytesBefore = context.counters.counter('forwarded.bytes').value;
  }

  get isServing(): boolean {
    return this.#work !== null;
  }

  get figures(): RelayFigures {
    return {
      nodes: this.#work?.nodes.count ?? 0,
      mostNodes: this.#settings.connections,
      bitsPerSecond: Math.round(this.#forwarding),
      line: this.#lately,
    };
  }

  start(): void {
    if (this.#settings.serve) this.#serve();
    this.#measure();
    this.#tell();
    this.#tellLater();
  }

  set(settings: RelaySettings): void {
    this.#settings = settings;
    if (!settings.serve) this.#unserve();
    else if (this.#work === null) this.#serve();
    else {
      this.#work.quotas.set(limitsOf(settings));
      this.#work.nodes.most = settings.connections;
    }
    this.#tell();
  }

  arrived(stream: Stream): void {
    this.#work?.nodes.arrived(stream);
    this.#work?.forwarder.arrived(stream);
    this.#work?.detours.arrived(stream);
  }

  /** Was anything of others forwarded on it since this was last asked? */
  wasUsed(stream: Stream): boolean {
    return this.#work?.forwarder.wasUsed(stream) ?? false;
  }

  left(stream: Stream): void {
    this.#work?.nodes.left(stream);
    this.#work?.forwarder.left(stream);
  }

  /** Takes back what it told. */
  stop(): void {
    this.#telling?.cancel();
    this.#telling = null;
    this.#unserve();
    this.#context.network.tell({ relay: null, bandwidth: null, cpuLoad: null });
  }

  // ---- forwarding

  #serve(): void {
    const { streams } = this.#context;
    const work = workOf(this.#context, this.#settings, this.#visits);
    for (const stream of streams.all) work.nodes.arrived(stream);
    work.unserve = streams.serve((from, frame) => work.forwarder.take(from, frame));
    this.#work = work;
  }

  #unserve(): void {
    const work = this.#work;
    if (work === null) return;
    this.#work = null;
    work.unserve();
    work.forwarder.stop();
    work.detours.stop();
    work.quotas.stop();
    work.nodes.stop();
  }

  // ---- telling

  #tellLater(): void {
    this.#telling = this.#context.clock.after(TELL_EVERY_MS, () => {
      this.#measure();
      const facts = this.#facts();
      if (isNotable(this.#told, facts)) this.#tell();
      this.#tellLater();
    });
  }

  #measure(): void {
    const now = this.#context.clock.monotonicMs();
    const bytes = this.#context.counters.counter('forwarded.bytes').value;
    const spanMs = now - this.#measuredAt;
    if (spanMs > 0) this.#forwarding = ((bytes - this.#bytesBefore) * 8 * 1000) / spanMs;
    this.#bytesBefore = bytes;
    this.#measuredAt = now;
    this.#lately = this.#load.read();
  }

  #tell(): void {
    this.#told = this.#facts();
    this.#context.network.tell(this.#told);
  }

  #facts(): RelayFacts {
    const serving: Serving | null =
      this.#work === null ? null : { nodes: this.#work.nodes.count, forwarding: this.#forwarding };
    return factsOf(this.#settings, this.#lately, serving);
  }
}

interface Work {
  readonly forwarder: Forwarder;
  readonly detours: Detours;
  readonly quotas: Quotas;
  readonly nodes: ServedNodes;
  unserve: () => void;
}

const limitsOf = ({ bytesPerSecond, nodeBytesPerSecond }: RelaySettings) => ({
  bytesPerSecond,
  nodeBytesPerSecond,
});

function workOf(context: Context, settings: RelaySettings, visits: Visits): Work {
  const { clock, counters, network, streams } = context;
  const quotas = new Quotas(clock, counters, limitsOf(settings));
  const hasRelayed = (stream: Stream): boolean => forwarder.hasRelayed(stream);
  const nodes = new ServedNodes(clock, counters, settings.connections, hasRelayed);
  const detours = new Detours({
    clock,
    counters,
    network,
    self: streams.node,
    visit: place => visits.open(place, VISIT_TIMEOUT_MS).catch(() => null),
    isConnected: place => streams.find(keyOf(place)) !== null,
    pass: (from, frame, next) => forwarder.pass(from, frame, next),
  });
  const forwarder: Forwarder = new Forwarder({ clock, streams, quotas, nodes, detours, counters });
  return { forwarder, detours, quotas, nodes, unserve: () => undefined };
}
