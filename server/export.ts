// What an export of this server says and holds, whether it runs or is down; with `move`, it is marked as gone from here.
import type { ScopedStore } from '../base/store.ts';
import type { ExportedServer } from './admin.ts';
import { serverErrors } from './errors.ts';
import { encodeExport } from './export-file.ts';
import type { ExportContents } from './export-file.ts';
import { machineAddresses } from './machine-addresses.ts';
import { hasMoved, markMoved, movesOf } from './moving.ts';
import type { NetworkEntry } from './registry-entries.ts';
import type { CreateServerOptions } from './server.ts';
import type { ServerValues } from './settings.ts';
import { hasState, openRegistry } from './start.ts';
import { contentsOf } from './transfer.ts';

export interface ExportWishes {
  readonly passphrase: string | null;
  readonly move: boolean;
}

/** Errors: SERVER_KEYS_MISSING, and the store's. */
export async function exportOf(
  { stateDir, clock }: CreateServerOptions,
  store: ScopedStore,
  { passphrase, move }: ExportWishes,
): Promise<ExportedServer> {
  const contents = await contentsOf(stateDir, store);
  const made = Math.max(0, Math.floor(clock.wallMs()));
  const file = await encodeExport(contents, made, passphrase);
  // Last: what could not be exported has not moved.
  if (move) await markMoved(store, { at: made, to: [], moves: (await movesOf(store)) + 1 });
  return { file, made, ...inWords(contents), sealed: passphrase !== null, moved: move };
}

/** Of a server that is down. Errors: SERVER_NOT_SET_UP, and those above. */
export async function exportAtRest(
  options: CreateServerOptions,
  wishes: ExportWishes,
): Promise<ExportedServer> {
  if (!(await hasState(options))) throw serverErrors('SERVER_NOT_SET_UP', { folder: options.stateDir });
  const store = await openRegistry(options, false);
  try {
    return await exportOf(options, store, wishes);
  } finally {
    await store.close();
  }
}

/** Of a server that is down; null: there is none here, or it moved away. */
export async function contentsAtRest(options: CreateServerOptions): Promise<ExportContents | null> {
  if (!(await hasState(options))) return null;
  const store = await openRegistry(options, false);
  try {
    return (await hasMoved(store)) ? null : await contentsOf(options.stateDir, store);
  } finally {
    await store.close();
  }
}

function inWords({ keys, entries }: ExportContents): Pick<ExportedServer, 'networkName' | 'nodes'> {
  const own = `net/${keys.network}/`;
  const network = entries.find(([key]) => key === `${own}network`)?.[1] as NetworkEntry | undefined;
  const nodes = entries.filter(([key]) => key.startsWith(`${own}node/`)).length;
  return { networkName: network?.networkName ?? '', nodes };
}

/** Before anything is changed: would it find its addresses here? Error: SERVER_LISTEN. */
export function refuseListen(contents: ExportContents, wanted: readonly string[] | undefined): void {
  const missing = missingHere(wanted ?? chosenIn(contents).listen ?? []);
  if (missing.length > 0) throw serverErrors('SERVER_LISTEN', { addresses: missing.join(', ') });
}

/** The same, listening on all addresses where this machine lacks one that was chosen; and which those are. */
export function fitToMachine(contents: ExportContents): { contents: ExportContents; missing: string[] } {
  const { listen = [], ...rest } = chosenIn(contents);
  const missing = missingHere(listen);
  if (missing.length === 0) return { contents, missing };
  const entries = contents.entries.map(entry =>
    entry[0] === CHOSEN_KEY ? ([CHOSEN_KEY, rest] as const) : entry,
  );
  return { contents: { ...contents, entries }, missing };
}

const CHOSEN_KEY = 'settings/chosen';

function chosenIn({ entries }: ExportContents): Partial<ServerValues> {
  const kept = entries.find(([key]) => key === CHOSEN_KEY)?.[1];
  return typeof kept === 'object' && kept !== null ? kept : {};
}

function missingHere(listen: readonly string[]): string[] {
  const own = new Set(machineAddresses().map(({ address }) => address));
  return listen.filter(address => !own.has(address));
}
