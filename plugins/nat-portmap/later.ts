// A promise whose end is in one's own hands.
export interface Later {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

export function later(): Later {
  let resolve = (): void => undefined;
  const promise = new Promise<void>(settle => (resolve = settle));
  return { promise, resolve };
}
