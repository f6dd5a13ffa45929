// Errors that a person may meet: each has a stable code and says what happened, why, and what to do.
// Every folder keeps its own catalogue (`errors.ts`, made by `defineErrors`); docs/errors.md lists them all.

import { factsOf, fillIn, type Facts } from './facts.ts';

/** What the catalogue knows of a code. `retry`: the same call may succeed later without a change by a person. */
export interface ErrorKind {
  readonly what: string;
  readonly why: string;
  readonly todo: string;
  readonly retry: boolean;
}

/** An error of the world outside (misuse by a programmer is a TypeError). */
export class GinnelError extends Error {
  override readonly name = 'GinnelError';
  readonly code: string;
  readonly retry: boolean;
  /** Facts for `--json` and logs; never secrets. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Those of the details that fill the text. */
  readonly facts: Facts;

  constructor(
    code: string,
    message: string,
    options: { retry?: boolean; details?: Record<string, unknown>; facts?: Facts; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.retry = options.retry ?? false;
    this.details = options.details ?? {};
    this.facts = options.facts ?? {};
  }
}

/** A catalogue: `fail('INVITE_USED', { name })` makes the error; `{name}` in its texts is filled from the details. */
export interface ErrorCatalogue<Code extends string> {
  readonly kinds: Readonly<Record<Code, ErrorKind>>;
  (code: Code, details?: Record<string, unknown>, cause?: unknown): GinnelError;
}

export function defineErrors<const Kinds extends Record<string, ErrorKind>>(
  kinds: Kinds,
): ErrorCatalogue<keyof Kinds & string> {
  const make = (
    code: keyof Kinds & string,
    details: Record<string, unknown> = {},
    cause?: unknown,
  ): GinnelError => {
    const kind = kinds[code];
    if (kind === undefined) throw new TypeError(`no such error code: ${code}`);
    const text = [kind.what, kind.why, kind.todo].filter(part => part !== '').join(' ');
    const message = `${fillIn(text, details)} (${code})`;
    const facts = factsOf(text, details);
    return new GinnelError(code, message, { retry: kind.retry, details, facts, cause });
  };
  return Object.assign(make, { kinds });
}

/** What can go wrong with state, settings and the disk under them. */
export const baseErrors = defineErrors({
  STORE_LOCKED: {
    what: 'The state in {path} is in use.',
    why: 'Another Ginnel runs on the same state folder.',
    todo: 'Stop that one first, or give this one a state folder of its own.',
    retry: true,
  },
  STORE_DAMAGED: {
    what: 'The state in {path} is damaged.',
    why: '{problem}.',
    todo: 'Nothing was changed. Run: ginnel check, then ginnel repair.',
    retry: false,
  },
  STORE_MISSING: {
    what: 'There is no state in {path}.',
    why: '{problem}.',
    todo: 'Is the disk mounted and the folder right? If this box is new, set it up first.',
    retry: false,
  },
  STORE_NEWER: {
    what: 'The state in {path} was written by a newer Ginnel.',
    why: 'It has format {found}; this Ginnel knows up to {known}.',
    todo: 'Install the newer Ginnel again.',
    retry: false,
  },
  STORE_UPGRADE: {
    what: 'The state in {path} could not be brought from format {from} to {to}.',
    why: '{problem}.',
    todo: 'Nothing was changed. Go back to the Ginnel of before, and report it.',
    retry: false,
  },
  STORE_UNREADABLE: {
    what: 'The state in {path} cannot be opened.',
    why: '{problem}.',
    todo: 'Check that the folder belongs to the user Ginnel runs as, and that the disk can be written.',
    retry: false,
  },
  DISK_FULL: {
    what: 'Nothing more can be stored in {path}.',
    why: 'The disk is full ({freeBytes} bytes free). What was confirmed before is safe.',
    todo: 'Make room; it goes on by itself.',
    retry: true,
  },
  STATE_EXPORT_DAMAGED: {
    what: 'The export {path} cannot be used.',
    why: '{problem}.',
    todo: 'Use another one.',
    retry: false,
  },
  CONFIG_UNREADABLE: {
    what: 'The settings in {path} cannot be read.',
    why: '{problem}.',
    todo: 'Check that the file is there and belongs to the user Ginnel runs as.',
    retry: false,
  },
  CONFIG_NOT_JSON: {
    what: 'The settings in {path} are not valid JSON.',
    why: '{problem}.',
    todo: 'Correct the file.',
    retry: false,
  },
  CONFIG_INVALID: {
    what: 'The settings in {path} were not accepted.',
    why: '{problem}.',
    todo: 'Correct the file.',
    retry: false,
  },
  SETTING_UNKNOWN: {
    what: 'There is no setting {key}.',
    why: '{meant}',
    todo: 'All there are: ginnel get.',
    retry: false,
  },
  SETTING_INVALID: {
    what: 'The setting {key} cannot be that.',
    why: 'It may be {mayBe}.',
    todo: 'Nothing was changed. More about it: ginnel get {key}.',
    retry: false,
  },
  SETTINGS_TOO_LARGE: {
    what: 'The settings were not kept.',
    why: 'Together they would take more than {limit} characters.',
    todo: 'Nothing was changed. Choose shorter ones, or unset some.',
    retry: false,
  },
});
