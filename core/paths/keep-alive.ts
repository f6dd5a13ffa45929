// The UDP keep-alive to the location server (P1): keeps our NAT's mapping towards it open, and notices when the mapped
// address becomes another.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { sameEndpoint, type Endpoint } from '../../protocol/address.ts';
import { parseKeepAlive } from '../../protocol/location/keep-alive.ts';
import { readMapped, writeUsername } from '../../protocol/stun/attributes.ts';
import type { StunOutcome } from '../contract/plugin.ts';
import type { SignedAsk } from './stun-transactions.ts';

export interface ServerKeepAliveOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly ask: (ask: SignedAsk) => Promise<StunOutcome>;
  /** Fitted to the mapping's lifetime. */
  readonly intervalMs: () => number;
  /** The server sees us at another address than before. */
  readonly mappedChanged: (mapped: Endpoint) => void;
}

export class ServerKeepAlive {
  readonly #options: ServerKeepAliveOptions;
  #server: Endpoint | null = null;
  #mapped: Endpoint | null = null;
  #timer: Timer | null = null;
  #token: string | null = null;

  constructor(options: ServerKeepAliveOptions) {
    this.#options = options;
  }

  /** Begins, or goes on with another server or token. */
  start(server: Endpoint, token: string): void {
    if (this.#server === null || !sameEndpoint(server, this.#server)) this.#mapped = null;
    this.#server = server;
    this.#token = token;
    this.#beat();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#server = null;
  }

  /** Where the server's answers, or a look from elsewhere at the same socket, say we are. */
  seen(mapped: Endpoint): void {
    const before = this.#mapped;
    this.#mapped = mapped;
    if (before !== null && before.family === mapped.family && !sameEndpoint(before, mapped))
      this.#options.mappedChanged(mapped);
  }

  #beat(): void {
    this.#timer?.cancel();
    const { clock, random, intervalMs } = this.#options;
    const interval = intervalMs();
    this.#timer = clock.after(interval - random.below(Math.ceil(interval / 5)), () => this.#beat());
    void this.#ask();
  }

  async #ask(): Promise<void> {
    const server = this.#server;
    const token = this.#token === null ? null : parseKeepAlive(this.#token);
    if (server === null || token === null) return;
    const outcome = await this.#options.ask({
      to: server,
      attributes: [writeUsername(token.username)],
      integrityKey: token.key,
    });
    const mapped = outcome.ok ? readMapped(outcome.message) : null;
    if (mapped !== null && this.#server === server) this.seen(mapped);
  }
}
