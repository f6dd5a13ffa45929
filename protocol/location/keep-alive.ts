// The UDP keep-alive bound to a log-in (P1): a STUN Binding request whose USERNAME names the log-in and whose
// MESSAGE-INTEGRITY-SHA256 proves it. The welcome's `keepAlive` carries both: `username.secret`.
import { fromBase64Url } from '../base64.ts';

export interface KeepAlive {
  /** Goes into USERNAME (16 characters). */
  readonly username: string;
  /** The key of MESSAGE-INTEGRITY-SHA256: 32 bytes, never sent. */
  readonly key: Uint8Array;
}

/** Takes the welcome's `keepAlive` apart; null where it is malformed. */
export function parseKeepAlive(token: string): KeepAlive | null {
  const [username, secret, ...rest] = token.split('.');
  const key = fromBase64Url(secret ?? '');
  return username?.length === 16 && key?.length === 32 && rest.length === 0 ? { username, key } : null;
}
