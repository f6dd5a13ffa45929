// Noise (revision 34) section 5.3: the handshake state, driven by the patterns as data. A message that is refused
// leaves the state as it was, so that a forged answer cannot end a handshake that the true one would finish.
import type { DhKeyPair, Primitives } from '../primitives.ts';
import { accepted, refused, type Result } from '../result.ts';
import type { NoiseCipher, NoiseHandshake, NoiseOptions, NoiseRefusal, StartNoise } from './handshake.ts';
import { PATTERNS, type NoiseToken, type PatternShape } from './patterns.ts';
import { CipherState, SymmetricState, TAG_BYTES } from './symmetric-state.ts';

const KEY_BYTES = 32;
const MAX_MESSAGE_BYTES = 65_535;
const NOTHING = new Uint8Array(0);

/**
 * Begins a handshake. Keys of a wrong length, and a known remote key of low order, are misuse: TypeError, here or at
 * the first `write`. Check keys where they come in.
 */
export const startNoise: StartNoise = options => new HandshakeState(options);

/** What a read has learnt so far; kept only if the whole message holds. */
interface Learnt {
  symmetric: SymmetricState;
  remoteStatic: Uint8Array | null;
  remoteEphemeral: Uint8Array | null;
}

/** `NoiseHandshake`, and what WireGuard needs beside it: the late pre-shared key and the bare transport keys. */
export class HandshakeState implements NoiseHandshake {
  readonly #primitives: Primitives;
  readonly #shape: PatternShape;
  readonly #mixesEphemerals: boolean;
  readonly #initiator: boolean;
  readonly #localStatic: DhKeyPair;
  #localEphemeral: DhKeyPair | null;
  #presharedKey: Uint8Array | null;
  #learnt: Learnt;
  #turn = 0;

  constructor(options: NoiseOptions) {
    this.#primitives = options.primitives;
    this.#shape = PATTERNS[options.pattern];
    this.#mixesEphemerals = options.pattern === 'IKpsk2';
    this.#initiator = options.initiator;
    this.#localStatic = options.localStatic;
    this.#localEphemeral = options.localEphemeral ?? null;
    this.#presharedKey = options.presharedKey ?? null;
    const symmetric = new SymmetricState(
      options.primitives,
      `Noise_${options.pattern}_25519_ChaChaPoly_BLAKE2s`,
    );
    symmetric.mixHash(options.prologue);
    const remoteStatic = options.remoteStatic?.slice() ?? null;
    this.#learnt = { symmetric, remoteStatic, remoteEphemeral: null };
    this.#mixKnownKeys(symmetric, remoteStatic);
  }

  get remoteStatic(): Uint8Array | null {
    return this.#learnt.remoteStatic;
  }

  get finished(): boolean {
    return this.#turn === this.#shape.messages.length;
  }

  /** The responder of IKpsk2 knows which key to use only after the first message. */
  setPresharedKey(key: Uint8Array): void {
    this.#presharedKey = key;
  }

  write(payload: Uint8Array): Uint8Array {
    if (!this.#myTurn) throw new TypeError('Noise: it is the other end that writes now');
    const { symmetric } = this.#learnt;
    const parts: Uint8Array[] = [];
    for (const token of this.#shape.messages[this.#turn]!) {
      if (token === 'e') {
        this.#localEphemeral ??= this.#primitives.dhKeyPair();
        parts.push(this.#localEphemeral.publicKey);
        this.#mixEphemeral(symmetric, this.#localEphemeral.publicKey);
      } else if (token === 's') {
        parts.push(symmetric.encryptAndHash(this.#localStatic.publicKey));
      } else if (!this.#mixToken(token, this.#learnt)) {
        throw new TypeError('Noise: the remote key is of low order');
      }
    }
    parts.push(symmetric.encryptAndHash(payload));
    this.#turn++;
    return joined(parts);
  }

  read(message: Uint8Array): Result<Uint8Array, NoiseRefusal> {
    if (this.finished || this.#myTurn) return refused('noise.order');
    if (message.length > MAX_MESSAGE_BYTES) return refused('noise.truncated');
    const learnt: Learnt = { ...this.#learnt, symmetric: this.#learnt.symmetric.copy() };
    let at = 0;
    for (const token of this.#shape.messages[this.#turn]!) {
      if (token === 'e') {
        if (message.length < at + KEY_BYTES) return refused('noise.truncated');
        learnt.remoteEphemeral = message.slice(at, (at += KEY_BYTES));
        this.#mixEphemeral(learnt.symmetric, learnt.remoteEphemeral);
      } else if (token === 's') {
        const length = KEY_BYTES + (learnt.symmetric.keyed ? TAG_BYTES : 0);
        if (message.length < at + length) return refused('noise.truncated');
        learnt.remoteStatic = learnt.symmetric.decryptAndHash(message.subarray(at, (at += length)));
        if (learnt.remoteStatic === null) return refused('noise.tag');
      } else if (!this.#mixToken(token, learnt)) {
        return refused('noise.low-order');
      }
    }
    if (message.length < at + TAG_BYTES) return refused('noise.truncated');
    const payload = learnt.symmetric.decryptAndHash(message.subarray(at));
    if (payload === null) return refused('noise.tag');
    this.#learnt = learnt;
    this.#turn++;
    return accepted(payload);
  }

  hash(): Uint8Array {
    return this.#learnt.symmetric.hash.slice();
  }

  split(): { readonly send: NoiseCipher; readonly receive: NoiseCipher } {
    const keys = this.transportKeys();
    return {
      send: new TransportCipher(this.#primitives, keys.send),
      receive: new TransportCipher(this.#primitives, keys.receive),
    };
  }

  /** For those who count by themselves: 32 bytes each. */
  transportKeys(): { readonly send: Uint8Array; readonly receive: Uint8Array } {
    if (!this.finished) throw new TypeError('Noise: the handshake is not finished');
    const [first, second] = this.#learnt.symmetric.split();
    return this.#initiator ? { send: first, receive: second } : { send: second, receive: first };
  }

  /** 32 bytes that both ends and nobody else can know, for what goes beyond Noise itself. `label` is not empty. */
  secretFor(label: string): Uint8Array {
    if (!this.finished) throw new TypeError('Noise: the handshake is not finished');
    return this.#learnt.symmetric.secretFor(label);
  }

  get #myTurn(): boolean {
    return !this.finished && (this.#turn % 2 === 0) === this.#initiator;
  }

  #mixKnownKeys(symmetric: SymmetricState, remoteStatic: Uint8Array | null): void {
    const local = this.#localStatic.publicKey;
    const initiatorStatic = this.#initiator ? local : remoteStatic;
    const responderStatic = this.#initiator ? remoteStatic : local;
    if (this.#shape.initiatorStaticKnown) symmetric.mixHash(key(initiatorStatic));
    symmetric.mixHash(key(responderStatic));
  }

  /** Section 9.2: with a pre-shared key the ephemerals are mixed into the key too. */
  #mixEphemeral(symmetric: SymmetricState, publicKey: Uint8Array): void {
    symmetric.mixHash(publicKey);
    if (this.#mixesEphemerals) symmetric.mixKey(publicKey);
  }

  /** False where a public key is of low order. */
  #mixToken(token: Exclude<NoiseToken, 'e' | 's'>, learnt: Learnt): boolean {
    if (token === 'psk') {
      learnt.symmetric.mixKeyAndHash(key(this.#presharedKey));
      return true;
    }
    const secret = this.#exchange(token, learnt);
    if (secret === null) return false;
    learnt.symmetric.mixKey(secret);
    return true;
  }

  /** The token's first letter is the initiator's key, the second the responder's. */
  #exchange(token: 'ee' | 'es' | 'se' | 'ss', learnt: Learnt): Uint8Array | null {
    const mine = this.#initiator ? token[0] : token[1];
    const theirs = this.#initiator ? token[1] : token[0];
    const local = mine === 'e' ? this.#localEphemeral : this.#localStatic;
    const remote = theirs === 'e' ? learnt.remoteEphemeral : learnt.remoteStatic;
    if (local === null) throw new TypeError('Noise: no ephemeral key yet');
    return local.diffieHellman(key(remote));
  }
}

class TransportCipher implements NoiseCipher {
  readonly #state: CipherState;

  constructor(primitives: Primitives, secret: Uint8Array) {
    this.#state = new CipherState(primitives, secret);
  }

  seal(plaintext: Uint8Array, ad = NOTHING): Uint8Array {
    if (this.#state.exhausted) throw new TypeError('Noise: 2^64 messages under one key');
    return this.#state.seal(ad, plaintext);
  }

  open(sealed: Uint8Array, ad = NOTHING): Result<Uint8Array, NoiseRefusal> {
    if (this.#state.exhausted) return refused('noise.exhausted');
    if (sealed.length < TAG_BYTES || sealed.length > MAX_MESSAGE_BYTES) return refused('noise.truncated');
    const plaintext = this.#state.open(ad, sealed);
    return plaintext === null ? refused('noise.tag') : accepted(plaintext);
  }
}

function key(bytes: Uint8Array | null): Uint8Array {
  if (bytes?.length !== KEY_BYTES) throw new TypeError('Noise: a key of 32 bytes is missing');
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const message = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  return message;
}
