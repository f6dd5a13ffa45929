// One UDP socket towards the gateway: asks, repeats, and takes answers from nobody else.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { refuse, type Ground } from './protocol.ts';

/** When a question is sent, in ms; the router is one hop away. */
const SENT_AT_MS = [0, 250, 700] as const;
const GIVE_UP_MS = 1_200;

interface Question {
  readonly port: number;
  /** True: that was the answer. */
  take(bytes: Uint8Array): boolean;
}

export class Wire {
  readonly #ground: Ground;
  readonly #socket: Socket;
  readonly #questions = new Set<Question>();
  readonly #ended = new AbortController();

  private constructor(ground: Ground, socket: Socket) {
    this.#ground = ground;
    this.#socket = socket;
    socket.on('message', (bytes, from) => this.#received(bytes, from));
    // Nobody listens there (ICMP): the question times out.
    socket.on('error', () => undefined);
  }

  /** Rejects where the local address is gone. */
  static async open(ground: Ground): Promise<Wire> {
    return new Wire(ground, await boundSocket(ground));
  }

  /**
   * The first answer of the gateway's `port` that `read` takes; null: none came. What `read` answers null to is somebody
   * else's, or none: it goes on waiting.
   */
  ask<T>(
    port: number,
    bytes: Uint8Array,
    read: (bytes: Uint8Array) => T | null,
    signal?: AbortSignal,
  ): Promise<T | null> {
    const { clock, gateway } = this.#ground;
    // AbortSignal.any would hold each of the many questions as long as the signals live.
    const ends = [this.#ended.signal, ...(signal === undefined ? [] : [signal])];
    return new Promise(resolve => {
      if (ends.some(({ aborted }) => aborted)) {
        resolve(null);
        return;
      }
      const done = (answer: T | null): void => {
        for (const timer of timers) timer.cancel();
        for (const end of ends) end.removeEventListener('abort', gone);
        this.#questions.delete(question);
        resolve(answer);
      };
      const gone = (): void => done(null);
      const question: Question = {
        port,
        take(received) {
          const answer = read(received);
          if (answer !== null) done(answer);
          return answer !== null;
        },
      };
      const send = (): void => this.#socket.send(bytes, port, gateway.address, () => undefined);
      const timers = [...SENT_AT_MS.slice(1).map(ms => clock.after(ms, send)), clock.after(GIVE_UP_MS, gone)];
      for (const end of ends) end.addEventListener('abort', gone, { once: true });
      this.#questions.add(question);
      send();
    });
  }

  close(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#socket.close();
  }

  #received(bytes: Uint8Array, { address, port }: RemoteInfo): void {
    if (address !== this.#ground.gateway.address) {
      refuse(this.#ground, 'wrong-source');
      return;
    }
    const questions = [...this.#questions].filter(question => question.port === port);
    if (questions.length === 0) refuse(this.#ground, 'unasked');
    for (const question of questions) if (question.take(bytes)) return;
  }
}

/** Bound to this box's address on the router's network, so that it leaves by the right card. */
export async function boundSocket({ gateway }: Pick<Ground, 'gateway'>): Promise<Socket> {
  const socket = createSocket(gateway.family === 6 ? 'udp6' : 'udp4');
  socket.unref();
  return new Promise((resolve, reject) => {
    socket.once('error', error => {
      socket.close();
      reject(error);
    });
    socket.bind({ address: gateway.local, port: 0, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
