// `ginnel server export`, `ginnel server import`: the whole server in one file, and back on another machine.
import { access, open, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { replaceFile } from '../../base/disk.ts';
import type { ExportedServer, ImportOptions, ServerSummary } from '../../server/admin.ts';
import { commandErrors } from '../errors.ts';
import { exportScreen, importScreen } from '../screens/transfer.ts';
import { each, port } from './arguments.ts';
import { withJson, type Kit } from './command.ts';

/** As much as an import takes. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Of a passphrase: as many as of an account's password. */
const LEAST_CHARACTERS = 10;

interface ExportFlags {
  readonly passphrase?: boolean;
  readonly move?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

interface ImportFlags {
  readonly passphrase?: boolean;
  readonly port?: number;
  readonly secondPort?: number;
  readonly webPort?: number;
  readonly listen?: readonly string[];
  readonly withoutListen?: boolean;
  readonly advertise?: readonly string[];
  readonly json?: boolean;
}

export function transferCommands(server: Command, kit: () => Kit): void {
  withJson(server.command('export'))
    .summary('everything of the location server in one file: a back-up, or its way to another machine')
    .description(
      'Writes keys, boxes, invites and settings of the location server to FILE (- is standard output).\nWho has the file can be the server: keep it safe, or seal it with a passphrase.',
    )
    .argument('<file>', 'where to write it; - is standard output')
    .option('--passphrase', 'seal it; asked for, or read from standard input')
    .option('--move', 'stop this server, and keep it from starting here again by itself')
    .option('--force', 'overwrite FILE where it is there')
    .action((file: string, flags: ExportFlags) => exportServer(kit(), file, flags));
  withJson(server.command('import'))
    .summary('become the location server of an export, and start it')
    .description(
      'For a machine without a location server. The boxes find it at its new address by its key:\nwhere nothing tells them, say on one of them: ginnel set server ADDRESS.',
    )
    .argument('<file>', 'the export; - is standard input')
    .option('--passphrase', 'it is sealed; asked for, or the first line of standard input')
    .option('--port <port>', 'another TCP and UDP port than before', port)
    .option('--second-port <port>', 'another second port than before', port)
    .option('--web-port <port>', 'another TCP port for homes that let only the web out', port)
    .option('--listen <address>', 'listen on this address only; may be given again', each)
    .option('--without-listen', "listen on all of this machine's addresses")
    .option('--advertise <host>', 'name or address that boxes are told; may be given again', each)
    .action((file: string, flags: ImportFlags) => importServer(kit(), file, flags));
}

async function exportServer(kit: Kit, path: string, flags: ExportFlags): Promise<void> {
  if (path !== '-') await orFileError(path, tryPlace(path));
  if (path !== '-' && flags.force !== true) await refuseExisting(path);
  const wishes = flags.passphrase === true ? { passphrase: await newPassphrase(kit) } : {};
  await kit.ensureDaemon(flags.json === true || path === '-');
  const asked = (move: boolean): Promise<ExportedServer> =>
    kit.client.post<ExportedServer>('/v1/server/export', { ...wishes, ...(move ? { move } : {}) });
  const isMove = flags.move === true;
  if (path === '-') {
    kit.around.out((await asked(isMove)).file);
    return;
  }
  const copy = await asked(false);
  await orFileError(path, replaceFile(path, copy.file));
  const exported = isMove ? await moved(path, () => asked(true)) : copy;
  // The file itself stays out of the answer.
  kit.show(flags.json === true, { ...exported, file: undefined, path }, () => exportScreen(exported, path));
}

/** A folder that is not there or may not be written is told before anything is asked. */
async function tryPlace(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory() === true) throw new Error('it is a folder');
  const trial = join(dirname(path), `.${basename(path)}.${process.pid}.trial`);
  try {
    const file = await open(trial, 'wx', 0o600);
    await file.sync().finally(() => file.close());
  } finally {
    await rm(trial, { force: true });
  }
}

/** A whole file lies there already: whatever happens from here on, the server is in it. Error: EXPORT_MOVE. */
async function moved(path: string, move: () => Promise<ExportedServer>): Promise<ExportedServer> {
  try {
    const exported = await move();
    await replaceFile(path, exported.file);
    return exported;
  } catch (error) {
    throw commandErrors('EXPORT_MOVE', { file: path, problem: reasonOf(error).replace(/\.$/, '') }, error);
  }
}

async function orFileError(file: string, work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    throw commandErrors('EXPORT_FILE', { file, problem: reasonOf(error) }, error);
  });
}

async function importServer(kit: Kit, path: string, flags: ImportFlags): Promise<void> {
  const isSealed = flags.passphrase === true;
  const input = path === '-' ? await textOf(kit) : '';
  const [first = '', ...rest] = isSealed && path === '-' ? input.split('\n') : [];
  const file = path !== '-' ? await textFrom(path) : isSealed ? rest.join('\n') : input;
  const passphrase = !isSealed ? {} : { passphrase: path === '-' ? first : await askedPassphrase(kit) };
  const asked: ImportOptions = { file, ...passphrase, ...machineOptions(flags) };
  await kit.ensureDaemon(flags.json === true);
  const summary = await kit.client.post<ServerSummary>('/v1/server/import', asked);
  kit.show(flags.json === true, summary, () => importScreen(summary));
}

async function refuseExisting(file: string): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere) throw commandErrors('EXPORT_EXISTS', { file });
}

function machineOptions(flags: ImportFlags): Partial<ImportOptions> {
  const listen = flags.withoutListen === true ? [] : flags.listen;
  return {
    ...(flags.port === undefined ? {} : { port: flags.port }),
    ...(flags.secondPort === undefined ? {} : { secondPort: flags.secondPort }),
    ...(flags.webPort === undefined ? {} : { webPort: flags.webPort }),
    ...(listen === undefined ? {} : { listen }),
    ...(flags.advertise === undefined ? {} : { advertise: flags.advertise }),
  };
}

async function newPassphrase(kit: Kit): Promise<string> {
  const passphrase = await askedPassphrase(kit);
  if (passphrase.length < LEAST_CHARACTERS)
    throw commandErrors('PASSPHRASE_SHORT', { least: LEAST_CHARACTERS });
  if (kit.around.input.isTTY === true && (await kit.around.askSecret('Once more: ')) !== passphrase)
    throw commandErrors('PASSPHRASE_TWICE');
  return passphrase;
}

/** From the person at the terminal, or the first line of standard input. */
async function askedPassphrase(kit: Kit): Promise<string> {
  const isAsking = kit.around.input.isTTY === true;
  const text = isAsking ? await kit.around.askSecret('Passphrase of the export: ') : await textOf(kit);
  const passphrase = text.split(/\r?\n/)[0] ?? '';
  if (passphrase === '') throw commandErrors('PASSPHRASE_NEEDED');
  return passphrase;
}

async function textFrom(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_BYTES) throw new Error('it is larger than any export');
    return await readFile(path, 'utf8');
  } catch (error) {
    throw commandErrors('EXPORT_FILE', { file: path, problem: reasonOf(error) }, error);
  }
}

async function textOf({ around }: Kit): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of around.input as AsyncIterable<Buffer | string>) {
    parts.push(Buffer.from(part));
    bytes += part.length;
    if (bytes > MAX_BYTES)
      throw commandErrors('EXPORT_FILE', { file: '-', problem: 'it is larger than any export' });
  }
  return Buffer.concat(parts).toString('utf8');
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
