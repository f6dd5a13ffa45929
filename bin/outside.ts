// Node and server of one box: what the node measures of the box's place outside, the server tells its boxes; where the
// server is now, the node tells its peers, even those that lost the server. A router's public address may change every
// night; nobody has to say so.
import type { Clock, Timer } from '../base/clock.ts';
import type { NatReport } from '../core/contract/nat-report.ts';
import type { ServerPlaces } from '../protocol/location/messages.ts';
import { parseEndpoint } from '../protocol/ip/endpoint.ts';

const LOOK_EVERY_MS = 10_000;

export interface OutsideParts {
  readonly node: { readonly nat: NatReport; hearPlaces(places: ServerPlaces): void };
  readonly server: {
    readonly places: ServerPlaces | null;
    noteOutside(addresses: readonly string[]): void;
  };
  readonly clock: Clock;
}

/** Until closed. */
export function tellOutside({ node, server, clock }: OutsideParts): { close(): void } {
  let timer: Timer | null = null;
  const look = (): void => {
    const { mapped } = node.nat;
    server.noteOutside(
      mapped.flatMap(text => {
        const endpoint = parseEndpoint(text);
        return endpoint.ok ? [endpoint.value.address] : [];
      }),
    );
    if (server.places !== null) node.hearPlaces(server.places);
    timer = clock.after(LOOK_EVERY_MS, look);
  };
  timer = clock.after(LOOK_EVERY_MS, look);
  return { close: () => timer?.cancel() };
}
