// Health: what a person should know though nothing failed that they asked for. Each line has a stable code and says what
// is, why, and what to do; every folder keeps its own catalogue (`health.ts`), docs/health.md lists them all.

import { factsOf, fillIn, type Facts } from './facts.ts';

/** `problem`: something does not work. `warning`: it works, but not as it should. `note`: good to know. */
export type Severity = 'problem' | 'warning' | 'note';

export interface HealthLine {
  readonly code: string;
  readonly severity: Severity;
  readonly words: string;
  /** What a person could do, where there is something. */
  readonly todo: string;
  /** What fills the texts of the code. */
  readonly facts: Facts;
}

/** What the catalogue knows of a code. */
export interface HealthKind {
  readonly severity: Severity;
  readonly what: string;
  readonly why: string;
  readonly todo: string;
}

/** `health('CLOCK_WRONG', { skew })` makes the line; `{skew}` in its texts is filled from the facts. */
export interface HealthCatalogue<Code extends string> {
  readonly kinds: Readonly<Record<Code, HealthKind>>;
  (code: Code, facts?: Readonly<Record<string, unknown>>): HealthLine;
}

export function defineHealth<const Kinds extends Record<string, HealthKind>>(
  kinds: Kinds,
): HealthCatalogue<keyof Kinds & string> {
  const line = (code: keyof Kinds & string, facts: Readonly<Record<string, unknown>> = {}): HealthLine => {
    const kind = kinds[code];
    if (kind === undefined) throw new TypeError(`no such health code: ${code}`);
    const words = [kind.what, kind.why].filter(part => part !== '').join(' ');
    return {
      ...{ code, severity: kind.severity, words: fillIn(words, facts), todo: fillIn(kind.todo, facts) },
      facts: factsOf(`${words} ${kind.todo}`, facts),
    };
  };
  return Object.assign(line, { kinds });
}

/** Worst first; among equals in the order given. */
export const worstFirst = (lines: readonly HealthLine[]): HealthLine[] =>
  (['problem', 'warning', 'note'] as const).flatMap(severity =>
    lines.filter(line => line.severity === severity),
  );
