// News of the network from node to node, with the location server away: when a session comes up, and when something is new
// here, each end says what it has, and tells the other what that one lacks. Words may be lost, so they are said again.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import { TokenBucket } from '../../base/token-bucket.ts';
import { decodeWord, encodeWord } from '../../protocol/peer/words.ts';
import type { EchoWord, HaveWord, PeerWord } from '../../protocol/peer/words.ts';
import type { Engine, PeerId } from '../dataplane/engine.ts';

/** One kind of news. What it is told is hostile until it verified the signature. */
export interface Topic {
  /** `[a-z-]`, as it stands in words. */
  readonly name: string;
  /** What this node has, in at most 64 characters that say to this topic's other end what it lacks. */
  digest(): string;
  /** The news that somebody with that digest lacks, the most important first; empty: none, or not to be understood. */
  lacking(digest: string): readonly object[];
  /** Verifies and keeps it. True: it was new. */
  learn(item: Readonly<Record<string, unknown>>, from: PeerId): boolean;
}

export interface HearsayOptions {
  readonly engine: Pick<Engine, 'tell'>;
  readonly topics: readonly Topic[];
  /** A word of another sort, by which a path is tried. */
  readonly echoHeard: (peer: PeerId, word: EchoWord) => void;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** Said at once, and again after these, because nothing tells that a word was lost. */
const AGAIN_MS = [2_000, 15_000];
/** News to one peer in answer to one of its words. */
const MOST_AT_ONCE = 32;
/** Words of one peer that are read. */
const READ = { perSecond: 20, burst: 100 };

interface Listener {
  readonly bucket: TokenBucket;
  readonly timers: Set<Timer>;
}

export class Hearsay {
  readonly #options: HearsayOptions;
  readonly #counters: Counters;
  /** Peers with a session. */
  readonly #listeners = new Map<PeerId, Listener>();

  constructor(options: HearsayOptions) {
    this.#options = options;
    this.#counters = options.counters.scope('hearsay');
  }

  sessionChanged(peer: PeerId, established: boolean): void {
    this.#forget(peer);
    if (!established) return;
    const bucket = new TokenBucket(READ.perSecond, READ.burst, this.#options.clock.monotonicMs());
    this.#listeners.set(peer, { bucket, timers: new Set() });
    this.#sayHave(peer);
  }

  /** Something is new here that did not come by a word: everyone with a session hears of it. */
  changed(): void {
    for (const peer of this.#listeners.keys()) this.#sayHave(peer);
  }

  heard(peer: PeerId, body: Uint8Array): void {
    const listener = this.#listeners.get(peer);
    if (listener?.bucket.take(this.#options.clock.monotonicMs()) !== true) {
      this.#count('too-many');
      return;
    }
    const word = decodeWord(body);
    if (!word.ok) this.#count(word.code);
    else if (word.value.type === 'echo') this.#options.echoHeard(peer, word.value);
    else if (word.value.type === 'have') this.#answer(peer, word.value);
    else this.#learn(peer, word.value.topic, word.value.item);
  }

  close(): void {
    for (const peer of [...this.#listeners.keys()]) this.#forget(peer);
  }

  #answer(peer: PeerId, { topics, reply }: HaveWord): void {
    let isBehind = false;
    for (const topic of this.#options.topics) {
      const theirs = topics[topic.name] ?? '';
      if (theirs === topic.digest()) continue;
      const news = topic.lacking(theirs).slice(0, MOST_AT_ONCE);
      for (const item of news) this.#say(peer, { type: 'news', topic: topic.name, item: { ...item } });
      isBehind ||= news.length === 0;
    }
    if (isBehind && !reply) this.#say(peer, this.#have(true));
  }

  #learn(peer: PeerId, name: string, item: Readonly<Record<string, unknown>>): void {
    const topic = this.#options.topics.find(one => one.name === name);
    if (topic === undefined) {
      this.#count('unknown-topic');
      return;
    }
    const isNew = topic.learn(item, peer);
    this.#count(isNew ? 'learnt' : 'known');
    if (!isNew) return;
    for (const other of this.#listeners.keys()) if (other !== peer) this.#sayHave(other);
  }

  #sayHave(peer: PeerId): void {
    const listener = this.#listeners.get(peer);
    if (listener === undefined) return;
    stopTimers(listener);
    this.#say(peer, this.#have(false));
    for (const delayMs of AGAIN_MS)
      listener.timers.add(this.#options.clock.after(delayMs, () => this.#say(peer, this.#have(false))));
  }

  #have(reply: boolean): HaveWord {
    const topics = Object.fromEntries(this.#options.topics.map(topic => [topic.name, topic.digest()]));
    return { type: 'have', topics, reply };
  }

  #say(peer: PeerId, word: PeerWord): void {
    const bytes = encodeWord(word);
    if (bytes === null) this.#count('too-long');
    else this.#count(this.#options.engine.tell(peer, bytes) ? `said.${word.type}` : 'unsaid');
  }

  #forget(peer: PeerId): void {
    const listener = this.#listeners.get(peer);
    if (listener !== undefined) stopTimers(listener);
    this.#listeners.delete(peer);
  }

  #count(name: string): void {
    this.#counters.counter(name).value++;
  }
}

function stopTimers({ timers }: Listener): void {
  for (const timer of timers) timer.cancel();
  timers.clear();
}
