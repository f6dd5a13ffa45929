// How much one address, one node and all together may ask of a location server. Its cost must not grow with traffic (V14).

export interface ServerLimits {
  /** Open TCP connections from one address (an IPv6 /64), and in all. */
  readonly connectionsPerAddress: number;
  readonly connections: number;
  /** From the first byte to the log-in. */
  readonly loginTimeoutMs: number;
  /** A logged-in node that says nothing for so long is gone; nodes ping every 20 to 25 s. */
  readonly idleMs: number;
  /** Handshakes a second after a start, doubled every ten seconds up to the second number: no herd. */
  readonly handshakesPerSecond: number;
  readonly handshakesPerSecondMost: number;
  readonly handshakeBurst: number;
  /** Of one address, so that nobody alone uses up the handshakes of all. */
  readonly handshakesPerAddressPerSecond: number;
  readonly handshakesPerAddressBurst: number;
  /** Signals of one node: messages, and bytes of their sealed part. */
  readonly signalsPerSecond: number;
  readonly signalBurst: number;
  readonly signalBytesPerSecond: number;
  readonly signalBytesBurst: number;
  /** All other requests of one node; publishing (it writes to the disk) more strictly. */
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
  readonly publishesPerMinute: number;
  readonly publishBurst: number;
  /** Requests of one node that wait for an answer. */
  readonly pendingRequests: number;
  /** Bytes that wait to be sent to one node before it is cut off. */
  readonly backlogBytes: number;
  /** Nodes whose changes one node is told; the one longest not asked for is forgotten. */
  readonly watchedNodes: number;
  /** STUN requests of one source. */
  readonly stunPerSecond: number;
  readonly stunBurst: number;
  /** Looks at nodes' TCP doors under way in all, how long each waits, and how soon a node's are looked at again. */
  readonly doorChecks: number;
  readonly doorTimeoutMs: number;
  readonly doorAgainMs: number;
  /** Relays are told to a node whose door was not seen to answer within that time. */
  readonly doorGraceMs: number;
  /** Loopback addresses count as public ones for TCP doors: for tests. */
  readonly loopbackDoors: boolean;
}

export const DEFAULT_LIMITS: ServerLimits = {
  connectionsPerAddress: 256,
  connections: 20_000,
  loginTimeoutMs: 10_000,
  idleMs: 75_000,
  handshakesPerSecond: 50,
  handshakesPerSecondMost: 1000,
  handshakeBurst: 100,
  handshakesPerAddressPerSecond: 20,
  handshakesPerAddressBurst: 64,
  signalsPerSecond: 5,
  signalBurst: 40,
  signalBytesPerSecond: 16_384,
  signalBytesBurst: 131_072,
  requestsPerSecond: 20,
  requestBurst: 200,
  publishesPerMinute: 6,
  publishBurst: 10,
  pendingRequests: 64,
  backlogBytes: 512 * 1024,
  watchedNodes: 1024,
  stunPerSecond: 20,
  stunBurst: 100,
  doorChecks: 20,
  doorTimeoutMs: 3000,
  doorAgainMs: 10_000,
  doorGraceMs: 400,
  loopbackDoors: false,
};
