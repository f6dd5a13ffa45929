// The keys of a session and their succession: previous (still opened, for what is late), current (sealed with), next
// (made by answering an initiation; counts once the initiator has used it).
import type { Aead, AeadKey, AeadName } from './aead.ts';
import type { Profile } from './fast-profile.ts';
import { ReplayWindow } from './replay-window.ts';

/** Of a pair: 32 bytes each. Their bytes are overwritten. */
export interface PairKeys {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}

export interface PairFacts {
  readonly localIndex: number;
  readonly remoteIndex: number;
  /** The initiator alone renews by age: else both ends would at once. */
  readonly initiator: boolean;
  readonly createdAt: number;
}

export class Keypair {
  readonly send: AeadKey;
  readonly receive: AeadKey;
  readonly replay = new ReplayWindow();
  readonly cipher: AeadName;
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly initiator: boolean;
  readonly createdAt: number;
  /** The pair that the handshake made; itself, unless this is the pair of its fast profile. */
  readonly session: Keypair;
  readonly isFast: boolean;
  sendCounter = 0;
  /** What two Ginnel nodes agree on inside this session; null: nothing (yet). */
  profile: Profile | null = null;

  constructor(aead: Aead, cipher: AeadName, keys: PairKeys, facts: PairFacts, session?: Keypair) {
    this.cipher = cipher;
    this.send = aead.key(cipher, keys.send);
    this.receive = aead.key(cipher, keys.receive);
    keys.send.fill(0);
    keys.receive.fill(0);
    this.localIndex = facts.localIndex;
    this.remoteIndex = facts.remoteIndex;
    this.initiator = facts.initiator;
    this.createdAt = facts.createdAt;
    this.session = session ?? this;
    this.isFast = session !== undefined;
  }

  /** The pair to seal with: the fast profile's, once both ends have it. */
  get sealing(): Keypair {
    return this.profile?.sealing ?? this;
  }

  wipe(): void {
    this.send.wipe();
    this.receive.wipe();
    this.profile?.wipe();
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
    this.#retired(keypair);
    keypair.wipe();
  }
}
