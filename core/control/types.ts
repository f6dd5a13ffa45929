// The node's end of the location protocol, as the rest of the node sees it.
import type { NodeId, PathSignal, Registration, SignedNode, Welcome } from '../../protocol/location/messages.ts';
import type { Endpoint } from '../../protocol/address.ts';

export type ControlState = 'connecting' | 'connected' | 'away' | 'refused' | 'stopped';

export interface RouteFound {
  readonly node: SignedNode;
  readonly online: boolean;
  readonly registration: Registration | null;
}

export interface ControlEvents {
  /** Logged in; also after every reconnection. */
  welcomed(welcome: Welcome, server: Endpoint): void;
  stateChanged(state: ControlState, reason: string): void;
  /** A verified signal of a verified node. */
  signalled(from: SignedNode, signal: PathSignal): void;
  nodeChanged(node: SignedNode, online: boolean): void;
  seenFrom(endpoint: Endpoint): void;
}

export interface Control {
  readonly state: ControlState;
  /** Monotonic ms of the last message from the server; null: never. */
  readonly lastHeardAt: number | null;
  /** Round trip to the server in ms; null: unknown. */
  readonly rttMs: number | null;
  start(): void;
  stop(): Promise<void>;
  register(registration: Registration): void;
  /** Rejects with a GinnelError: NODE_UNKNOWN, SERVER_AWAY, … */
  lookup(what: { address: string } | { node: NodeId } | { wireguardKey: string }): Promise<RouteFound>;
  /** Sealed to the node; rejects with NODE_OFFLINE, SERVER_AWAY. */
  signal(to: SignedNode, signal: PathSignal): Promise<void>;
}
