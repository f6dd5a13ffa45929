// The UDP keep-alives bound to log-ins (P1): which log-in a Binding request belongs to, and from where it was seen.
import { sameEndpoint } from '../protocol/address.ts';
import type { Endpoint, IpFamily } from '../protocol/address.ts';
import { toBase64Url } from '../protocol/base64.ts';
import type { Primitives } from '../protocol/primitives.ts';
import { readUsername } from '../protocol/stun/attributes.ts';
import type { DecodedStun } from '../protocol/stun/codec.ts';
import { verifyIntegritySha256 } from '../protocol/stun/integrity.ts';

const KEPT_TRANSACTIONS = 16;
const FULL_MAC = 32;

interface Kept {
  readonly key: Uint8Array;
  readonly seen: (endpoint: Endpoint) => void;
  readonly transactions: string[];
  /** The last of each family: a home with both is seen under both. */
  readonly endpoints: Map<IpFamily, Endpoint>;
}

export class KeepAlives {
  readonly #primitives: Primitives;
  readonly #kept = new Map<string, Kept>();

  constructor(primitives: Primitives) {
    this.#primitives = primitives;
  }

  /** The token for a welcome, `username.secret`; `seen` is called for the first address and for each other one. */
  issue(seen: (endpoint: Endpoint) => void): string {
    const username = toBase64Url(this.#primitives.randomBytes(12));
    const key = this.#primitives.randomBytes(32);
    this.#kept.set(username, { key, seen, transactions: [], endpoints: new Map() });
    return `${username}.${toBase64Url(key)}`;
  }

  withdraw(token: string): void {
    this.#kept.delete(token.slice(0, token.indexOf('.')));
  }

  /** Where the keep-alives of that token came from last, by either family. */
  seen(token: string): readonly Endpoint[] {
    return [...(this.#kept.get(token.slice(0, token.indexOf('.')))?.endpoints.values() ?? [])];
  }

  /** True where the request is a keep-alive of somebody logged in. A repeated one moves nothing. */
  note(request: DecodedStun, from: Endpoint): boolean {
    const kept = this.#kept.get(readUsername(request) ?? '');
    if (kept === undefined || !verifyIntegritySha256(request, kept.key, this.#primitives, FULL_MAC))
      return false;
    const transaction = toBase64Url(request.transactionId);
    if (kept.transactions.includes(transaction)) return true;
    kept.transactions.push(transaction);
    if (kept.transactions.length > KEPT_TRANSACTIONS) kept.transactions.shift();
    const before = kept.endpoints.get(from.family);
    if (before !== undefined && sameEndpoint(before, from)) return true;
    kept.endpoints.set(from.family, from);
    kept.seen(from);
    return true;
  }
}
