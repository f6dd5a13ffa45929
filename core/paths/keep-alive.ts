// The UDP keep-alive to the location server (P1): keeps our NAT's mapping towards it open, and notices when the mapped
// address becomes another.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { sameEndpoint, type Endpoint, type IpFamily } from '../../protocol/address.ts';
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
  /** Where it answers, or may: the one in use first. */
  #servers: readonly Endpoint[] = [];
  readonly #mapped = new Map<IpFamily, Endpoint>();
  #timer: Timer | null = null;
  #token: string | null = null;

  constructor(options: ServerKeepAliveOptions) {
    this.#options = options;
  }

  /** Begins, or goes on with another server or token. Behind a proxy the first of the places may be silent. */
  start(servers: readonly Endpoint[], token: string): void {
    const [before, first] = [this.#servers[0], servers[0]];
    if (before === undefined || first === undefined || !sameEndpoint(first, before)) this.#mapped.clear();
    this.#servers = servers;
    this.#token = token;
    this.#beat();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#servers = [];
  }

  /** Where the server's answers, or a look from elsewhere at the same socket, say we are. */
  seen(mapped: Endpoint): void {
    const before = this.#mapped.get(mapped.family);
    this.#mapped.set(mapped.family, mapped);
    if (before !== undefined && !sameEndpoint(before, mapped)) this.#options.mappedChanged(mapped);
  }

  #beat(): void {
    this.#timer?.cancel();
    const { clock, random, intervalMs } = this.#options;
    const interval = intervalMs();
    this.#timer = clock.after(interval - random.below(Math.ceil(interval / 5)), () => this.#beat());
    void this.#ask();
    // Who is connected by IPv6 has to be seen under its IPv4 address, too: ports are predicted on no other.
    const second =
      this.#servers[0]?.family === 6 ? this.#servers.find(({ family }) => family === 4) : undefined;
    if (second !== undefined) void this.#askAt(second);
  }

  /** `left`: how many other places are tried in this beat. */
  async #ask(left = this.#servers.length - 1): Promise<void> {
    const server = this.#servers[0];
    if (server === undefined) return;
    const isAnswered = await this.#askAt(server);
    if (isAnswered || left <= 0 || this.#servers[0] !== server) return;
    // Seen from another place, a hard NAT's mapping is another one: no change to tell of.
    this.#servers = [...this.#servers.slice(1), server];
    this.#mapped.clear();
    await this.#ask(left - 1);
  }

  /** False: it did not answer. */
  async #askAt(server: Endpoint): Promise<boolean> {
    const token = this.#token === null ? null : parseKeepAlive(this.#token);
    if (token === null) return true;
    const attributes = [writeUsername(token.username)];
    const outcome = await this.#options.ask({ to: server, attributes, integrityKey: token.key });
    const mapped = outcome.ok ? readMapped(outcome.message) : null;
    if (mapped !== null && this.#servers.includes(server)) this.seen(mapped);
    return outcome.ok;
  }
}
