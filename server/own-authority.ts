// The network's own certificate authority: its key lies in a file of mode 0600, made when the first certificate is issued.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDiskFull } from '../base/disk.ts';
import { baseErrors, type GinnelError } from '../base/errors.ts';
import { isObject, readKept, writeKept } from '../base/kept-file.ts';
import { fromBase64Url, toBase64Url } from '../protocol/base64.ts';
import type { Primitives } from '../protocol/primitives.ts';
import { makeCertificate, privateKeyFile } from '../protocol/x509/make.ts';
import { pemOf, readCertificate } from '../system/certificates.ts';
import type { Certificate } from '../system/certificates.ts';
import { serverErrors } from './errors.ts';

export const AUTHORITY_FILE = 'certificate-authority.json';
const AUTHORITY_VALID_MS = 10 * 365 * 86_400_000;
/** Other clocks may be behind. */
const EARLIER_MS = 5 * 60_000;
const SERIAL_BYTES = 16;

export interface Authority {
  readonly certificate: Certificate;
  /** Its common name. */
  readonly name: string;
  readonly seed: Uint8Array;
}

export interface FreshCertificate {
  readonly serial: string;
  readonly until: number;
  /** PEM; the key is a secret. */
  readonly certificate: string;
  readonly key: string;
}

export interface OwnAuthorityOptions {
  readonly stateDir: string;
  readonly primitives: Primitives;
}

export class OwnAuthority {
  readonly #primitives: Primitives;
  readonly #path: string;

  constructor({ stateDir, primitives }: OwnAuthorityOptions) {
    this.#primitives = primitives;
    this.#path = join(stateDir, AUTHORITY_FILE);
  }

  /** Null: there is none. Error: AUTHORITY_DAMAGED. */
  async read(): Promise<Authority | null> {
    const kept = await readKept(this.#path).catch((error: unknown) => {
      throw this.#damaged('it cannot be read', error);
    });
    if (kept.state === 'absent') return null;
    if (kept.state === 'damaged' || !isObject(kept.value)) throw this.#damaged('its checksum does not fit');
    const { seed: seedText, certificate: text, name } = kept.value;
    const [seed, bytes] = [seedText, text].map(each =>
      typeof each === 'string' ? fromBase64Url(each) : null,
    );
    const certificate = bytes == null ? null : readCertificate(bytes);
    if (seed?.length !== 32 || certificate === null || typeof name !== 'string')
      throw this.#damaged('it is not whole');
    return { seed, certificate, name };
  }

  /** Errors: AUTHORITY_DAMAGED, DISK_FULL. */
  async make(name: string, now: number): Promise<Authority> {
    const seed = this.#primitives.randomBytes(32);
    const bytes = makeCertificate(this.#primitives, seed, {
      ...{ serial: this.#serial(), issuer: name, subject: name, isAuthority: true },
      ...{ from: now - EARLIER_MS, until: now + AUTHORITY_VALID_MS },
      publicKey: this.#primitives.signingPublicKey(seed),
    });
    const certificate = readCertificate(bytes);
    if (certificate === null) throw new TypeError('a certificate of our own cannot be read');
    const kept = { v: 1, name, seed: toBase64Url(seed), certificate: toBase64Url(bytes) };
    await writeKept(this.#path, kept).catch((error: unknown) => {
      if (isDiskFull(error)) throw baseErrors('DISK_FULL', { path: this.#path, freeBytes: 0 }, error);
      throw this.#damaged('it cannot be written', error);
    });
    return { certificate, seed, name };
  }

  /** A key and a certificate for one box, good for as long as wanted, but no longer than the authority itself. */
  issue(authority: Authority, subject: string, now: number, validMs: number): FreshCertificate {
    const seed = this.#primitives.randomBytes(32);
    const until = Math.min(now + validMs, authority.certificate.until);
    const serial = this.#serial();
    const bytes = makeCertificate(this.#primitives, authority.seed, {
      ...{ serial, issuer: authority.name, subject, isAuthority: false },
      ...{ from: now - EARLIER_MS, until },
      publicKey: this.#primitives.signingPublicKey(seed),
    });
    return {
      serial: Buffer.from(serial).toString('hex').toUpperCase(),
      until,
      certificate: pemOf('CERTIFICATE', bytes),
      key: pemOf('PRIVATE KEY', privateKeyFile(seed)),
    };
  }

  /** Its key is gone for good. */
  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  /** Random, positive, and of one length. */
  #serial(): Uint8Array {
    const bytes = this.#primitives.randomBytes(SERIAL_BYTES);
    bytes[0] = (bytes[0]! & 0x3f) | 0x40;
    return bytes;
  }

  #damaged(problem: string, cause?: unknown): GinnelError {
    return serverErrors('AUTHORITY_DAMAGED', { path: this.#path, problem }, cause);
  }
}
