// How the entries of an older format become those of the next one: pure steps, one format at a time. The store runs all
// that are missing in one batch, after an export of what was there; see docs/state.md.

/** Keys and values of a store; without the store's own entries. */
export type Entries = ReadonlyMap<string, unknown>;

export interface Migration {
  /** The format it makes, one more than the one it starts from. */
  readonly to: number;
  /** Throws on entries that are not of that format; then nothing is changed. */
  readonly migrate: (entries: Entries) => Entries;
}

/**
 * What every store went through; a store with formats of its own appends to it. 2: the seal (the entries stay).
 */
export const STORE_MIGRATIONS: readonly Migration[] = [{ to: 2, migrate: entries => entries }];

const FIRST_FORMAT = 1;

export const newestFormat = (migrations: readonly Migration[]): number =>
  FIRST_FORMAT + checked(migrations).length;

export function migrated(entries: Entries, from: number, migrations: readonly Migration[]): Entries {
  return checked(migrations)
    .slice(from - FIRST_FORMAT)
    .reduce((before, { migrate }) => migrate(before), entries);
}

function checked(migrations: readonly Migration[]): readonly Migration[] {
  if (migrations.some(({ to }, index) => to !== FIRST_FORMAT + 1 + index))
    throw new TypeError('the migrations must lead from each format to the next');
  return migrations;
}
