// Which protocols the gateway speaks: all that are wanted are tried side by side, since nobody knows before.
import type { Random } from '../../base/random.ts';
import { later } from './later.ts';
import { findNatPmp } from './nat-pmp.ts';
import { findPcp } from './pcp.ts';
import { PROTOCOL_NAMES, type Ground, type PortProtocol, type ProtocolName } from './protocol.ts';
import { findUpnp } from './upnp.ts';
import type { Wire } from './wire.ts';

/** A preferred protocol's answer is waited for a little when another one's is there. */
const GRACE_MS = 100;

export interface FindOptions extends Ground {
  readonly random: Random;
  readonly protocols: readonly ProtocolName[];
}

export interface Spoken {
  /** Those that answered soon, the preferred one first; slower ones are added as they come. */
  readonly spoken: readonly PortProtocol[];
  /** Settles when each has answered, or has not. */
  readonly all: Promise<void>;
}

export async function findProtocols(options: FindOptions, wire: Wire, signal: AbortSignal): Promise<Spoken> {
  const { protocols, random, clock } = options;
  const finders: Record<ProtocolName, () => Promise<PortProtocol | null>> = {
    pcp: () => findPcp(options, wire, signal),
    'nat-pmp': () => findNatPmp(options, wire, signal),
    upnp: () => findUpnp(options, random, signal),
  };
  // The other two are IPv4's alone.
  const wanted = PROTOCOL_NAMES.filter(
    name => protocols.includes(name) && (name === 'pcp' || options.gateway.family === 4),
  );
  const spoken: PortProtocol[] = [];
  const first = later();
  const asked = wanted.map(async (name, rank) => {
    const found = await finders[name]().catch(() => null);
    if (found === null) return;
    spoken.push(found);
    if (rank === 0) first.resolve();
    else clock.after(GRACE_MS, first.resolve);
  });
  const all = Promise.all(asked).then(() => undefined);
  await Promise.race([first.promise, all]);
  spoken.sort((a, b) => PROTOCOL_NAMES.indexOf(a.name) - PROTOCOL_NAMES.indexOf(b.name));
  return { spoken, all };
}
