// The last log lines, in memory: a bounded number of bytes, so that a question about yesterday costs no flash and no disk.

export const RING_BYTES = 512 * 1024;
/** A line longer than this is left out; that it was is told. */
const MAX_LINE_BYTES = 16 * 1024;

export type RingListener = (line: string) => void;

export class LogRing {
  readonly #maxBytes: number;
  readonly #listeners = new Set<RingListener>();
  #lines: { readonly text: string; readonly bytes: number }[] = [];
  /** Lines before it are gone; they are cut off in bulk. */
  #first = 0;
  #bytes = 0;

  constructor(maxBytes = RING_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** One line of JSON, with or without its line break. */
  write(line: string): void {
    const text = fit(line.endsWith('\n') ? line.slice(0, -1) : line);
    const bytes = Buffer.byteLength(text);
    this.#lines.push({ text, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes) this.#bytes -= this.#lines[this.#first++]?.bytes ?? 0;
    if (this.#first > 1024 && this.#first * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(this.#first);
      this.#first = 0;
    }
    for (const listener of this.#listeners) listener(text);
  }

  /** Oldest first. */
  lines(): string[] {
    return this.#lines.slice(this.#first).map(({ text }) => text);
  }

  /** Each line that comes, until the returned function is called. A listener must not log. */
  listen(listener: RingListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

function fit(line: string): string {
  const bytes = Buffer.byteLength(line);
  if (bytes <= MAX_LINE_BYTES) return line;
  return JSON.stringify({ level: 40, time: new Date().toISOString(), msg: `a line of ${bytes} bytes` });
}
