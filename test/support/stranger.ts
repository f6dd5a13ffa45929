// A far end of a channel that is not ours: it is told what the plugin says, and says what the plugin would.
import type { StreamPeer } from '../../core/contract/plugin.ts';
import { decodeSaying, encodeSaying } from '../../plugins/webrtc/words.ts';
import type { WebrtcEnd } from './webrtc-ends.ts';

export interface Told {
  readonly sdp: string;
  readonly candidates: readonly string[];
}

export interface Stranger {
  offer(): Promise<Told>;
  answer(sdp: string): Promise<Told>;
  answered(sdp: string): Promise<void>;
  add(candidate: string): Promise<void>;
  send(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface StrangerEvents {
  received(bytes: Uint8Array): void;
  opened(): void;
  /** One that it learnt after it described itself. */
  gathered(candidate: string): void;
}

export type StrangerFactory = (events: StrangerEvents) => Promise<Stranger>;

/** Hands on what our end says to it, and what it says to our end. */
export class Interpreter {
  readonly #stranger: Stranger;
  readonly #end: () => WebrtcEnd;
  readonly #peer: StreamPeer;
  /** One word after the other, as by the location server. */
  #turns: Promise<void> = Promise.resolve();
  #id = '';
  #isDescribed = false;
  #early: string[] = [];

  constructor(stranger: Stranger, peer: StreamPeer, end: () => WebrtcEnd) {
    this.#stranger = stranger;
    this.#peer = peer;
    this.#end = end;
  }

  /** Our end says that. */
  hear(words: string): void {
    this.#turns = this.#turns.then(() => this.#heard(words));
  }

  /** It begins. */
  async offer(): Promise<void> {
    this.#id = 'stranger-1';
    const told = await this.#stranger.offer();
    this.#say({ type: 'offer', id: this.#id, ...told });
  }

  gathered(candidate: string): void {
    if (this.#id !== '') this.#say({ type: 'candidates', id: this.#id, candidates: [candidate] });
    else this.#early.push(candidate);
  }

  async #heard(words: string): Promise<void> {
    const saying = decodeSaying(words);
    if (saying === null || saying === 'version') throw new Error(words);
    if (saying.type === 'want') return this.offer();
    this.#id = saying.id;
    if (saying.type === 'offer') {
      const told = await this.#stranger.answer(saying.sdp);
      const candidates = [...told.candidates, ...this.#early.splice(0)];
      this.#say({ type: 'answer', id: this.#id, sdp: told.sdp, candidates });
    } else if (saying.type === 'answer' && !this.#isDescribed) {
      this.#isDescribed = true;
      await this.#stranger.answered(saying.sdp);
    }
    for (const candidate of saying.candidates) await this.#stranger.add(candidate);
  }

  #say(saying: Parameters<typeof encodeSaying>[0]): void {
    this.#end().hear(this.#peer, encodeSaying(saying));
  }
}
