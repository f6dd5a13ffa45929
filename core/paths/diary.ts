// What was tried at one peer, in order and in words, for `why`. Bounded: the newest entries stay.
import type { Said } from '../../base/said.ts';

export interface DiaryEntry {
  /** Monotonic ms. */
  readonly at: number;
  readonly said: Said;
}

const KEPT = 60;

export class Diary {
  #entries: DiaryEntry[] = [];

  note(at: number, said: Said): void {
    if (this.#entries.at(-1)?.said.words === said.words) return;
    this.#entries.push({ at, said });
    if (this.#entries.length > KEPT) this.#entries.shift();
  }

  get entries(): readonly DiaryEntry[] {
    return this.#entries;
  }

  /** One line an entry, oldest first: `12.3 s ago: …`. */
  lines(now: number): string[] {
    return this.#entries.map(({ at, said }) => `${ago(now - at)}: ${said.words}`);
  }
}

function ago(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s ago`;
  return ms < 3_600_000 ? `${Math.round(ms / 60_000)} min ago` : `${Math.round(ms / 3_600_000)} h ago`;
}
