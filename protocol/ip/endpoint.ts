// Endpoints from text and from bytes: `192.0.2.1:4444`, `[2001:db8::1]:4444`.
import type { Endpoint } from '../address.ts';
import { accepted, refused, type Result } from '../result.ts';
import { canonicalIp, familyOf, formatIp, parseDecimal, parseIp, type IpAddress } from './address.ts';

/** A literal address and a port from 1 to 65535; `defaultPort` where the text has none. Refuses with `endpoint.syntax`. */
export function parseEndpoint(text: string, defaultPort?: number): Result<Endpoint, 'endpoint.syntax'> {
  const split = splitHostPort(text);
  if (split === null) return refused('endpoint.syntax');
  const ip = parseIp(split.host);
  const port = split.port === null ? (defaultPort ?? null) : parseDecimal(split.port, 65535);
  if (!ip.ok || port === null || port === 0) return refused('endpoint.syntax');
  if (split.bracketed !== (ip.value.family === 6)) return refused('endpoint.syntax');
  return accepted(endpointOf(ip.value, port));
}

export const endpointOf = (ip: IpAddress, port: number): Endpoint => ({
  family: ip.family,
  address: formatIp(ip.bytes),
  port,
});

/** Host and port apart, unjudged: `name:port`, `[v6]:port`, `host`. Null where brackets or colons don't fit. */
export function splitHostPort(
  text: string,
): { readonly host: string; readonly port: string | null; readonly bracketed: boolean } | null {
  const match = /^(?:\[([^\][]*)\]|([^:\][]*))(?::(.*))?$/s.exec(text);
  if (match === null) return null;
  const bracketed = match[1] !== undefined;
  return { host: match[1] ?? match[2] ?? '', port: match[3] ?? null, bracketed };
}

/**
 * As node's TCP sockets tell it: IPv4 on a dual-stack socket shows as `::ffff:192.0.2.1`, a link-local address has its zone.
 * Null: it is none, or the connection is gone already.
 */
export function tcpEndpoint(text: string | undefined, port: number | undefined): Endpoint | null {
  const address = tcpAddress(text);
  return address === null || port === undefined ? null : { family: familyOf(address), address, port };
}

export const tcpAddress = (text: string | undefined): string | null =>
  canonicalIp((text ?? '').replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/, ''));
