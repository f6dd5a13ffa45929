// Servers that a connection asks: the location server's STUN, and TURN from the settings, with a password or one made from a
// secret that ends after a day (the TURN REST convention, as coturn's `use-auth-secret` has it).
import type { Endpoint } from '../../protocol/address.ts';
import type { Primitives } from '../../protocol/primitives.ts';
import type { IceServer } from './library.ts';
import type { WebrtcSettings } from './settings.ts';

export const CREDENTIALS_LAST_MS = 24 * 60 * 60_000;

export interface TurnCredentials {
  readonly username: string;
  readonly password: string;
  /** When they end (`wallMs`); null: never. */
  readonly until: number | null;
}

/** Null: there is no TURN server, or nothing to show it. */
export function credentialsOf(
  { turn, user, password, secret }: WebrtcSettings,
  primitives: Pick<Primitives, 'hmacSha1'>,
  wallMs: number,
): TurnCredentials | null {
  if (turn.length === 0 || (password === '' && secret === '')) return null;
  if (secret === '') return { username: user, password, until: null };
  const until = wallMs + CREDENTIALS_LAST_MS;
  const username = `${Math.floor(until / 1000)}${user === '' ? '' : `:${user}`}`;
  const encoder = new TextEncoder();
  const mac = primitives.hmacSha1(encoder.encode(secret), encoder.encode(username));
  return { username, password: Buffer.from(mac).toString('base64'), until };
}

/** The library asks one STUN server and up to two TURN servers, over UDP. */
export function iceServers(
  stun: Endpoint | null,
  { turn }: WebrtcSettings,
  credentials: TurnCredentials | null,
): readonly IceServer[] {
  const servers: IceServer[] = stun === null ? [] : [{ hostname: stun.address, port: stun.port }];
  if (credentials === null) return servers;
  const { username, password } = credentials;
  const relays = turn.map(({ host, port }) => ({
    ...{ hostname: host, port, username, password },
    relayType: 'TurnUdp' as const,
  }));
  return [...servers, ...relays];
}
