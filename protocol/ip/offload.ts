// What whoever hands over an IP packet left for the next one to do: a super-packet to cut (TSO, USO), a checksum to fill in.

/** The object may be used again by its maker; it is lent until the call returns, like the packet. */
export interface PacketOffload {
  /** Payload bytes of each segment but the last; 0: it is one packet. */
  segment: number;
  /** From where on, in the packet, a checksum is still to be computed; 0: all checksums are whole. */
  checksumStart: number;
  /** Where behind `checksumStart` it is to be put. The sum of the pseudo-header stands there meanwhile. */
  checksumOffset: number;
}

/** Nothing is left to do. */
export const WHOLE: Readonly<PacketOffload> = { segment: 0, checksumStart: 0, checksumOffset: 0 };
