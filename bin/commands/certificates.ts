// `ginnel certificates`: whose certificates let boxes in, and certificates of the network's own.
import { open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import type { AuthoritySummary, CertificatesSummary, IssuedCertificate } from '../../server/log-in-admin.ts';
import { commandErrors } from '../errors.ts';
import { authorityScreen, certificatesScreen, issuedScreen, revokedScreen } from '../screens/certificates.ts';
import { duration } from './arguments.ts';
import { withJson, type Kit } from './command.ts';

const VALID_MS = 30 * 86_400_000;
const MAX_CHARACTERS = 16_384;

interface Flags {
  readonly json?: boolean;
}

interface IssueFlags extends Flags {
  readonly valid: number;
  readonly out?: string;
}

export function certificateCommands(program: Command, kit: () => Kit): void {
  const certificates = withJson(program.command('certificates'))
    .summary('certificates by which boxes come in')
    .description("Lists whose certificates let boxes in, those of the network's own, and those taken back.")
    .enablePositionalOptions()
    .action((flags: Flags) => list(kit(), flags));
  withJson(certificates.command('list'))
    .summary('whose certificates let boxes in, and which were issued here')
    .action((flags: Flags) => list(kit(), flags));
  withJson(certificates.command('issue <name>'))
    .summary('make a key and a certificate for one box, in two files')
    .addOption(
      new Option('--valid <time>', 'how long it can be used to come in: 24h, 30d')
        .argParser(duration)
        .default(VALID_MS, '30d'),
    )
    .option('--out <path>', 'write PATH.crt and PATH.key (default: the name)')
    .action((name: string, flags: IssueFlags) => issue(kit(), name, flags));
  withJson(certificates.command('trust <file>'))
    .summary('let boxes in by certificates of this authority (PEM)')
    .action((file: string, flags: Flags) => trust(kit(), file, flags));
  withJson(certificates.command('untrust <id>'))
    .summary('let nobody in by certificates of this authority any more')
    .action((id: string, flags: Flags) => untrust(kit(), id, flags));
  withJson(certificates.command('revoke <serial>'))
    .summary('let nobody in by this certificate any more; its box stays')
    .action((serial: string, flags: Flags) => revoke(kit(), serial, flags));
}

async function list(kit: Kit, flags: Flags): Promise<void> {
  const shown = await kit.client.get<CertificatesSummary>('/v1/server/certificates');
  kit.show(flags.json === true, shown, () => certificatesScreen(shown));
}

async function issue(kit: Kit, name: string, flags: IssueFlags): Promise<void> {
  const path = flags.out ?? name.replaceAll(/[^A-Za-z0-9._-]/g, '-');
  const files = { certificate: `${path}.crt`, key: `${path}.key` };
  // First the files: what was issued and could not be kept would be of no use, and stay in the list.
  const issued = await intoNewFiles([files.key, files.certificate], async () => {
    const made = await kit.client.post<IssuedCertificate>('/v1/server/certificates/issue', {
      name,
      validMs: flags.valid,
    });
    return [made, [made.key, made.certificate]];
  });
  const { serial, expires } = issued;
  kit.show(flags.json === true, { name, serial, expires, files }, () => issuedScreen(issued, files));
}

async function trust(kit: Kit, file: string, flags: Flags): Promise<void> {
  const certificate = await pemFrom(file);
  const authority = await kit.client.post<AuthoritySummary>('/v1/server/certificates/trust', { certificate });
  kit.show(flags.json === true, authority, () => authorityScreen(authority, true));
}

async function untrust(kit: Kit, id: string, flags: Flags): Promise<void> {
  const path = `/v1/server/certificates/authorities/${encodeURIComponent(id)}/untrust`;
  const authority = await kit.client.post<AuthoritySummary>(path, {});
  kit.show(flags.json === true, authority, () => authorityScreen(authority, false));
}

async function revoke(kit: Kit, serial: string, flags: Flags): Promise<void> {
  const path = `/v1/server/certificates/${encodeURIComponent(serial)}/revoke`;
  const revoked = await kit.client.post<{ serial: string; usedBy: string[] }>(path, {});
  kit.show(flags.json === true, revoked, () => revokedScreen(revoked.serial, revoked.usedBy));
}

/** Overwrites nothing; where `work` fails, none is left. Error: CERTIFICATE_FILE. */
async function intoNewFiles<T>(
  paths: readonly string[],
  work: () => Promise<[made: T, texts: readonly string[]]>,
): Promise<T> {
  const files: { readonly path: string; readonly handle: FileHandle }[] = [];
  try {
    for (const path of paths) files.push({ path, handle: await newFile(path) });
    const [made, texts] = await work();
    for (const [at, { handle }] of files.entries()) await handle.writeFile(texts[at] ?? '');
    return made;
  } catch (error) {
    for (const { path } of files) await rm(path, { force: true });
    throw error;
  } finally {
    for (const { handle } of files) await handle.close();
  }
}

const newFile = (path: string): Promise<FileHandle> =>
  open(path, 'wx', 0o600).catch((error: unknown) => {
    throw commandErrors('CERTIFICATE_FILE', { file: path, problem: fileProblem(error) }, error);
  });

const fileProblem = (error: unknown): string =>
  error instanceof Error && 'code' in error && error.code === 'EEXIST'
    ? 'it is there already, and is not overwritten'
    : reasonOf(error);

/** Error: CERTIFICATE_FILE. */
export async function pemFrom(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw commandErrors('CERTIFICATE_FILE', { file: path, problem: reasonOf(error) }, error);
  });
  if (text.length > MAX_CHARACTERS || !text.includes('-----BEGIN '))
    throw commandErrors('CERTIFICATE_FILE', { file: path, problem: 'it is no PEM file' });
  return text;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
