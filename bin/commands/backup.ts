// `ginnel backup`, `ginnel restore`: the whole box in one sealed file, and back on an empty one.
import { access, open, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { replaceFile } from '../../base/disk.ts';
import type { Health } from '../../web/api.ts';
import type { MadeBackup, Restored } from '../../web/backup-admin.ts';
import { backupErrors } from '../backup/errors.ts';
import { commandErrors } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { backupScreen, restoreScreen } from '../screens/backup.ts';
import { withJson, type Kit } from './command.ts';
import { textOf } from './input.ts';

/** As much as a restore takes. */
const MAX_BYTES = 96 * 1024 * 1024;
const MAX_PASSPHRASE = 1024;
/** Of a passphrase; the daemon refuses shorter ones too. */
const LEAST_CHARACTERS = 10;
const COMES_UP_MS = 30_000;
const LOOK_EVERY_MS = 100;

interface BackupFlags {
  readonly passphraseFile?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

interface RestoreFlags {
  readonly passphraseFile?: string;
  readonly json?: boolean;
}

/** `exit` takes the code of a command that ran, but whose answer is no. */
export function backupCommands(program: Command, kit: () => Kit, exit: (code: number) => void): void {
  withJson(program.command('backup'))
    .summary('the whole box in one encrypted file')
    .description(
      'Writes keys, membership, boxes it met, settings, the choices of plugins, the password of the page and, where there\nis one, the location server to FILE, sealed by a passphrase. It is asked for, or read from standard input.',
    )
    .argument('<file>', 'where to write it; - is standard output')
    .option('--passphrase-file <file>', 'its first line is the passphrase')
    .option('--force', 'overwrite FILE where it is there')
    .action((file: string, flags: BackupFlags) => backUp(kit(), file, flags));
  withJson(program.command('restore'))
    .summary('make an empty box the one of a back-up')
    .description(
      'For a box that has joined no network and runs no location server. It comes up as the same box, with the same\naddress. The old one must stay down.',
    )
    .argument('<file>', 'the back-up')
    .option('--passphrase-file <file>', 'its first line is the passphrase')
    .action(async (file: string, flags: RestoreFlags) => exit(await restore(kit(), file, flags)));
}

async function backUp(kit: Kit, path: string, flags: BackupFlags): Promise<void> {
  if (path !== '-') await orFileError(path, tryPlace(path));
  if (path !== '-' && flags.force !== true && (await isThere(path)))
    throw backupErrors('BACKUP_EXISTS', { file: path });
  const passphrase = await passphraseOf(kit, flags, true);
  if (passphrase.length < LEAST_CHARACTERS)
    throw commandErrors('PASSPHRASE_SHORT', { least: LEAST_CHARACTERS });
  await kit.ensureDaemon(flags.json === true || path === '-');
  const { file, ...made } = await kit.client.post<MadeBackup>('/v1/backup', { passphrase });
  if (path === '-') {
    kit.around.out(file);
    return;
  }
  await orFileError(path, replaceFile(path, file));
  kit.show(flags.json === true, { ...made, path }, () => backupScreen(made, path));
}

async function restore(kit: Kit, path: string, flags: RestoreFlags): Promise<number> {
  const file = await orFileError(path, textFrom(path));
  const passphrase = await passphraseOf(kit, flags, false);
  await kit.ensureDaemon(flags.json === true);
  const restored = await kit.client.post<Restored>('/v1/restore', { file, passphrase });
  const cameUp = await comesUp(kit, restored);
  kit.show(flags.json === true, { ...restored, cameUp }, () => restoreScreen(restored, cameUp));
  return cameUp ? EXIT.ok : EXIT.failed;
}

/** The daemon that was restored goes away for a moment; what comes back has its roles. */
async function comesUp({ client }: Kit, { roles }: Restored): Promise<boolean> {
  for (const end = performance.now() + COMES_UP_MS; performance.now() < end;) {
    await pause(LOOK_EVERY_MS);
    const health = await client.get<Health>('/v1/health').catch(() => null);
    if (health !== null && roles.every(role => health.roles[role] === 'up')) return true;
  }
  return false;
}

/** From a file, the person at the terminal (twice for a new one), or the first line of standard input. */
async function passphraseOf(kit: Kit, { passphraseFile }: BackupFlags, isNew: boolean): Promise<string> {
  const { around } = kit;
  const isAsking = passphraseFile === undefined && around.input.isTTY === true;
  const text = isAsking
    ? await around.askSecret('Passphrase of the back-up: ')
    : passphraseFile === undefined
      ? await textOf(around.input, MAX_PASSPHRASE)
      : await orFileError(passphraseFile, readFile(passphraseFile, 'utf8'));
  const [passphrase = ''] = text.split(/\r?\n/);
  if (passphrase === '') throw commandErrors('PASSPHRASE_NEEDED');
  if (isAsking && isNew && (await around.askSecret('Once more: ')) !== passphrase)
    throw commandErrors('PASSPHRASE_TWICE');
  return passphrase;
}

/** A folder that is not there or may not be written is told before anything is asked. */
async function tryPlace(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory() === true) throw new Error('it is a folder');
  const trial = join(dirname(path), `.${basename(path)}.${process.pid}.trial`);
  try {
    await (await open(trial, 'wx', 0o600)).close();
  } finally {
    await rm(trial, { force: true });
  }
}

async function textFrom(path: string): Promise<string> {
  if ((await stat(path)).size > MAX_BYTES) throw new Error('it is larger than any back-up');
  return readFile(path, 'utf8');
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function orFileError<T>(file: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    const problem = error instanceof Error ? error.message : String(error);
    throw backupErrors('BACKUP_FILE', { file, problem }, error);
  });
}
