// What the path in use carries: asks for sizes as its PathMtu wants them, and tells what was found.
import type { Random } from '../../base/random.ts';
import type { Budget } from './budget.ts';
import type { Diary } from './diary.ts';
import type { MachineOutput } from './machine.ts';
import type { Path } from './path.ts';
import { PathMtu, SMALL } from './path-mtu.ts';
import { says } from './sayings.ts';
import { UDP_MTU } from './udp-transport.ts';

/** The virtual card, and what a datagram adds to its packets, in bytes. */
export interface CardSizes {
  readonly mtu: number;
  readonly added: number;
}

/** The largest packet of the card that goes in one piece, where datagrams of so many bytes do. */
export const innerMtu = (datagram: number, card: CardSizes): number =>
  Math.min(card.mtu, datagram - card.added);

export interface SizingOptions {
  readonly card: CardSizes;
  readonly budget: Budget;
  readonly random: Random;
  readonly diary: Diary;
  readonly emit: (output: MachineOutput) => void;
  /** An ordinary probe. */
  readonly probe: (path: Path, now: number) => void;
}

export class Sizing {
  readonly #options: SizingOptions;
  #toldOf: Path | null = null;
  #told = 0;

  constructor(options: SizingOptions) {
    this.#options = options;
  }

  /** This path is in use from now on, or the networks beneath it changed. */
  begin(path: Path, now: number): void {
    if (path.way.endpoint === null) return;
    const { card } = this.#options;
    path.mtu ??= new PathMtu(path.way.endpoint.family, card.mtu + card.added, UDP_MTU);
    path.mtu.begin(now);
    this.#tell(path, path.mtu, now);
  }

  tick(path: Path, now: number): void {
    const { mtu } = path;
    if (mtu === null) return;
    for (const size of mtu.tick(now, path))
      if (size === SMALL) this.#options.probe(path, now);
      else this.#ask(path, mtu, size, now);
    this.#tell(path, mtu, now);
  }

  /** False: it was no question of ours. */
  answered(path: Path, transaction: string, now: number): boolean {
    const { mtu } = path;
    if (mtu?.answered(transaction, now) !== true) return false;
    if (path === this.#toldOf) this.#tell(path, mtu, now);
    return true;
  }

  #ask({ way }: Path, mtu: PathMtu, size: number, now: number): void {
    const { budget, random, emit } = this.#options;
    if (way.endpoint === null || !budget.take(way.endpoint, now)) return;
    const transaction = Buffer.from(random.bytes(12)).toString('hex');
    mtu.asked(transaction, size);
    emit({ type: 'probe', way, transaction, ttl: null, inUse: true, size });
  }

  #tell(path: Path, mtu: PathMtu, now: number): void {
    const { card, diary, emit } = this.#options;
    const isSame = path === this.#toldOf;
    if (isSame && mtu.size === this.#told) return;
    const inner = innerMtu(mtu.size, card);
    if (isSame && inner !== innerMtu(this.#told, card))
      diary.note(now, says('try.mtu', { way: path.way.key, bytes: inner }));
    this.#toldOf = path;
    this.#told = mtu.size;
    emit({ type: 'carries', way: path.way, bytes: mtu.size });
  }
}
