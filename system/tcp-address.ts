// Addresses as node's TCP sockets tell them, as the rest of the house says them.
import type { Endpoint } from '../protocol/address.ts';
import { canonicalIp, familyOf } from '../protocol/ip/address.ts';

/** IPv4 on a dual-stack socket shows as `::ffff:192.0.2.1`; a link-local address has its zone. Null: it is none. */
export const tcpAddress = (text: string | undefined): string | null =>
  canonicalIp((text ?? '').replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/, ''));

/** Null: the connection is gone already. */
export function tcpEndpoint(text: string | undefined, port: number | undefined): Endpoint | null {
  const address = tcpAddress(text);
  return address === null || port === undefined ? null : { family: familyOf(address), address, port };
}

const ALL_OF_4 = '0.0.0.0';
const ALL_OF_6 = '::';

/** Does a listener on the first address get all that comes to the second? Empty: all addresses. */
export const covers = (listener: string, address: string): boolean =>
  listener === '' ||
  listener === address ||
  (address !== '' && listener === (familyOf(address) === 4 ? ALL_OF_4 : ALL_OF_6));
