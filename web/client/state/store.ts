// A small store: one value, those who want to hear of a new one, and a hook that draws anew when its part changed.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface Store<T> {
  get(): T;
  set(next: T): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set: next => {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe: listener => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

export function useStore<T>(store: Store<T>): T;
export function useStore<T, Part>(store: Store<T>, select: (value: T) => Part): Part;
export function useStore<T>(store: Store<T>, select: (value: T) => unknown = value => value): unknown {
  const part = select(store.get());
  const [, draw] = useState<unknown>(part);
  const latest = useRef(select);
  latest.current = select;
  useLayoutEffect(() => {
    // What came between drawing and subscribing would be missed.
    const look = (): void => draw(() => latest.current(store.get()));
    look();
    return store.subscribe(look);
  }, [store]);
  return part;
}
