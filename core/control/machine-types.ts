// The machine's times, and what it asks of the sockets, of the node's identity, and tells.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { GinnelError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type { NodeMessage, NodeRecord, ServerMessage, Welcome } from '../../protocol/location/messages.ts';
import type { Question, Unasked } from './requests.ts';
import type { ControlState } from './types.ts';

export const TIMES = {
  /** Keep-alive pings: anywhere between, so that many nodes do not beat as one. Below every NAT's TCP time-out. */
  pingLeastMs: 20_000,
  pingMostMs: 25_000,
  pingAnswerMs: 8_000,
  /** After a change of the network, when doubt is due. */
  doubtAnswerMs: 3_000,
  loginAnswerMs: 15_000,
  /** V4: at intervals. */
  registerMs: 60_000,
  /** Changes within this time are told together. */
  registerSoonMs: 500,
  /** A connection that held this long was a good one: the next retry is a first one. */
  provenMs: 60_000,
  /** One that waits for approval asks again at this pace, should the server not tell by itself. Below its idle time. */
  waitingMs: 60_000,
  /** A member that was refused for good asks again at this pace: someone may have mended it far away. */
  refusedRetryMs: 3_600_000,
  /** However often the network changes: no more dials by that than one in this time. */
  kickMs: 2_000,
} as const;

/** What the machine asks of the sockets. */
export interface ControlWire {
  /** Ends in `opened` or `failed`. */
  dial(): void;
  send(message: NodeMessage): void;
  /** Ends the connection or the dialling under way; nothing is told of it any more. */
  hangUp(): void;
}

/** What the machine asks of the node's identity and membership. */
export interface ControlWords {
  login(channelHash: Uint8Array): Question;
  /** Checks and keeps it; what is wrong with it, or null. */
  welcome(welcome: Welcome, rttMs: number): string | null;
  /** The record to publish where the server's is not the present one. */
  record(serverGeneration: number): NodeRecord | null;
  /** Was this node ever let in? */
  isMember(): boolean;
}

export interface MachineEvents {
  welcomed(welcome: Welcome, server: Endpoint): void;
  stateChanged(state: ControlState, reason: string): void;
  /** A record or registration was refused: nobody waits for the answer, so it is told. */
  refused(what: 'publish' | 'register', problem: GinnelError): void;
  /** Messages that answer no question. */
  told(message: Extract<ServerMessage, { readonly type: Unasked }>): void;
}

export interface MachineOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
  readonly wire: ControlWire;
  readonly words: ControlWords;
  readonly events: MachineEvents;
}
