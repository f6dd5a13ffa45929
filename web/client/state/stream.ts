// An answer that comes line by line, shown while it comes, and ended with the screen that shows it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { stream } from './api.ts';

export interface Streaming<T> {
  readonly lines: readonly T[];
  readonly busy: boolean;
  readonly problem: unknown;
  readonly start: (path: string, body: object) => void;
  readonly stop: () => void;
}

/** Keeps the last `most` lines. */
export function useStream<T>(most: number): Streaming<T> {
  const [lines, setLines] = useState<readonly T[]>([]);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const running = useRef<AbortController | null>(null);
  const stop = (): void => {
    running.current?.abort();
    running.current = null;
    setBusy(false);
  };
  useEffect(() => stop, []);
  const start = (path: string, body: object): void => {
    stop();
    const mine = new AbortController();
    running.current = mine;
    setLines([]);
    setProblem(null);
    setBusy(true);
    void read(path, body, mine);
  };
  const read = async (path: string, body: object, mine: AbortController): Promise<void> => {
    try {
      for await (const line of stream<T>(path, body, mine.signal)) {
        if (mine.signal.aborted) return;
        setLines(now => [...now.slice(1 - most), line]);
      }
    } catch (error) {
      if (!mine.signal.aborted) setProblem(error);
    }
    if (running.current === mine) stop();
  };
  return { lines, busy, problem, start, stop };
}
