// A small node's end of the location protocol, for tests: real WebSocket, real channel, no decisions of its own.
import { WebSocket } from 'ws';
import { toBase64, toBase64Url } from '../../protocol/base64.ts';
import { LOCATION_PATH, openChannel } from '../../protocol/location/channel.ts';
import type { Channel } from '../../protocol/location/channel.ts';
import { formatHostPort } from '../../protocol/location/addresses.ts';
import { decodeServerMessage } from '../../protocol/location/codec.ts';
import { decodeInvite } from '../../protocol/location/invite.ts';
import type { Invite } from '../../protocol/location/invite.ts';
import type {
  LoginCredential,
  NodeMessage,
  NodeRecord,
  ServerMessage,
  ServerPlaces,
  Welcome,
} from '../../protocol/location/messages.ts';
import { signLogin, signRecord } from '../../protocol/location/signed.ts';
import { startNoise } from '../../protocol/noise/handshake-state.ts';
import type { DhKeyPair } from '../../protocol/primitives.ts';
import { primitives } from '../../system/crypto.ts';

/** How long anything is waited for before a test fails. */
const PATIENCE_MS = 10_000;

type WithoutId<Message> = Message extends { readonly id: number } ? Omit<Message, 'id'> : never;
export type Question = WithoutId<NodeMessage>;

export interface TestIdentity {
  readonly seed: Uint8Array;
  readonly id: string;
  readonly control: DhKeyPair;
  readonly wireguardKey: string;
  readonly name: string;
}

let made = 0;

export function makeIdentity(name = `node-${++made}`): TestIdentity {
  const seed = primitives.randomBytes(32);
  const wireguardKey = toBase64(primitives.dhKeyPair().publicKey);
  return {
    seed,
    id: toBase64Url(primitives.signingPublicKey(seed)),
    control: primitives.dhKeyPair(),
    wireguardKey,
    name,
  };
}

export function readInvite(text: string): Invite {
  const invite = decodeInvite(text);
  if (!invite.ok) throw new Error(invite.code);
  return invite.value;
}

export interface ConnectOptions {
  readonly invite: Invite;
  readonly host?: string;
  readonly port: number;
  readonly identity: TestIdentity;
  readonly version?: number;
  /** From another address of loopback: another source to the server. */
  readonly from?: string;
}

export class TestConnection {
  readonly identity: TestIdentity;
  /** WebSocket close code, once closed. */
  readonly closed: Promise<number>;
  /** The bytes of the first message, for a replay. */
  readonly first: Uint8Array;
  readonly #socket: WebSocket;
  readonly #invite: Invite;
  readonly #unasked: ServerMessage[] = [];
  readonly #waiting = new Set<() => void>();
  #channel: Channel | null = null;
  #problem = '';
  #lastId = 0;

  private constructor(options: ConnectOptions) {
    const { identity, invite, host = '127.0.0.1', port, version, from } = options;
    this.identity = identity;
    this.#invite = invite;
    const base = { startNoise, primitives, localStatic: identity.control, serverKey: invite.serverKey };
    const opening = openChannel(version === undefined ? base : { ...base, version });
    this.first = opening.first;
    this.#socket = new WebSocket(`ws://${formatHostPort(host, port)}${LOCATION_PATH}`, {
      perMessageDeflate: false,
      ...(from === undefined ? {} : { localAddress: from }),
    });
    this.#socket.on('open', () => this.#socket.send(opening.first));
    this.#socket.on('message', (data: Buffer) => {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
      if (this.#channel !== null) {
        this.#received(this.#channel, bytes);
        return;
      }
      const channel = opening.finish(bytes);
      if (channel.ok) this.#channel = channel.value;
      else this.#problem = channel.code;
      this.#wake();
    });
    this.#socket.on('error', error => {
      this.#problem = error.message;
      this.#wake();
    });
    this.closed = new Promise(resolve => {
      this.#socket.on('close', code => {
        this.#problem ||= `closed with ${code}`;
        resolve(code);
        this.#wake();
      });
    });
  }

  /** Rejects where the channel does not come about. */
  static async open(options: ConnectOptions): Promise<TestConnection> {
    const connection = new TestConnection(options);
    await connection.#until(() => connection.#channel ?? undefined);
    return connection;
  }

  /** Sends a question and waits for its answer (a failure, too, is one). */
  async ask(question: Question): Promise<ServerMessage> {
    const id = ++this.#lastId;
    this.sendText(JSON.stringify({ ...question, id }));
    return this.#until(() => this.#take(message => 're' in message && message.re === id));
  }

  /** The next unasked message of that type. */
  next<Type extends ServerMessage['type']>(type: Type): Promise<Extract<ServerMessage, { type: Type }>> {
    return this.#until(() => {
      const message = this.#take(each => each.type === type && !('re' in each && each.re !== 0));
      return message as Extract<ServerMessage, { type: Type }> | undefined;
    });
  }

  /** Unasked messages not yet taken. */
  get waiting(): readonly ServerMessage[] {
    return this.#unasked;
  }

  /** Sealed, but otherwise as it is. */
  sendText(text: string): void {
    const sealed = this.#channel!.seal(text);
    if (!sealed.ok) throw new Error(sealed.code);
    this.#socket.send(sealed.value);
  }

  sendRaw(bytes: Uint8Array | string): void {
    this.#socket.send(bytes);
  }

  /** Waits for nothing: what came unasked of that type until now. */
  cameOf(type: ServerMessage['type']): readonly ServerMessage[] {
    return this.#unasked.filter(message => message.type === type);
  }

  login(
    more: {
      readonly token?: Uint8Array;
      /** Made for this channel's hash. */
      readonly credential?: (channelHash: Uint8Array) => LoginCredential;
      readonly localNetworks?: readonly string[];
      readonly proof?: string;
      readonly network?: string;
      readonly places?: ServerPlaces;
    } = {},
  ): Promise<ServerMessage> {
    const { seed, id: node, name, wireguardKey, control } = this.identity;
    const proof = more.proof ?? signLogin(primitives, seed, this.#channel!.hash);
    const question = {
      type: 'login' as const,
      network: more.network ?? toBase64Url(this.#invite.network),
      ...{ node, name, wireguardKey, proof },
      controlKey: toBase64Url(control.publicKey),
      localNetworks: more.localNetworks ?? [],
      ...(more.places === undefined ? {} : { places: more.places }),
    };
    const { token, credential } = more;
    return this.ask({
      ...question,
      ...(token === undefined ? {} : { token: toBase64Url(token) }),
      ...(credential === undefined ? {} : { credential: credential(this.#channel!.hash) }),
    });
  }

  record(welcome: Welcome, more: Partial<NodeRecord> = {}): NodeRecord {
    const { network, ip4, ip6 } = welcome.assignment;
    const { id, name, wireguardKey, control, seed } = this.identity;
    const fields = {
      v: 1,
      network,
      id,
      name,
      wireguardKey,
      controlKey: toBase64Url(control.publicKey),
      ip4,
      ip6,
    } as const;
    const unsigned = {
      ...fields,
      prefixes: [],
      generation: welcome.generation + 1,
      expires: Date.UTC(2027, 0, 1),
      ...more,
    };
    return signRecord(primitives, seed, unsigned);
  }

  close(): void {
    this.#socket.close();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #received(channel: Channel, bytes: Uint8Array): void {
    const text = channel.open(bytes);
    const message = text.ok ? decodeServerMessage(text.value) : text;
    if (message.ok) this.#unasked.push(message.value);
    else this.#problem = message.code;
    this.#wake();
  }

  #take(fits: (message: ServerMessage) => boolean): ServerMessage | undefined {
    const at = this.#unasked.findIndex(fits);
    return at < 0 ? undefined : this.#unasked.splice(at, 1)[0];
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  #until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = look();
        if (found === undefined && this.#problem === '') return;
        this.#waiting.delete(check);
        clearTimeout(timer);
        if (found === undefined) reject(new Error(this.#problem));
        else resolve(found);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error('waited too long'));
      }, PATIENCE_MS);
      this.#waiting.add(check);
      check();
    });
  }
}

export function expectWelcome(message: ServerMessage): Welcome {
  if (message.type !== 'welcome') throw new Error(`not welcome: ${JSON.stringify(message)}`);
  return message;
}

/** Connects, logs in with the invite's token and publishes a record. */
export async function join(
  invite: string,
  port: number,
  identity = makeIdentity(),
  host = '127.0.0.1',
): Promise<{ connection: TestConnection; welcome: Welcome }> {
  const read = readInvite(invite);
  const connection = await TestConnection.open({ invite: read, host, port, identity });
  const welcome = expectWelcome(await connection.login({ token: read.token }));
  const published = await connection.ask({ type: 'publish', record: connection.record(welcome) });
  if (published.type !== 'done') throw new Error(JSON.stringify(published));
  return { connection, welcome };
}
