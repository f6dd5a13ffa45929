// By what `ginnel up` comes in where it is no invite: an account or a certificate, and where the network is.
import { readFile } from 'node:fs/promises';
import type { UpOptions } from '../../core/admin.ts';
import { commandErrors } from '../errors.ts';
import { pemFrom } from './certificates.ts';
import type { Kit } from './command.ts';
import { passwordFrom } from './secrets.ts';

export interface CredentialFlags {
  readonly account?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly network?: string;
}

const LINE = /ginnel:[\w\s-]+$/i;
const MAX_CHARACTERS = 4096;

/** Errors: USAGE, CERTIFICATE_FILE, NETWORK_FILE, PASSWORD_NEEDED. */
export async function credentialFrom(
  kit: Kit,
  { account, certificate, key, network }: CredentialFlags,
): Promise<Pick<UpOptions, 'account' | 'certificate' | 'network'>> {
  if (account !== undefined && certificate !== undefined)
    throw commandErrors('USAGE', {
      problem: 'A box comes in by an account or by a certificate, not by both.',
    });
  if ((certificate === undefined) !== (key === undefined))
    throw commandErrors('USAGE', { problem: 'A certificate needs its key, and a key its certificate.' });
  const where = network === undefined ? {} : { network: await networkFrom(network) };
  if (account !== undefined) {
    const password = await passwordFrom(kit, `Password of the account ${account}: `, false);
    return { ...where, account: { name: account, password } };
  }
  if (certificate === undefined || key === undefined) return where;
  return { ...where, certificate: { chain: await pemFrom(certificate), key: await pemFrom(key) } };
}

/** The line itself, or what the last line of a file says. */
async function networkFrom(text: string): Promise<string> {
  if (/^\s*ginnel:/i.test(text)) return text.trim();
  const kept = await readFile(text, 'utf8').catch((error: unknown) => {
    const problem = error instanceof Error ? error.message : String(error);
    throw commandErrors('NETWORK_FILE', { file: text, problem }, error);
  });
  const [line] = LINE.exec(kept.slice(0, MAX_CHARACTERS).trim()) ?? [];
  if (line === undefined)
    throw commandErrors('NETWORK_FILE', { file: text, problem: 'no such line is in it' });
  return line;
}
