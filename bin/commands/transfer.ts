// `ginnel server export`, `ginnel server import`: the whole server in one file, and back on another machine.
import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { replaceFile } from '../../base/disk.ts';
import type { ExportedServer, ImportOptions, ServerSummary } from '../../server/admin.ts';
import { commandErrors } from '../errors.ts';
import { exportScreen, importScreen } from '../screens/transfer.ts';
import { each, port } from './arguments.ts';
import { withJson, type Kit } from './command.ts';

/** As much as an import takes. */
const MAX_BYTES = 64 * 1024 * 1024;

interface ExportFlags {
  readonly passphrase?: boolean;
  readonly move?: boolean;
  readonly json?: boolean;
}

interface ImportFlags {
  readonly passphrase?: boolean;
  readonly port?: number;
  readonly secondPort?: number;
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
    .action((file: string, flags: ExportFlags) => exportServer(kit(), file, flags));
  withJson(server.command('import'))
    .summary('make this machine the location server of an export, and start it')
    .description(
      'For a machine without a location server. The boxes find it at its new address by its key:\nwhere nothing tells them, say on one of them: ginnel set server ADDRESS.',
    )
    .argument('<file>', 'the export; - is standard input')
    .option('--passphrase', 'it is sealed; asked for, or the first line of standard input')
    .option('--port <port>', 'another TCP and UDP port than before', port)
    .option('--second-port <port>', 'another second UDP port than before', port)
    .option('--listen <address>', 'listen on this address only; may be given again', each)
    .option('--without-listen', "listen on all of this machine's addresses")
    .option('--advertise <host>', 'name or address that boxes are told; may be given again', each)
    .action((file: string, flags: ImportFlags) => importServer(kit(), file, flags));
}

async function exportServer(kit: Kit, path: string, flags: ExportFlags): Promise<void> {
  const passphrase = flags.passphrase === true ? { passphrase: await newPassphrase(kit) } : {};
  const wishes = { ...passphrase, ...(flags.move === true ? { move: true } : {}) };
  await kit.ensureDaemon(flags.json === true || path === '-');
  const exported = await kit.client.post<ExportedServer>('/v1/server/export', wishes);
  if (path === '-') {
    kit.around.out(exported.file);
    return;
  }
  await replaceFile(path, exported.file).catch((error: unknown) => {
    throw commandErrors('EXPORT_FILE', { file: path, problem: reasonOf(error) }, error);
  });
  // The file itself stays out of the answer.
  kit.show(flags.json === true, { ...exported, file: undefined, path }, () => exportScreen(exported, path));
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

function machineOptions(flags: ImportFlags): Partial<ImportOptions> {
  const listen = flags.withoutListen === true ? [] : flags.listen;
  return {
    ...(flags.port === undefined ? {} : { port: flags.port }),
    ...(flags.secondPort === undefined ? {} : { secondPort: flags.secondPort }),
    ...(listen === undefined ? {} : { listen }),
    ...(flags.advertise === undefined ? {} : { advertise: flags.advertise }),
  };
}

async function newPassphrase(kit: Kit): Promise<string> {
  const passphrase = await askedPassphrase(kit);
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
