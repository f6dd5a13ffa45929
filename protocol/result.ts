// Protocol code answers results and throws nothing: what came over the wire is never an exception.

export interface Accepted<T> {
  readonly ok: true;
  readonly value: T;
}

/** `code` is stable and counted: `stun.truncated`, `wireguard.mac1`. */
export interface Refused<Code extends string = string> {
  readonly ok: false;
  readonly code: Code;
}

export type Result<T, Code extends string = string> = Accepted<T> | Refused<Code>;

export const accepted = <T>(value: T): Accepted<T> => ({ ok: true, value });
export const refused = <Code extends string>(code: Code): Refused<Code> => ({ ok: false, code });
