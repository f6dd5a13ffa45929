// What a server at home asks of whoever can make the router in front pass ports on. Where nobody does, the server says what to
// forward by hand.

export interface ForwardedPort {
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
}

export interface PortMapper {
  /**
   * Asks the router to pass these on to this machine, and keeps it so until aborted. `granted`: at which outer
   * `host:port` the first of them can be reached now, each time that changes; empty: the router does not.
   */
  keep(
    ports: readonly ForwardedPort[],
    signal: AbortSignal,
    granted: (places: readonly string[]) => void,
  ): void;
}
