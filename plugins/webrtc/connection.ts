// One peer connection with one data channel in it, from its description to its end. Whatever its callbacks do, they throw
// nothing: an exception in there would end the process. They also hold on to both objects until the library has told of their
// end: collected before that, they would leave it with pointers to nowhere.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { endpointOf, isMdns, parseCandidate, withAddress, type IceCandidate } from './candidates.ts';
import { cleanDescription, midOf, offererBegins, withoutAddresses } from './description.ts';
import type { DataChannel, Library, PeerConnection, RtcConfig } from './library.ts';
import { MAX_MESSAGE_BYTES } from './packing.ts';
import { MAX_CANDIDATES, type Saying } from './words.ts';

export interface ConnectionParts {
  readonly library: Pick<Library, 'connect'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly iceServers: RtcConfig['iceServers'];
  /** Names it in signals. */
  readonly id: string;
  /** May that one of this box's own candidates be told? */
  readonly mayTell: (candidate: IceCandidate) => boolean;
  /** May something be sent there? */
  readonly mayUse: (endpoint: Endpoint) => boolean;
  /** The address of a `.local` name; null: nobody answers to it. */
  readonly resolve: (name: string) => Promise<string | null>;
  readonly events: ConnectionEvents;
}

export interface ConnectionEvents {
  say(saying: Saying): void;
  /** The channel carries messages now. */
  opened(): void;
  /** The bytes are the receiver's. */
  received(message: Uint8Array): void;
  /** Once, at its end. */
  closed(reason: string): void;
}

/** What goes by it goes between these. */
export interface SelectedPair {
  readonly local: Endpoint | null;
  readonly remote: Endpoint | null;
  readonly isRelayed: boolean;
}

export const OPEN_WITHIN_MS = 15_000;
/** Candidates that come close together are told together: each signal costs the location server something. */
const TOGETHER_MS = 25;
const CHANNEL = { negotiated: true, id: 0, unordered: true, maxRetransmits: 0, protocol: 'ginnel' } as const;
const OVER: ReadonlySet<string> = new Set(['disconnected', 'failed', 'closed']);

export class Connection {
  readonly id: string;
  readonly #parts: ConnectionParts;
  readonly #pc: PeerConnection;
  #channel: DataChannel | null = null;
  #isOpen = false;
  #isClosed = false;
  #opening: Timer | null;
  #telling: Timer | null = null;
  /** Not told yet. */
  #description: { readonly sdp: string; readonly type: 'offer' | 'answer' } | null = null;
  #candidates: string[] = [];
  /** Of the other end: what came before its description. */
  #early: IceCandidate[] = [];
  #isDescribed = false;
  #mid = '0';
  #remoteCount = 0;
  /** Of the other end: `address port`. */
  readonly #remoteRelays = new Set<string>();

  constructor(parts: ConnectionParts) {
    const { id, library, iceServers, clock } = parts;
    this.id = id;
    this.#parts = parts;
    this.#pc = library.connect(id, {
      iceServers,
      disableAutoNegotiation: true,
      maxMessageSize: MAX_MESSAGE_BYTES + 2,
    });
    this.#opening = clock.after(OPEN_WITHIN_MS, () => this.close('no way between the two was found'));
    this.#listen();
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isClosed;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  // ---- beginnings

  offer(): void {
    this.#safely(() => {
      this.#openChannel();
      this.#pc.setLocalDescription('offer');
    });
  }

  /** The other end's offer. */
  answer(sdp: string): void {
    const clean = cleanDescription(sdp);
    if (clean === null) this.close('what it offers is no channel');
    else
      this.#safely(() => {
        this.#describe(offererBegins(clean), 'offer');
        this.#openChannel();
        this.#pc.setLocalDescription('answer');
      });
  }

  answered(sdp: string): void {
    const clean = this.#isDescribed ? null : cleanDescription(sdp);
    if (clean !== null) this.#safely(() => this.#describe(clean, 'answer'));
  }

  /** Candidates of the other end, as it tells them. */
  add(candidates: readonly string[]): void {
    for (const text of candidates) {
      const candidate = parseCandidate(text);
      if (candidate === null || this.#isClosed || this.#remoteCount >= MAX_CANDIDATES) continue;
      this.#remoteCount++;
      if (!isMdns(candidate)) this.#use(candidate);
      else
        void this.#parts.resolve(candidate.host).then(
          address => address !== null && this.#use(withAddress(candidate, address)),
          () => undefined,
        );
    }
  }

  #describe(sdp: string, type: 'offer' | 'answer'): void {
    this.#mid = midOf(sdp);
    this.#pc.setRemoteDescription(sdp, type);
    this.#isDescribed = true;
    for (const candidate of this.#early.splice(0)) this.#use(candidate);
  }

  #use(candidate: IceCandidate): void {
    const endpoint = endpointOf(candidate);
    if (endpoint === null || !this.#parts.mayUse(endpoint)) return;
    if (candidate.type === 'relay') this.#remoteRelays.add(`${endpoint.address} ${endpoint.port}`);
    if (!this.#isDescribed) this.#early.push(candidate);
    else this.#addToLibrary(candidate);
  }

  /** One that the library does not take is one way less; whether there is another shows without it. */
  #addToLibrary({ line }: IceCandidate): void {
    if (this.#isClosed) return;
    try {
      this.#pc.addRemoteCandidate(line, this.#mid);
    } catch (error) {
      this.#parts.log.debug('a candidate was not taken', { reason: String(error) });
    }
  }

  #openChannel(): void {
    const channel = this.#pc.createDataChannel('ginnel', CHANNEL);
    this.#channel = channel;
    channel.onOpen(() => this.#safely(() => this.#opened()));
    channel.onClosed(() => this.#safely(() => this.close('the channel ended')));
    channel.onError(error => this.#safely(() => this.close(`the channel failed: ${error}`)));
    channel.onMessage(message => this.#safely(() => this.#received(message)));
  }

  #listen(): void {
    const pc = this.#pc;
    pc.onLocalDescription((sdp, type) =>
      this.#safely(() => {
        if (type === 'offer' || type === 'answer') this.#description = { sdp: withoutAddresses(sdp), type };
        this.#tellSoon();
      }),
    );
    pc.onLocalCandidate(text => this.#safely(() => this.#gathered(text)));
    pc.onStateChange(state =>
      this.#safely(() => {
        if (OVER.has(state)) this.close(state === 'failed' ? 'no way between the two was found' : state);
      }),
    );
  }

  // ---- telling

  #gathered(text: string): void {
    const candidate = parseCandidate(text);
    if (candidate === null || !this.#parts.mayTell(candidate)) return;
    this.#candidates.push(candidate.line);
    this.#tellSoon();
  }

  #tellSoon(): void {
    if (this.#isClosed) return;
    this.#telling ??= this.#parts.clock.after(TOGETHER_MS, () => {
      this.#telling = null;
      this.#tell();
    });
  }

  #tell(): void {
    const { id } = this;
    const candidates = this.#candidates.splice(0, MAX_CANDIDATES);
    const description = this.#description;
    this.#description = null;
    if (description !== null) this.#parts.events.say({ ...description, id, candidates });
    else if (candidates.length > 0) this.#parts.events.say({ type: 'candidates', id, candidates });
  }

  // ---- while it stands

  #opened(): void {
    if (this.#isOpen || this.#isClosed) return;
    this.#isOpen = true;
    this.#opening?.cancel();
    this.#parts.events.opened();
  }

  #received(message: string | Buffer | ArrayBuffer): void {
    if (typeof message === 'string' || !this.isOpen) return;
    // No Buffer: slices of one are no copies.
    const bytes =
      message instanceof ArrayBuffer
        ? new Uint8Array(message)
        : new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
    this.#parts.events.received(bytes);
  }

  /** Bytes that wait. */
  get backlog(): number {
    return this.#channel?.bufferedAmount() ?? 0;
  }

  /** The bytes are copied. False: it is over. */
  send(message: Uint8Array): boolean {
    if (!this.isOpen || this.#channel === null) return false;
    try {
      // What it answers tells only whether the message had to wait.
      this.#channel.sendMessageBinary(message);
      return true;
    } catch (error) {
      this.close(String(error));
      return false;
    }
  }

  /** Null: none is chosen yet. */
  get pair(): SelectedPair | null {
    const pair = this.#isClosed ? null : this.#pc.getSelectedCandidatePair();
    if (pair === null) return null;
    const [local, remote] = [pair.local, pair.remote].map(({ address, port, type }) =>
      endpointOf({ host: address, port, line: '', type: type as IceCandidate['type'] }),
    ) as [Endpoint | null, Endpoint | null];
    const isRelay =
      pair.local.type === 'relay' ||
      pair.remote.type === 'relay' ||
      (remote !== null && this.#remoteRelays.has(`${remote.address} ${remote.port}`));
    return { local, remote, isRelayed: isRelay };
  }

  // ---- its end

  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#opening?.cancel();
    this.#telling?.cancel();
    try {
      this.#pc.close();
    } catch (error) {
      this.#parts.log.debug('a connection did not close cleanly', { reason: String(error) });
    }
    this.#parts.events.closed(reason);
  }

  #safely(work: () => unknown): void {
    if (this.#isClosed) return;
    try {
      work();
    } catch (error) {
      this.#parts.log.debug('a connection failed', { reason: String(error) });
      try {
        this.close(String(error));
      } catch (another) {
        this.#parts.log.error('the end of a connection could not be told', { reason: String(another) });
      }
    }
  }
}
