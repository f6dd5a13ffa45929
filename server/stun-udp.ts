// STUN over UDP (P1, P2): one socket per address and port, so that an answer leaves from where the request came to.
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import type { Counters } from '../base/counters.ts';
import { GinnelError } from '../base/errors.ts';
import type { Endpoint } from '../protocol/address.ts';
import { canonicalIp, familyOf } from '../protocol/ip/address.ts';
import { answerBinding } from '../protocol/stun/server.ts';
import type { AnswererConfig, BindingAnswer } from '../protocol/stun/server.ts';
import type { KeepAlives } from './keep-alives.ts';
import { portError } from './port-error.ts';
import { sourceOf } from '../protocol/ip/source.ts';
import type { TokenBuckets } from './token-bucket.ts';

export interface StunUdpOptions {
  readonly port: number;
  readonly secondPort: number | null;
  /** The second address of RFC 5780 for each, where the server has one. */
  readonly alternateOf: ReadonlyMap<string, string>;
  readonly buckets: TokenBuckets;
  readonly keepAlives: KeepAlives;
  readonly counters: Counters;
}

interface Bound {
  readonly socket: Socket;
  readonly address: string;
  readonly port: number;
}

export class StunUdp {
  readonly #options: StunUdpOptions;
  readonly #bound = new Map<string, Bound>();
  #closed = false;

  constructor(options: StunUdpOptions) {
    this.#options = options;
  }

  get addresses(): string[] {
    return [...new Set([...this.#bound.values()].map(({ address }) => address))];
  }

  /**
   * Opens sockets for new addresses, closes those of addresses that are gone. Errors: SERVER_PORT_TAKEN; where the
   * addresses were `chosen` by a person any SERVER_PORT_*, else one that cannot be used yet is tried again next time.
   */
  async listenOn(addresses: readonly string[], chosen: boolean): Promise<void> {
    const { port, secondPort } = this.#options;
    const ports = secondPort === null ? [port] : [port, secondPort];
    const wanted = addresses.flatMap(address => ports.map(each => ({ address, port: each })));
    const names = new Set(wanted.map(nameOf));
    for (const [name, bound] of this.#bound) if (!names.has(name)) this.#release(name, bound);
    for (const place of wanted) {
      if (this.#bound.has(nameOf(place)) || this.#closed) continue;
      await this.#bind(place).catch((error: unknown) => {
        this.#count('stun.bind-failed');
        if (chosen || (error instanceof GinnelError && error.code === 'SERVER_PORT_TAKEN')) throw error;
      });
    }
  }

  close(): void {
    this.#closed = true;
    for (const [name, bound] of this.#bound) this.#release(name, bound);
  }

  async #bind({ address, port }: { readonly address: string; readonly port: number }): Promise<void> {
    const family = familyOf(address);
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', ipv6Only: family === 6 });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', error => reject(portError(error, { address, port, setting: 'port' })));
      socket.bind({ address, port, exclusive: true }, resolve);
    });
    const bound = { socket, address, port };
    if (this.#closed) {
      socket.close();
      return;
    }
    socket.removeAllListeners('error');
    socket.on('error', () => this.#count('stun.socket-error'));
    socket.on('message', (bytes, from) => this.#answer(bound, bytes, from));
    this.#bound.set(nameOf(bound), bound);
  }

  #release(name: string, bound: Bound): void {
    this.#bound.delete(name);
    bound.socket.close();
  }

  #answer(bound: Bound, bytes: Buffer, source: { readonly address: string; readonly port: number }): void {
    const { buckets, keepAlives } = this.#options;
    const address = canonicalIp(source.address);
    if (address === null || source.port === 0) return;
    if (!buckets.take(sourceOf(address))) {
      this.#count('stun.rate-limited');
      return;
    }
    const from: Endpoint = { family: familyOf(address), address, port: source.port };
    const { port } = bound;
    const receivedOn: Endpoint = { family: from.family, address: bound.address, port };
    const answer = answerBinding(bytes, from, receivedOn, this.#configFor(bound));
    if (!answer.ok) {
      this.#count(answer.code);
      return;
    }
    this.#count('stun.answered');
    if (keepAlives.note(answer.value.request, from)) this.#count('stun.keep-alive');
    this.#send(bound, answer.value);
  }

  #configFor({ address, port }: Bound): AnswererConfig {
    const { alternateOf, secondPort } = this.#options;
    const otherPort = port === secondPort ? this.#options.port : secondPort;
    return { otherAddress: alternateOf.get(address) ?? null, otherPort };
  }

  #send(bound: Bound, { reply, to, sendFrom }: BindingAnswer): void {
    const config = this.#configFor(bound);
    const address = sendFrom.address === 'other' ? config.otherAddress : bound.address;
    const port = sendFrom.port === 'other' ? config.otherPort : bound.port;
    const out = address === null || port === null ? undefined : this.#bound.get(nameOf({ address, port }));
    if (out === undefined) {
      this.#count('stun.no-such-socket');
      return;
    }
    out.socket.send(reply, to.port, to.address, error => {
      if (error !== null) this.#count('stun.send-failed');
    });
  }

  #count(name: string): void {
    this.#options.counters.counter(name).value++;
  }
}

const nameOf = ({ address, port }: { readonly address: string; readonly port: number }): string =>
  `${address} ${port}`;
