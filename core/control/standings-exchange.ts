// Standings between node and server after a log-in: the node gets those it lacks, and brings those that the server lost
// when it was restored from an old back-up (V3).
import type { Counters } from '../../base/counters.ts';
import { GinnelError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Standing } from '../../protocol/location/messages.ts';
import { MAX_STANDINGS } from '../../protocol/location/standings.ts';
import type { Standings } from '../peers/standings.ts';
import type { Answer, Question } from './requests.ts';

/** What one message holds. */
const PAGE = 64;

export interface ExchangeOptions {
  readonly standings: Pick<Standings, 'digest' | 'differing' | 'learn'>;
  /** Rejects with SERVER_AWAY, RATE_LIMITED, … */
  readonly ask: (question: Question) => Promise<Answer>;
  readonly log: Log;
  readonly counters: Counters;
}

export class StandingsExchange {
  readonly #options: ExchangeOptions;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** Never rejects: what could not be said now is said after the next log-in. */
  async welcomed(serverDigest: string): Promise<void> {
    const { standings, counters, log } = this.#options;
    if (serverDigest === standings.digest()) return;
    counters.counter('standings.exchanges').value++;
    try {
      const known = await this.#getLacking();
      await this.bring(standings.differing(serverDigest).filter(({ signature }) => !known.has(signature)));
    } catch (error) {
      log.debug('standings were not exchanged', {
        reason: error instanceof GinnelError ? error.code : String(error),
      });
    }
  }

  /** Tells the server what it may have lost. */
  async bring(standings: readonly Standing[]): Promise<void> {
    for (let at = 0; at < standings.length; at += PAGE) {
      const some = standings.slice(at, at + PAGE);
      await this.#options.ask({ type: 'bring', standings: some });
      this.#options.counters.counter('standings.brought').value += some.length;
    }
  }

  /** Answers the signatures of all that the server showed. */
  async #getLacking(): Promise<Set<string>> {
    const { standings, ask } = this.#options;
    const digest = standings.digest();
    const shown = new Set<string>();
    for (let skip = 0; skip < MAX_STANDINGS; skip += PAGE) {
      const page = await ask({ type: 'standings', digest, skip });
      if (page.type !== 'standings') break;
      for (const standing of page.standings) {
        shown.add(standing.signature);
        standings.learn(standing);
      }
      if (!page.more) break;
    }
    return shown;
  }
}
