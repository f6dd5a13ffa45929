// The page is somewhere else from now on: here nothing is asked any more.
import { createStore } from './store.ts';

export interface Moved {
  readonly isTls: boolean;
  readonly address: string;
}

export const moved = createStore<Moved | null>(null);
