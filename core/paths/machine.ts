// What a peer's path machine is told and what it asks for. Time and events come in; nothing is sent from here.
import type {
  CandidateWords,
  Forecast,
  PathSignal,
  PunchMethod,
  PunchWords,
} from '../../protocol/location/messages.ts';
import type { Endpoint, IpFamily } from '../../protocol/address.ts';
import type { Random } from '../../base/random.ts';
import type { Said } from '../../base/said.ts';
import type { Counters } from '../../base/counters.ts';
import type { Worked } from '../peers/peer.ts';
import type { AdviceSide } from './advice.ts';
import type { Budget } from './budget.ts';
import type { Diary } from './diary.ts';
import type { Path, Way } from './path.ts';
import type { CardSizes } from './sizing.ts';
import type { NatWords } from '../contract/nat-report.ts';
import type { VolleyAsk } from '../contract/punch.ts';
import type { Verdict } from './verdict.ts';
import type { VolleyEnd } from './volley.ts';

export type MachineOutput =
  /**
   * `transaction`: 24 hex digits. `ttl` null: the ordinary hop limit. `size`: padded to so many bytes, and not to be
   * fragmented; 0: neither.
   */
  | {
      readonly type: 'probe';
      readonly way: Way;
      readonly transaction: string;
      readonly ttl: number | null;
      readonly inUse: boolean;
      readonly size: number;
    }
  /** Datagrams of at most so many bytes go by this way. */
  | { readonly type: 'carries'; readonly way: Way; readonly bytes: number }
  | {
      readonly type: 'signal';
      readonly kind: 'offer' | 'answer';
      readonly attempt: string;
      readonly punch?: PunchWords;
    }
  /** P2 to P4: how does our NAT map new destinations? `measured` is called when that is known, or could not be. */
  | { readonly type: 'measure'; readonly attempt: string; readonly transport: 'udp' | 'tcp' }
  /** P5 to P7: `volleyEnded` is called where nothing got through. */
  | { readonly type: 'fire'; readonly attempt: string; readonly ask: VolleyAsk }
  /** That try is over: nothing more of it leaves. */
  | { readonly type: 'cease'; readonly attempt: string }
  /** The session goes by this one from now on; null: by none. */
  | { readonly type: 'use'; readonly way: Way | null; readonly reason: string }
  /** Our mapped address may have changed: measure it afresh; `refreshed` is called when that is done. */
  | { readonly type: 'refresh' }
  /** What was measured for a try does not fit our NAT report: it has to be taken anew. */
  | { readonly type: 'recheck' }
  /** Now is the time for connections: through relays, or straight to its TCP door. */
  | { readonly type: 'connect' }
  /** A word to be said inside the session, which comes back. */
  | { readonly type: 'echo'; readonly token: string }
  /** It was met in that way: worth beginning with the next time. */
  | { readonly type: 'worked'; readonly worked: Worked }
  /** The peer was met here: worth keeping over a restart. */
  | { readonly type: 'keep'; readonly endpoint: Endpoint };

/** What all machines know of this node. */
export interface SelfView {
  /** Breaks the tie when both ends make an offer at once. */
  readonly id: string;
  isConnected(): boolean;
  serverRttMs(): number | null;
  /** Is there a NAT between us and the world, as far as known? Then an opener goes before the probes. */
  isNatted(family: IpFamily): boolean;
  keepAliveMs(): number;
  /** Is something better than the server's route sought? */
  upgrades(): boolean;
  readonly card: CardSizes;
  nat(): NatWords;
  /** What can be done beyond plain probes; no guessing for an hour after the router had no room for it. */
  can(): readonly PunchMethod[];
  /** Are ports of another peer being guessed? One volley of that sort at a time is enough for a router. */
  isGuessing(): boolean;
  /** The long-lived socket's IPv4 address outside; null: not known. */
  outside(): Endpoint | null;
  /** Names the network this node is in: another text, another network. */
  place(): string;
  /** Null where we have no such family, or it is no place to probe (ourselves, the overlay, nobody's address). */
  readonly wayTo: (endpoint: Endpoint) => Way | null;
}

export interface MachineOptions {
  readonly peer: { readonly id: string; readonly name: string };
  readonly self: SelfView;
  readonly budget: Budget;
  readonly random: Random;
  readonly counters: Counters;
  /** When a packet of the card was sent there last, monotonic ms; -Infinity: never. What paths say themselves is no use. */
  readonly usedAt: () => number;
  /** Where the peer was met before this run. */
  readonly good: readonly Endpoint[];
  readonly others: readonly CandidateWords[];
  readonly worked: Worked | null;
}

export type PeerState = 'direct' | 'relayed' | 'trying' | 'unreachable' | 'idle' | 'offline';

/** All times are monotonic ms. */
export interface Machine {
  /** Drained by whoever drives it, after every call. */
  take(): MachineOutput[];
  wakeAt(now: number): number | null;
  tick(now: number): void;
  /** A packet wants to go there and there is no path. */
  wanted(now: number): void;
  signalled(signal: PathSignal, now: number): void;
  /** An authenticated probe of the peer came over this way. */
  requested(way: Way, inUse: boolean, now: number): void;
  /** What `measure` asked for; null: no server answered. */
  measured(attempt: string, forecast: Forecast | null, now: number): void;
  volleyEnded(attempt: string, end: VolleyEnd, now: number): void;
  /** The peer answered a shot of a volley. */
  hit(way: Way, now: number): void;
  /** Does a path that is believed go by that further socket? */
  usesSocket(localPort: number): boolean;
  /** Or any other? */
  knowsSocket(localPort: number): boolean;
  /** Its answer to a probe; false where we never asked that. */
  answered(way: Way, transaction: string, seenAs: Endpoint | null, now: number): boolean;
  /** An authenticated packet of the session came over this way. */
  heard(way: Way, now: number): void;
  /** The session sends, for the first time since it was last heard. */
  sent(now: number): void;
  closed(way: Way, now: number): void;
  /** Is that one of its ways? By its key. */
  knows(way: string): boolean;
  /** A connection leads there: worth asking at once. */
  linked(way: Way, learnt: string, now: number): void;
  /** The word that `echo` asked for came back, */
  echoed(token: string, now: number): void;
  /** or no session was there to say it in. */
  unsaid(token: string): void;
  /** V7: where anybody can reach it, by the server's table. */
  routed(open: readonly Endpoint[], now: number): void;
  candidatesChanged(now: number): void;
  networkChanged(now: number): void;
  refreshed(now: number): void;
  /** `SelfView.upgrades` is another. */
  upgradesChanged(now: number): void;
  serverChanged(connected: boolean, now: number): void;
  onlineChanged(online: boolean, now: number): void;
  signalFailed(attempt: string, code: string, now: number): void;
  /** The daemon started again: the peer may be looking for us where it last met us. */
  restored(now: number): void;
  /** By its last signal; null: it never sent one. */
  readonly remote: AdviceSide | null;
  /** What the peer's last signal told of ways that are no UDP addresses. */
  readonly others: readonly CandidateWords[];
  /** By the peer's own last word. */
  readonly isUdpBlocked: boolean;
  readonly active: Path | null;
  readonly paths: Iterable<Path>;
  readonly state: PeerState;
  readonly reason: Said;
  readonly verdict: Verdict | null;
  readonly diary: Diary;
}
