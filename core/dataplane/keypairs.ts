// The keys of a session and their succession: previous (still opened, for what is late), current (sealed with), next
// (made by answering an initiation; counts once the initiator has used it).
import type { TransportKeys } from '../../protocol/wireguard/handshake.ts';
import type { Aead, AeadKey } from './aead.ts';
import { ReplayWindow } from './replay-window.ts';

export class Keypair {
  readonly send: AeadKey;
  readonly receive: AeadKey;
  readonly replay = new ReplayWindow();
  readonly localIndex: number;
  readonly remoteIndex: number;
  /** The initiator alone renews by age: else both ends would at once. */
  readonly initiator: boolean;
  readonly createdAt: number;
  sendCounter = 0;

  /** Takes the keys over: their bytes are overwritten. */
  constructor(
    aead: Aead,
    keys: TransportKeys,
    facts: { localIndex: number; remoteIndex: number; initiator: boolean; createdAt: number },
  ) {
    this.send = aead.key('chacha20-poly1305', keys.send);
    this.receive = aead.key('chacha20-poly1305', keys.receive);
    keys.send.fill(0);
    keys.receive.fill(0);
    this.localIndex = facts.localIndex;
    this.remoteIndex = facts.remoteIndex;
    this.initiator = facts.initiator;
    this.createdAt = facts.createdAt;
  }

  wipe(): void {
    this.send.wipe();
    this.receive.wipe();
  }
}

export class Keypairs {
  readonly #retired: (keypair: Keypair) => void;
  current: Keypair | null = null;
  #previous: Keypair | null = null;
  #next: Keypair | null = null;

  /** `retired` is told each pair that is no longer of use, once. */
  constructor(retired: (keypair: Keypair) => void) {
    this.#retired = retired;
  }

  /** Our initiation was answered: the other end has these keys already. */
  completed(keypair: Keypair): void {
    const { current } = this;
    this.#retire(this.#previous);
    if (this.#next === null) this.#previous = current;
    else {
      this.#previous = this.#next;
      this.#next = null;
      this.#retire(current);
    }
    this.current = keypair;
  }

  /** We answered an initiation: our answer may still be lost. */
  responded(keypair: Keypair): void {
    this.#retire(this.#next);
    this.#retire(this.#previous);
    this.#previous = null;
    this.#next = keypair;
  }

  /** Data came in these keys. True where that is the first proof that the other end has them. */
  used(keypair: Keypair): boolean {
    if (keypair !== this.#next) return false;
    this.#retire(this.#previous);
    this.#previous = this.current;
    this.current = keypair;
    this.#next = null;
    return true;
  }

  wipe(): void {
    for (const keypair of [this.current, this.#previous, this.#next]) this.#retire(keypair);
    this.current = this.#previous = this.#next = null;
  }

  #retire(keypair: Keypair | null): void {
    if (keypair === null) return;
    keypair.wipe();
    this.#retired(keypair);
  }
}
