// How large an IP packet may be that goes to a peer in one datagram of its path.
import { DATA_MIN_BYTES } from '../../protocol/wireguard/constants.ts';
import { FAST_HEADER_BYTES } from './fast-profile.ts';
import type { Peer } from './peer.ts';

/** What a datagram adds to a packet between two Ginnel nodes. */
export const ADDED_BYTES = DATA_MIN_BYTES + FAST_HEADER_BYTES;
/** IPv6 takes no less (RFC 8200, 5): such a packet goes in any case, by fragments of the datagram if need be. */
export const IPV6_LEAST_BYTES = 1280;

/** In bytes, at most the card's MTU. Without a path: the card's. */
export const roomOf = ({ link, config }: Peer, cardMtu: number): number =>
  link === null
    ? cardMtu
    : Math.min(cardMtu, link.mtu - (config.isGinnel === true ? ADDED_BYTES : DATA_MIN_BYTES));
