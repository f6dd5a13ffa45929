// The path of a stock WireGuard peer: it answers no probes, so its endpoint is the configured one until an
// authenticated packet comes from elsewhere (WireGuard's roaming).
import type { Said } from '../../base/said.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { Diary } from './diary.ts';
import type { Machine, MachineOutput, PeerState, SelfView } from './machine.ts';
import { Path, type Way } from './path.ts';
import { nameSaid } from './choice.ts';
import { says } from './sayings.ts';

export class StockMachine implements Machine {
  readonly diary = new Diary();
  readonly verdict = null;
  readonly #self: Pick<SelfView, 'wayTo'>;
  readonly #fixed: Endpoint | null;
  #outputs: MachineOutput[] = [];
  #active: Path | null = null;
  #reason: Said = says('reason.stock-waits');

  constructor(self: Pick<SelfView, 'wayTo'>, fixed: Endpoint | null) {
    this.#self = self;
    this.#fixed = fixed;
  }

  get active(): Path | null {
    return this.#active;
  }

  get paths(): Iterable<Path> {
    return this.#active === null ? [] : [this.#active];
  }

  get state(): PeerState {
    return this.#active === null ? 'idle' : 'direct';
  }

  get reason(): Said {
    return this.#reason;
  }

  take(): MachineOutput[] {
    const taken = this.#outputs;
    this.#outputs = [];
    return taken;
  }

  wanted(now: number): void {
    const way = this.#fixed === null || this.#active !== null ? null : this.#self.wayTo(this.#fixed);
    if (way !== null) this.#use(new Path(way, 'configured'), now, says('reason.stock-fixed'));
  }

  heard(way: Way, now: number): void {
    if (this.#active?.way.key !== way.key)
      this.#use(new Path(way, 'roaming'), now, says('reason.stock-roams'));
    this.#active?.heard(now);
  }

  readonly others = [];
  readonly remote = null;

  knows(way: string): boolean {
    return this.#active?.way.key === way;
  }

  readonly isUdpBlocked = false;

  closed(way: Way): void {
    if (this.#active?.way.key === way.key) this.#active = null;
  }

  #use(path: Path, now: number, reason: Said): void {
    this.#active = path;
    this.#reason = reason;
    this.#outputs.push({ type: 'use', way: path.way, reason: reason.words });
    this.diary.note(now, says('try.stock', { path: nameSaid(path), reason }));
  }

  // A stock peer knows nothing of probes and signals.
  wakeAt(): number | null {
    return null;
  }
  answered(): boolean {
    return false;
  }
  knowsSocket(): boolean {
    return false;
  }

  usesSocket(): boolean {
    return false;
  }
  tick(): void {}
  measured(): void {}
  volleyEnded(): void {}
  hit(): void {}
  linked(): void {}
  routed(): void {}
  echoed(): void {}
  upgradesChanged(): void {}
  unsaid(): void {}
  signalled(): void {}
  requested(): void {}
  sent(): void {}
  candidatesChanged(): void {}
  networkChanged(): void {}
  refreshed(): void {}
  serverChanged(): void {}
  onlineChanged(): void {}
  signalFailed(): void {}
  restored(): void {}
}
