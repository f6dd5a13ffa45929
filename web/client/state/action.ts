// Things that take time and may fail: orders that a person gives, and what a screen needs to know first.
import { useEffect, useRef, useState } from 'preact/hooks';

export interface Action {
  readonly busy: boolean;
  readonly problem: unknown;
  /** Answers whether it was done; one at a time. */
  readonly run: (what: () => Promise<unknown>) => Promise<boolean>;
  readonly clear: () => void;
}

export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const running = useRef(false);
  return {
    busy,
    problem,
    clear: () => setProblem(null),
    run: async what => {
      if (running.current) return false;
      running.current = true;
      setBusy(true);
      setProblem(null);
      try {
        await what();
        return true;
      } catch (error) {
        setProblem(error);
        return false;
      } finally {
        running.current = false;
        setBusy(false);
      }
    },
  };
}

export interface Loaded<T> {
  /** The last that came, also while it is asked again. */
  readonly value: T | null;
  readonly problem: unknown;
  readonly reload: () => void;
  readonly set: (value: T) => void;
}

/** Asks at once, and again when `key` is another or `reload` is called. */
export function useLoad<T>(ask: () => Promise<T>, key = ''): Loaded<T> {
  const [value, set] = useState<T | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isWanted = true;
    ask().then(
      answer => {
        if (!isWanted) return;
        set(answer);
        setProblem(null);
      },
      (error: unknown) => isWanted && setProblem(error),
    );
    return () => void (isWanted = false);
  }, [key, turn]);
  return { value, problem, reload: () => setTurn(now => now + 1), set };
}
