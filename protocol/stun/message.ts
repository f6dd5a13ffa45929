// STUN messages (RFC 8489), decoded and encoded. Stands alone: no sockets, no time.

export type StunClass = 'request' | 'indication' | 'success' | 'error';

/** An attribute as it stands on the wire, without its padding. */
export interface StunAttribute {
  readonly type: number;
  readonly value: Uint8Array;
}

export interface StunMessage {
  readonly class: StunClass;
  /** 1 is Binding. */
  readonly method: number;
  /** 12 bytes. */
  readonly transactionId: Uint8Array;
  /** In wire order, integrity and fingerprint attributes left out: encode and verify handle those. */
  readonly attributes: readonly StunAttribute[];
}
