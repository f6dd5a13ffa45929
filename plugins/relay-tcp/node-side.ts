// The node's side (V9): keeps the relays that the location server names, measures others, and says what it found.
import type { Timer } from '../../base/clock.ts';
import type { PluginContext, Stream } from '../../core/contract/plugin.ts';
import type { RelayInUse } from '../../protocol/location/messages.ts';
import { Keeper } from './keeper.ts';
import type { KeptRelay } from './kept-relay.ts';
import { keyOf } from './keys.ts';
import { Surveyor } from './surveyor.ts';
import type { Visits } from './visits.ts';

type Context = Pick<PluginContext, 'clock' | 'random' | 'log' | 'counters' | 'network' | 'streams'>;

/** Round trips that changed are told so often at most; */
export const TELL_EVERY_MS = 30_000;
/** one that is not known yet is looked for so often. */
const LOOK_EVERY_MS = 1_000;
const OPEN_TIMEOUT_MS = 10_000;
const NOTABLE = 0.1;
/** Smaller changes are none. */
const NOTABLE_MS = 1;
/** As many as a registration takes. */
const MOST_TOLD = 16;

export class NodeSide {
  readonly keeper: Keeper;
  readonly #context: Context;
  readonly #surveyor: Surveyor;
  readonly #changed: () => void;
  #told: readonly RelayInUse[] = [];
  #looking: Timer | null = null;
  #unsubscribe = (): void => undefined;
  #isOver = false;

  constructor(context: Context, visits: Visits, signal: AbortSignal, changed: () => void) {
    const { clock, streams } = context;
    this.#context = context;
    this.#changed = changed;
    this.keeper = new Keeper({ ...context, visits, signal }, () => this.#review());
    this.#surveyor = new Surveyor({
      clock,
      signal,
      isKept: node => node === streams.node || this.keeper.isKept(node),
      find: place => streams.find(keyOf(place)),
      open: place => visits.open(place, OPEN_TIMEOUT_MS),
      changed: () => this.#review(),
    });
  }

  start(): void {
    this.#unsubscribe = this.#context.network.onRelays(told => {
      this.keeper.told(told);
      this.#surveyor.told(told.measure);
    });
  }

  arrived(stream: Stream): void {
    this.keeper.arrived(stream);
  }

  left(stream: Stream): void {
    this.keeper.left(stream);
  }

  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unsubscribe();
    this.#looking?.cancel();
    this.#looking = null;
    this.#surveyor.stop();
    this.keeper.stop();
    if (this.#told.length > 0) this.#context.network.tell({ relays: [] });
  }

  /** As it goes into the registration. */
  get inUse(): readonly RelayInUse[] {
    const kept = this.keeper.relays.flatMap(relay => wordsOf(relay));
    return [...kept, ...this.#surveyor.findings].slice(0, MOST_TOLD);
  }

  /** A relay came, went, failed or was measured. */
  #review(): void {
    if (this.#isOver) return;
    if (haveOtherStates(this.#told, this.inUse)) this.#tell();
    this.#lookLater();
    this.#changed();
  }

  #tell(): void {
    this.#told = this.inUse;
    this.#context.network.tell({ relays: this.#told });
  }

  #lookLater(): void {
    this.#looking?.cancel();
    this.#looking = null;
    const standing = this.keeper.standing;
    if (standing.length === 0) return;
    const isMissing = standing.some(({ stream }) => stream?.rttMs === null);
    this.#looking = this.#context.clock.after(isMissing ? LOOK_EVERY_MS : TELL_EVERY_MS, () => {
      const now = this.inUse;
      if (haveOtherStates(this.#told, now) || haveOtherTimes(this.#told, now)) this.#tell();
      this.#lookLater();
    });
  }
}

function wordsOf(relay: KeptRelay): RelayInUse[] {
  const { state, node, stream } = relay;
  if (state === 'opening' || relay.isLeaving) return [];
  return [{ node, state, rttMs: stream?.rttMs ?? null }];
}

/** Others, in other states, or with a round trip where there was none. */
const haveOtherStates = (before: readonly RelayInUse[], now: readonly RelayInUse[]): boolean =>
  statesOf(before) !== statesOf(now);

const statesOf = (relays: readonly RelayInUse[]): string =>
  relays.map(({ node, state, rttMs }) => `${node} ${state} ${rttMs === null}`).join();

const haveOtherTimes = (before: readonly RelayInUse[], now: readonly RelayInUse[]): boolean =>
  now.some(({ rttMs }, at) => {
    const [a, b] = [before[at]?.rttMs ?? 0, rttMs ?? 0];
    return Math.abs(a - b) > Math.max(NOTABLE_MS, NOTABLE * Math.max(a, b));
  });
