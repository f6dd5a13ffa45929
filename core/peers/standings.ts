// Who is out of the network, by the server's own signed word (V3): kept, so that it holds with the server away and through a
// restart, whoever brought it. What follows for a peer is the peer book's to say.
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import { compileSchema } from '../../protocol/location/codec.ts';
import type { Assignment, NodeId, Standing } from '../../protocol/location/messages.ts';
import { standingSchema } from '../../protocol/location/schema.ts';
import { verifyStanding } from '../../protocol/location/signed.ts';
import { keepsOut, StandingList } from '../../protocol/location/standings.ts';
import type { Primitives } from '../../protocol/primitives.ts';
import type { PeerStore } from './peer-writer.ts';

export type StandingLearnt = 'new' | 'known' | 'refused';

export interface StandingsOptions {
  /** Keys are node ids. */
  readonly store: PeerStore;
  readonly primitives: Primitives;
  readonly log: Log;
  readonly counters: Counters;
  /** base64url. */
  readonly network: string;
  /** The server's Ed25519 key, 32 bytes. */
  readonly serverIdentity: Uint8Array;
  /** It is kept from now on; whether the server itself said it, or another node. */
  readonly news: (standing: Standing, from: 'server' | 'node') => void;
}

export class Standings {
  readonly #options: StandingsOptions;
  readonly #list: StandingList;
  readonly #isStanding = compileSchema<Standing>(standingSchema);
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: StandingsOptions) {
    this.#options = options;
    this.#list = new StandingList(options.primitives);
  }

  /** Reads what was kept; what is of another network, or not signed by this server, is counted and left out. */
  static async open(options: StandingsOptions): Promise<Standings> {
    const standings = new Standings(options);
    for (const [, value] of await options.store.entries(''))
      if (standings.#isStanding(value) && standings.#verifies(value)) standings.#list.take(value);
      else options.counters.counter('standings.unreadable').value++;
    return standings;
  }

  of(id: NodeId): Standing | null {
    return this.#list.of(id);
  }

  /** How that node is out; null: it is not. */
  keepsOut(assignment: Pick<Assignment, 'id' | 'issued'>): 'removed' | 'disabled' | null {
    const standing = this.#list.of(assignment.id);
    return keepsOut(standing, assignment) && standing?.state !== 'member' ? (standing?.state ?? null) : null;
  }

  /** 64 characters, the same as another's who knows the same. */
  digest(): string {
    return this.#list.digest();
  }

  /** What somebody with that digest may lack, newest first. */
  differing(digest: string): readonly Standing[] {
    return this.#list.differing(digest);
  }

  /** Of the server. */
  learn(item: unknown): StandingLearnt {
    return this.#learn(item, 'server');
  }

  /** Of another node: the signature is the server's all the same. */
  hear(item: unknown): StandingLearnt {
    return this.#learn(item, 'node');
  }

  /** Settles when all is written, or was refused by the disk (logged, counted). */
  flush(): Promise<void> {
    return this.#writing;
  }

  #learn(item: unknown, from: 'server' | 'node'): StandingLearnt {
    const learnt = this.#judge(item, from);
    this.#options.counters.counter(`standings.${learnt}`).value++;
    return learnt;
  }

  /** The costly part last. */
  #judge(item: unknown, from: 'server' | 'node'): StandingLearnt {
    if (!this.#isStanding(item)) return 'refused';
    if (item.network === this.#options.network && !this.#list.isNews(item)) return 'known';
    if (!this.#verifies(item)) return 'refused';
    const { isNews, dropped } = this.#list.take(item);
    if (dropped !== null) this.#drop(dropped);
    if (!isNews) return 'known';
    this.#keep(item.id, store => store.put(item.id, item));
    this.#options.news(item, from);
    return 'new';
  }

  #verifies(standing: Standing): boolean {
    const { primitives, network, serverIdentity } = this.#options;
    return standing.network === network && verifyStanding(primitives, serverIdentity, standing).ok;
  }

  #drop({ id, state }: Standing): void {
    this.#options.counters.counter('standings.dropped').value++;
    if (state !== 'member')
      this.#options.log.error('there are too many removed boxes to remember them all', { id });
    this.#keep(id, store => store.delete(id));
  }

  #keep(id: NodeId, write: (store: PeerStore) => Promise<void>): void {
    const { store, counters, log } = this.#options;
    this.#writing = this.#writing
      .then(() => write(store))
      .catch((error: unknown) => {
        counters.counter('standings.unwritten').value++;
        log.error('who is out of the network could not be kept', { id, reason: String(error) });
      });
  }
}
