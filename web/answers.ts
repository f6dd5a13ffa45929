// How errors look on the wire: one shape for all, and the HTTP status that goes with a code.
import type { GinnelError } from '../base/errors.ts';

export interface ErrorAnswer {
  readonly code: string;
  readonly message: string;
  /** The same request may succeed later without a change by a person. */
  readonly retry: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

export const errorAnswer = (error: GinnelError): ErrorAnswer => ({
  code: error.code,
  message: error.message,
  retry: error.retry,
  details: error.details,
});

const STATUS_OF: Readonly<Record<string, number>> = {
  API_NOT_FOUND: 404,
  API_BODY: 400,
  API_BODY_TOO_LARGE: 413,
  API_READ_ONLY: 403,
  API_NO_NODE: 501,
  API_NO_SERVER: 501,
  API_INTERNAL: 500,
  PAGE_HOST: 403,
  PAGE_CROSS_SITE: 403,
  PAGE_BODY_TYPE: 415,
  PAGE_SIGN_IN: 401,
  PAGE_OWNER_NONE: 409,
  PAGE_OWNER_SET: 409,
  PAGE_PASSWORD_WRONG: 403,
  PAGE_CODE: 403,
  PAGE_TRIES: 429,
  PAGE_TLS: 403,
  PAGE_SESSION_UNKNOWN: 404,
  PAGE_NOT_BUILT: 503,
  PAGE_NO_FILE: 404,
};

/** Unknown things are 404; what may work later is 503; what stays refused until someone changes something is 422. */
export function statusOf(error: GinnelError): number {
  const own = STATUS_OF[error.code];
  if (own !== undefined) return own;
  if (/^(PEER|NODE|PLUGIN|RULE)_UNKNOWN$/.test(error.code)) return 404;
  return error.retry ? 503 : 422;
}
