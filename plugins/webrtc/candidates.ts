// Candidates as they stand in a session description (RFC 8839), and which of them are told and believed.
import type { Endpoint } from '../../protocol/address.ts';
import { canonicalIp, familyOf } from '../../protocol/ip/address.ts';

export interface IceCandidate {
  /** Without `a=`: `candidate:1 1 UDP 2114977791 192.0.2.2 58368 typ host`. */
  readonly line: string;
  /** An address, or a name that ends in `.local` (mDNS). */
  readonly host: string;
  readonly port: number;
  readonly type: 'host' | 'srflx' | 'prflx' | 'relay';
}

const CANDIDATE =
  /^(?:a=)?(candidate:([A-Za-z0-9+/]{1,32}) ([12]) (udp) (\d{1,10}) ([A-Za-z0-9.:-]{2,64}) (\d{1,5}) typ (host|srflx|prflx|relay)(?: [\x21-\x7e ]{1,200})?)\r?$/i;

/** Null: none, or one that is of no use here (TCP, another component). */
export function parseCandidate(text: string): IceCandidate | null {
  const found = CANDIDATE.exec(text);
  if (found === null) return null;
  const [, line = '', , component, , , host = '', portText = '', type = ''] = found;
  const port = Number(portText);
  if (component !== '1' || port < 1 || port > 65_535) return null;
  return { line, host, port, type: type.toLowerCase() as IceCandidate['type'] };
}

/** Null: it is a name. */
export function endpointOf({ host, port }: IceCandidate): Endpoint | null {
  const address = canonicalIp(host);
  const family = address === null ? null : familyOf(address);
  return address === null || family === null ? null : { family, address, port };
}

export const isMdns = ({ host }: IceCandidate): boolean => /^[A-Za-z0-9-]{1,60}\.local$/.test(host);

/** The same with an address in the place of its name. */
export const withAddress = ({ line, host, ...rest }: IceCandidate, address: string): IceCandidate => ({
  ...rest,
  host: address,
  line: line.replace(` ${host} `, ` ${address} `),
});
