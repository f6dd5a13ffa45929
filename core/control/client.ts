// The node's end of the location protocol, whole: the machine, the sockets it asks for, and what is believed of what comes.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import { GinnelError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { fromBase64Url } from '../../protocol/base64.ts';
import { decodeServerMessage, encodeMessage } from '../../protocol/location/codec.ts';
import type {
  LookupSubject,
  NodeSignal,
  Registration,
  RollAnswer,
  ServerPlaces,
  SignedNode,
  Standing,
  Welcome,
} from '../../protocol/location/messages.ts';
import type { Primitives } from '../../protocol/primitives.ts';
import type { PeerBook } from '../peers/peer-book.ts';
import type { Standings } from '../peers/standings.ts';
import type { Credential } from './credential.ts';
import { Dial } from './dial.ts';
import { controlErrors } from './errors.ts';
import type { NodeIdentity } from './identity.ts';
import { Inbox } from './inbox.ts';
import { doubtWelcome, loginQuestion, recordToPublish } from './login.ts';
import type { LoginFacts } from './login.ts';
import { ControlMachine } from './machine.ts';
import { MEMBERSHIP_FILE, serverAddresses } from './membership.ts';
import type { Membership, MembershipFile } from './membership.ts';
import type { NetworkTime } from './network-time.ts';
import type { Answer, Question } from './requests.ts';
import type { ServerSocket } from './server-socket.ts';
import { StandingsExchange } from './standings-exchange.ts';
import { SignalSealer, SignalSerials } from './signals.ts';
import type { Control, ControlEvents, ControlState, RouteFound } from './types.ts';
import { Whereabouts } from './whereabouts.ts';
import type { Learnt } from './whereabouts.ts';

export interface ControlOptions {
  readonly identity: NodeIdentity;
  /** Where it is let in by something else than an invite. */
  readonly credential?: Credential | null;
  /** With a membership in it. */
  readonly membership: MembershipFile;
  readonly peers: PeerBook;
  readonly standings: Standings;
  readonly time: NetworkTime;
  readonly primitives: Primitives;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counters: Counters;
  readonly events: ControlEvents;
  /** Networks in use on this box's own LANs, `192.168.1.0/24`: read at each log-in. */
  readonly localNetworks: () => readonly string[];
  /** This box's own addresses, loopback aside: read whenever the network changed. */
  readonly localAddresses: () => readonly string[];
  /** Networks this node shares: read whenever its record is looked at. */
  readonly sharedNetworks: () => readonly string[];
  /** Candidates on 127.0.0.1 are taken: for tests on one machine. */
  readonly allowLoopback?: boolean;
}

export class ControlClient implements Control {
  readonly #options: ControlOptions;
  readonly #counters: Counters;
  readonly #machine: ControlMachine;
  readonly #sealer: SignalSealer;
  readonly #inbox: Inbox;
  readonly #serials: SignalSerials;
  readonly #whereabouts: Whereabouts;
  readonly #exchange: StandingsExchange;
  readonly #serverKey: Uint8Array;
  readonly #lookups = new Map<string, Promise<RouteFound>>();
  #dial: Dial | null = null;
  #socket: ServerSocket | null = null;
  /** The address of ours that the connection began from; null: none of those that may go. */
  #from: string | null = null;
  /** How often the server that welcomed us had moved by then. */
  #movesOfServer = 0;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#counters = options.counters.scope('control');
    this.#serverKey = serverKeyOf(options);
    const rules = { allowLoopback: options.allowLoopback ?? false };
    this.#sealer = new SignalSealer({
      primitives: options.primitives,
      network: this.#membership.network,
      self: options.identity.id,
      localStatic: options.identity.control,
      counters: this.#counters,
      rules,
    });
    this.#whereabouts = new Whereabouts(options.membership, options.primitives, this.#counters);
    const { peers, log, events, standings } = options;
    this.#inbox = new Inbox({
      ...{ peers, standings, log, events, rules, sealer: this.#sealer, counters: this.#counters },
      learnPlaces: places => void this.#learn(places),
      renamed: name => this.#renamed(name),
    });
    this.#exchange = new StandingsExchange({
      ...{ standings, log, counters: this.#counters },
      ask: question => this.#ask(question),
    });
    this.#serials = new SignalSerials({
      nowMs: () => this.nowMs(),
      floor: this.#membership.signalFloor,
      keepFloor: signalFloor => void options.membership.update({ signalFloor }),
    });
    this.#machine = this.#makeMachine();
  }

  get state(): ControlState {
    return this.#machine.state;
  }

  get problem(): GinnelError | null {
    return this.#machine.problem;
  }

  get unpublished(): GinnelError | null {
    return this.#machine.unpublished;
  }

  get lastHeardAt(): number | null {
    return this.#machine.lastHeardAt;
  }

  get rttMs(): number | null {
    return this.#machine.rttMs;
  }

  get server(): Endpoint | null {
    return this.#machine.server;
  }

  nowMs(): number {
    return this.#options.time.nowMs();
  }

  start(): void {
    this.#machine.start();
  }

  async stop(): Promise<void> {
    this.#machine.stop();
    const { membership, peers, standings } = this.#options;
    await Promise.all([membership.flush(), peers.flush(), standings.flush()]);
  }

  kick(): void {
    this.#loseIfMoved();
    this.#machine.kick();
  }

  /** A connection from an address that this box has no longer stays silent for ever: no answer, no reset. */
  #loseIfMoved(): void {
    if (this.#socket === null || this.#from === null) return;
    if (this.#options.localAddresses().includes(this.#from)) return;
    this.#machine.lost('This box has another address now.');
  }

  bring(standing: Standing): void {
    if (this.state === 'connected') void this.#exchange.bring([standing]).catch(() => undefined);
  }

  get places(): ServerPlaces | null {
    return this.#whereabouts.newest;
  }

  hearPlaces(places: ServerPlaces): Learnt {
    const learnt = this.#learn(places);
    if (learnt !== 'newer') return learnt;
    // Whoever answers from a machine that the server left knows nothing of what happens at its new one.
    if (this.state === 'connected' && places.moves > this.#movesOfServer)
      this.#machine.lost('The location server moved to another machine.');
    this.lookAgain();
    return learnt;
  }

  /** A dialling under way goes by the addresses of before. */
  lookAgain(): void {
    this.kick();
    if (this.#dial === null) return;
    this.#dial.cancel();
    this.#startDial();
  }

  #learn(places: ServerPlaces): Learnt {
    const learnt = this.#whereabouts.learn(places);
    if (learnt === 'newer') this.#options.events.placesLearnt(places);
    return learnt;
  }

  register(registration: Registration): void {
    this.#machine.register(registration);
  }

  publish(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#machine.publish(problem =>
        problem === null || problem.code === 'SERVER_AWAY' ? resolve() : reject(problem),
      );
    });
  }

  lookup(what: LookupSubject): Promise<RouteFound> {
    const key = JSON.stringify(what);
    const underway = this.#lookups.get(key);
    if (underway !== undefined) return underway;
    const asked = this.#ask({ type: 'lookup', ...what })
      .then(answer => this.#routeFound(answer))
      .finally(() => this.#lookups.delete(key));
    this.#lookups.set(key, asked);
    return asked;
  }

  async roll(after: number): Promise<RollAnswer> {
    const answer = await this.#ask({ type: 'roll', after });
    if (answer.type === 'roll') return answer;
    throw controlErrors('SERVER_WORD_WRONG', { reason: `${answer.type} instead of the roll` });
  }

  async signal(to: SignedNode, signal: NodeSignal): Promise<void> {
    const sealed = this.#sealer.seal(to.record, { ...signal, serial: this.#serials.next() });
    if (!sealed.ok) throw controlErrors('PEER_REFUSED', { name: to.record.name, reason: sealed.code });
    await this.#ask({ type: 'signal', to: to.record.id, sealed: sealed.value });
  }

  get #membership(): Membership {
    const { current } = this.#options.membership;
    if (current === null) throw new TypeError('no membership: join first');
    return current;
  }

  get #facts(): LoginFacts {
    return {
      identity: this.#options.identity,
      membership: this.#membership,
      primitives: this.#options.primitives,
    };
  }

  #ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#machine.ask(question, outcome => {
        if (outcome instanceof GinnelError) reject(outcome);
        else resolve(outcome);
      });
    });
  }

  // ---- what the machine asks for

  #makeMachine(): ControlMachine {
    const { clock, random, events, log } = this.#options;
    return new ControlMachine({
      clock,
      random,
      counters: this.#counters,
      wire: {
        dial: () => this.#startDial(),
        send: message => this.#socket?.send(encodeMessage(message)),
        hangUp: () => this.#hangUp(),
      },
      words: {
        login: hash => this.#login(hash),
        welcome: (welcome, rttMs) => this.#welcome(welcome, rttMs),
        record: serverGeneration => this.#record(serverGeneration),
        isMember: () => this.#membership.assignment !== null,
      },
      events: {
        welcomed: (welcome, server) => {
          events.welcomed(welcome, server);
          events.rulesTold(welcome.rules);
          void this.#exchange.welcomed(welcome.standings);
        },
        stateChanged: (state, reason) => {
          log.info(`location server: ${state}`, { reason });
          events.stateChanged(state, reason);
        },
        refused: (what, problem) =>
          log.warn(`the location server refused to ${what}`, { problem: problem.message }),
        told: message => this.#inbox.told(message),
      },
    });
  }

  #startDial(): void {
    const { primitives, identity, clock } = this.#options;
    const addresses = serverAddresses(this.#membership);
    const keys = { primitives, localStatic: identity.control, serverKey: this.#serverKey };
    this.#dial = new Dial({ addresses, keys, clock, counters: this.#counters }, outcome => {
      this.#dial = null;
      if ('problem' in outcome) this.#machine.failed(outcome.problem);
      else this.#opened(outcome.socket);
    });
  }

  #opened(socket: ServerSocket): void {
    this.#socket = socket;
    const { localAddress } = socket;
    this.#from = this.#options.localAddresses().includes(localAddress) ? localAddress : null;
    socket.events = {
      heard: text => this.#heard(text),
      lost: reason => {
        this.#socket = null;
        this.#machine.lost(reason);
      },
    };
    this.#machine.opened(socket.server, socket.channelHash);
  }

  #hangUp(): void {
    this.#dial?.cancel();
    this.#dial = null;
    this.#socket?.close();
    this.#socket = null;
  }

  #login(channelHash: Uint8Array): Question {
    const { credential, localNetworks } = this.#options;
    return loginQuestion(this.#facts, channelHash, localNetworks(), credential?.prove(channelHash) ?? null);
  }

  #welcome(welcome: Welcome, rttMs: number): string | null {
    const doubt = doubtWelcome(this.#facts, welcome);
    if (doubt !== null) return doubt;
    const { networkName, assignment, prefix4, prefix6, addresses } = welcome;
    this.#options.credential?.forget();
    this.#options.time.learn(welcome.serverTime, rttMs);
    this.#options.membership.update({
      networkName,
      assignment,
      prefix4,
      prefix6,
      learntAddresses: addresses,
      token: null,
    });
    if (welcome.name !== null) this.#takeName(welcome.name);
    this.#movesOfServer = welcome.places?.moves ?? 0;
    if (welcome.places !== undefined) this.#learn(welcome.places);
    const words = this.#options.time.skewInWords();
    if (words !== null) this.#options.log.warn(controlErrors('CLOCK_WRONG', { words }).message);
    return null;
  }

  #renamed(name: string): void {
    this.#takeName(name);
    this.#machine.publish();
  }

  #takeName(name: string): void {
    if (name === this.#membership.name) return;
    this.#options.log.info('the owner of the network gave this box another name', { name });
    this.#options.membership.update({ name });
  }

  #record(serverGeneration: number): ReturnType<typeof recordToPublish> {
    const { assignment } = this.#membership;
    if (assignment === null) return null;
    const wishes = { prefixes: this.#options.sharedNetworks(), serverGeneration, nowMs: this.nowMs() };
    const record = recordToPublish(this.#facts, assignment, wishes);
    if (record !== null) this.#options.membership.update({ record });
    return record;
  }

  // ---- what comes

  #heard(text: string): void {
    const message = decodeServerMessage(text);
    if (message.ok) this.#machine.heard(message.value);
    else this.#counters.counter(message.code).value++;
  }

  #routeFound(answer: Answer): RouteFound {
    if (answer.type !== 'route')
      throw controlErrors('SERVER_WORD_WRONG', { reason: `${answer.type} instead of a route` });
    const { node, online } = answer;
    const peer = this.#inbox.believed(node);
    if (peer === null) throw controlErrors('PEER_REFUSED', { name: node.record.name, reason: 'see the log' });
    const registration = this.#inbox.registered(peer, answer.registration);
    return { node: peer.node, online, registration, ...this.#inbox.route(answer) };
  }
}

function serverKeyOf({ membership, identity }: ControlOptions): Uint8Array {
  const key = fromBase64Url(membership.current?.serverKey ?? '');
  if (key?.length === 32 && identity.control.diffieHellman(key) !== null) return key;
  throw controlErrors('MEMBERSHIP_DAMAGED', {
    file: MEMBERSHIP_FILE,
    reason: 'the key of the server is none',
  });
}
