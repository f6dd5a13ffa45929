// As much of IP as the data plane looks at: the version, the length that the header claims, where the addresses lie.

export const IPV4_HEADER_BYTES = 20;
export const IPV6_HEADER_BYTES = 40;

/**
 * The whole packet's length by its header, at `bytes[at..at+length)`; 0 where it is no IP packet. It may be more or
 * less than `length`.
 */
export function claimedLength(bytes: Uint8Array, at: number, length: number): number {
  const version = bytes[at]! >> 4;
  if (version === 4 && length >= IPV4_HEADER_BYTES) {
    const claimed = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    return claimed < IPV4_HEADER_BYTES ? 0 : claimed;
  }
  if (version === 6 && length >= IPV6_HEADER_BYTES) {
    return IPV6_HEADER_BYTES + ((bytes[at + 4]! << 8) | bytes[at + 5]!);
  }
  return 0;
}

export const isIpv4 = (bytes: Uint8Array, at: number): boolean => bytes[at]! >> 4 === 4;
export const IPV4_SOURCE_AT = 12;
export const IPV4_DESTINATION_AT = 16;
export const IPV6_SOURCE_AT = 8;
export const IPV6_DESTINATION_AT = 24;
