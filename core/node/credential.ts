// What `up` was given to be let in by, made ready for the log-in: an account with its password, or a certificate with its key.
import { toBase64Url } from '../../protocol/base64.ts';
import { compileSchema } from '../../protocol/location/codec.ts';
import { accountSchema } from '../../protocol/location/schema.ts';
import { certificateStatement } from '../../protocol/location/signed.ts';
import { readCertificates, signerOf } from '../../system/certificates.ts';
import type { UpOptions } from '../admin.ts';
import { credentialFrom } from '../control/credential.ts';
import type { Credential } from '../control/credential.ts';
import { nodeErrors } from './errors.ts';

/** What a log-in can carry. */
const MOST_CERTIFICATES = 4;
const LONGEST_CERTIFICATE = 4096;

/** Null: neither was given. Errors: ACCOUNT_UNFIT, CERTIFICATE_UNFIT. */
export function credentialOf({ account, certificate }: UpOptions): Credential | null {
  if (account !== undefined) return byAccount(account);
  return certificate === undefined ? null : byCertificate(certificate);
}

function byAccount({ name, password }: NonNullable<UpOptions['account']>): Credential {
  if (!compileSchema(accountSchema)(name)) throw nodeErrors('ACCOUNT_UNFIT', { name });
  return credentialFrom(() => ({ kind: 'account', account: name, password }));
}

function byCertificate({ chain: pem, key }: NonNullable<UpOptions['certificate']>): Credential {
  const chain = readCertificates(pem);
  const [own] = chain;
  if (own === undefined)
    throw nodeErrors('CERTIFICATE_UNFIT', { problem: 'no certificate in PEM is in the file' });
  if (chain.length > MOST_CERTIFICATES || chain.some(({ der }) => der.length > LONGEST_CERTIFICATE)) {
    const problem = `at most ${MOST_CERTIFICATES} of at most ${LONGEST_CERTIFICATE} bytes can be shown`;
    throw nodeErrors('CERTIFICATE_UNFIT', { problem });
  }
  const sign = signerOf(own, key);
  if (sign === null)
    throw nodeErrors('CERTIFICATE_UNFIT', { problem: 'the key is not the one of the certificate' });
  return credentialFrom(channelHash => ({
    kind: 'certificate',
    chain: chain.map(({ der }) => toBase64Url(der)),
    signature: toBase64Url(sign(certificateStatement(channelHash))),
  }));
}
