// The path of a stock WireGuard peer: it answers no probes, so its endpoint is the configured one until an
// authenticated packet comes from elsewhere (WireGuard's roaming).
import type { Endpoint } from '../../protocol/address.ts';
import { Diary } from './diary.ts';
import type { Machine, MachineOutput, PeerState, SelfView } from './machine.ts';
import { Path, type Way } from './path.ts';
import { nameOf } from './choice.ts';

export class StockMachine implements Machine {
  readonly diary = new Diary();
  readonly verdict = null;
  readonly #self: Pick<SelfView, 'wayTo'>;
  readonly #fixed: Endpoint | null;
  #outputs: MachineOutput[] = [];
  #active: Path | null = null;
  #reason = 'a stock WireGuard peer without an endpoint: it has to speak first';

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

  get reason(): string {
    return this.#reason;
  }

  take(): MachineOutput[] {
    const taken = this.#outputs;
    this.#outputs = [];
    return taken;
  }

  wanted(now: number): void {
    const way = this.#fixed === null || this.#active !== null ? null : this.#self.wayTo(this.#fixed);
    if (way !== null)
      this.#use(new Path(way, 'configured'), now, 'the configured endpoint of a stock WireGuard peer');
  }

  heard(way: Way, now: number): void {
    if (this.#active?.way.key !== way.key)
      this.#use(new Path(way, 'roaming'), now, 'a stock WireGuard peer: its packets come from here');
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

  #use(path: Path, now: number, reason: string): void {
    this.#active = path;
    this.#reason = reason;
    this.#outputs.push({ type: 'use', way: path.way, reason });
    this.diary.note(now, `${nameOf(path)}: ${reason}`);
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
