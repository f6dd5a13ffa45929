// What the two ends say to each other by sealed signals, as JSON. Who does not know a version says so with its own.
export const VERSION = 1;

/** Candidates in one message, and of one connection. */
export const MAX_CANDIDATES = 16;

export type Saying =
  /** The end that does not offer wants a channel: please offer. */
  | { readonly type: 'want' }
  /** `id` names the connection from then on. */
  | Described<'offer'>
  | Described<'answer'>
  | { readonly type: 'candidates'; readonly id: string; readonly candidates: readonly string[] };

interface Described<Type extends 'offer' | 'answer'> {
  readonly type: Type;
  readonly id: string;
  readonly sdp: string;
  readonly candidates: readonly string[];
}

export const encodeSaying = (saying: Saying): string => JSON.stringify({ v: VERSION, ...saying });

/** `version`: the other end speaks another one. Null: nonsense. */
export function decodeSaying(text: string): Saying | 'version' | null {
  const words = parsed(text);
  if (words === null) return null;
  const { v, type, id, sdp } = words;
  if (typeof v !== 'number') return null;
  if (v !== VERSION) return 'version';
  if (type === 'want') return { type };
  if (typeof id !== 'string' || !/^[A-Za-z0-9_-]{8,32}$/.test(id)) return null;
  const candidates = textsOf(words['candidates']);
  if (candidates === null) return null;
  if (type === 'candidates') return { type, id, candidates };
  if ((type !== 'offer' && type !== 'answer') || typeof sdp !== 'string') return null;
  return { type, id, sdp, candidates };
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function textsOf(value: unknown): readonly string[] | null {
  if (!Array.isArray(value)) return null;
  const all: unknown[] = value.slice(0, MAX_CANDIDATES);
  return all.every(text => typeof text === 'string' && text.length <= 400) ? (all as string[]) : null;
}
