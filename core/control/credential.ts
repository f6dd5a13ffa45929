// What a node shows at its first log-in where it has no invite. In memory only, and only until it is in.
import type { LoginCredential } from '../../protocol/location/messages.ts';

export interface Credential {
  /** For the channel with that transcript hash; null: no longer needed. */
  prove(channelHash: Uint8Array): LoginCredential | null;
  /** The node is in: nothing of it is kept. */
  forget(): void;
}

export function credentialFrom(prove: (channelHash: Uint8Array) => LoginCredential): Credential {
  let kept: typeof prove | null = prove;
  return {
    prove: channelHash => kept?.(channelHash) ?? null,
    forget: () => (kept = null),
  };
}
