// Certificates (V3): whom the network trusts to issue them, which were issued here, which were revoked. Each lets one box
// in; which one, the box's own entry tells.
import type { ScopedStore, StoreOperation } from '../base/store.ts';
import { fromBase64Url, toBase64Url } from '../protocol/base64.ts';
import type { CertificateCredential } from '../protocol/location/messages.ts';
import { readCertificate, readCertificates } from '../system/certificates.ts';
import type { Certificate } from '../system/certificates.ts';
import { judgeCertificate, problemOfAuthority } from './certificate-rules.ts';
import type { Changes } from './changes.ts';
import { serverErrors } from './errors.ts';
import type {
  AuthoritySummary,
  CertificatesAdmin,
  CertificatesSummary,
  IssuedCertificate,
  IssuedSummary,
  IssueOptions,
} from './log-in-admin.ts';
import type { Authority, OwnAuthority } from './own-authority.ts';
import { KEPT_MS } from './registry-entries.ts';
import type { NodeEntry } from './registry-entries.ts';
import type { Ticket } from './ticket.ts';
import type { ServerTime } from './time.ts';

interface AuthorityEntry {
  readonly v: 1;
  /** DER, base64url. */
  readonly certificate: string;
  readonly own: boolean;
  readonly at: number;
}

interface IssuedEntry {
  readonly v: 1;
  readonly name: string;
  readonly until: number;
}

interface RevokedEntry {
  readonly v: 1;
  readonly at: number;
}

export interface CertificatesOptions {
  readonly store: ScopedStore;
  readonly time: ServerTime;
  readonly changes: Changes;
  readonly own: OwnAuthority;
  /** For the name of an authority of its own. */
  readonly networkName: () => string;
  readonly nodes: () => Iterable<NodeEntry>;
}

const [AUTHORITY, ISSUED, REVOKED] = ['authority/', 'issued/', 'revoked/'];
const MOST_AUTHORITIES = 16;
const DAY_MS = 86_400_000;
const VALID_MS = 30 * DAY_MS;
const LONGEST_VALID_MS = 3660 * DAY_MS;
/** Of a common name (RFC 5280). */
const LONGEST_NAME = 64;

export class Certificates implements CertificatesAdmin {
  readonly #options: CertificatesOptions;
  /** By id. */
  #authorities = new Map<string, { readonly certificate: Certificate; readonly own: boolean }>();
  /** By serial number. */
  #issued = new Map<string, IssuedEntry>();
  #revoked = new Map<string, RevokedEntry>();

  constructor(options: CertificatesOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    const { store } = this.#options;
    this.#authorities = new Map();
    for (const [key, value] of await store.entries(AUTHORITY)) {
      const { certificate: text, own } = value as AuthorityEntry;
      const certificate = readCertificate(fromBase64Url(text) ?? new Uint8Array());
      if (certificate !== null) this.#authorities.set(key.slice(AUTHORITY.length), { certificate, own });
    }
    const issued = await store.entries(ISSUED);
    this.#issued = new Map(issued.map(([key, value]) => [key.slice(ISSUED.length), value as IssuedEntry]));
    const revoked = await store.entries(REVOKED);
    this.#revoked = new Map(
      revoked.map(([key, value]) => [key.slice(REVOKED.length), value as RevokedEntry]),
    );
  }

  list(): CertificatesSummary {
    return {
      authorities: [...this.#authorities.values()].map(({ certificate, own }) =>
        authorityWords(certificate, own),
      ),
      issued: [...this.#issued].map(([serial, entry]) => this.#issuedWords(serial, entry)),
      revoked: [...this.#revoked.keys()],
    };
  }

  issue({ name, validMs = VALID_MS }: IssueOptions): Promise<IssuedCertificate> {
    if (name.trim() === '' || name.length > LONGEST_NAME)
      throw serverErrors('SERVER_OPTIONS', {
        problem: `a certificate is for a name of 1 to ${LONGEST_NAME} characters`,
      });
    if (!Number.isSafeInteger(validMs) || validMs < 60_000 || validMs > LONGEST_VALID_MS)
      throw serverErrors('SERVER_OPTIONS', { problem: 'a certificate is valid for one minute to ten years' });
    const { changes, own } = this.#options;
    return changes.run(async () => {
      const now = this.#rightNow();
      const [authority, made] = await this.#ownAuthority(now);
      const { serial, until, certificate, key } = own.issue(authority, name, now, validMs);
      const entry: IssuedEntry = { v: 1, name, until };
      await changes.write([...made, { type: 'put', key: ISSUED + serial, value: entry }], {
        what: 'certificates-changed',
        subject: `issued ${serial}`,
        facts: { for: name },
      });
      this.#issued.set(serial, entry);
      this.#authorities.set(idOf(authority.certificate), { certificate: authority.certificate, own: true });
      return { name, serial, expires: until, certificate, key };
    });
  }

  trust(pem: string): Promise<AuthoritySummary> {
    const { changes, time } = this.#options;
    const [certificate, ...more] = readCertificates(pem);
    if (certificate === undefined || more.length > 0)
      throw serverErrors('AUTHORITY_WRONG', { problem: 'one certificate in PEM is needed' });
    return changes.run(async () => {
      const problem = problemOfAuthority(certificate, this.#rightNow());
      if (problem !== null) throw serverErrors('AUTHORITY_WRONG', { problem });
      const id = idOf(certificate);
      const known = this.#authorities.get(id);
      if (known !== undefined) return authorityWords(certificate, known.own);
      if (this.#authorities.size >= MOST_AUTHORITIES)
        throw serverErrors('AUTHORITIES_FULL', { most: MOST_AUTHORITIES });
      await changes.write([authorityPut(certificate, false, time.now())], {
        what: 'certificates-changed',
        subject: `trusts ${id}`,
        facts: { authority: certificate.subject },
      });
      this.#authorities.set(id, { certificate, own: false });
      return authorityWords(certificate, false);
    });
  }

  untrust(id: string): Promise<AuthoritySummary> {
    const { changes, own } = this.#options;
    return changes.run(async () => {
      const wanted = id.replaceAll(':', '').toLowerCase();
      const [key, found] =
        [...this.#authorities].find(([each, { certificate }]) =>
          [each, certificate.fingerprint].includes(wanted),
        ) ?? [];
      if (key === undefined || found === undefined) throw serverErrors('AUTHORITY_UNKNOWN', { id });
      await changes.write([{ type: 'delete', key: AUTHORITY + key }], {
        what: 'certificates-changed',
        subject: `trusts ${key} no more`,
      });
      this.#authorities.delete(key);
      // Where the file holds another one by now, or is damaged beyond knowing, the latter goes too.
      const kept = found.own ? await own.read().catch(() => null) : null;
      if (found.own && (kept === null || idOf(kept.certificate) === key)) await own.remove();
      return authorityWords(found.certificate, found.own);
    });
  }

  revoke(text: string): Promise<{ readonly serial: string; readonly usedBy: readonly string[] }> {
    const { changes, time } = this.#options;
    const serial = serialOf(text);
    if (serial === null)
      throw serverErrors('SERVER_OPTIONS', { problem: 'a serial number has 1 to 40 hexadecimal digits' });
    return changes.run(async () => {
      const entry: RevokedEntry = { v: 1, at: time.now() };
      await changes.write([{ type: 'put', key: REVOKED + serial, value: entry }], {
        what: 'certificates-changed',
        subject: `revoked ${serial}`,
      });
      this.#revoked.set(serial, entry);
      return { serial, usedBy: this.#boxesBy(serial).map(({ name }) => name) };
    });
  }

  /** From within a change. Errors: CERTIFICATE_*, and SERVER_CLOCK where this machine's clock cannot be believed. */
  ticket(credential: CertificateCredential, channelHash: Uint8Array): Ticket {
    const { identity, fingerprint, serial, subject } = judgeCertificate(credential, channelHash, {
      authorities: [...this.#authorities.values()].map(({ certificate }) => certificate),
      isRevoked: each => this.#revoked.has(serialOf(each) ?? each),
      now: this.#rightNow(),
    });
    const before = [...this.#options.nodes()].find(
      // Earlier versions kept the fingerprint of the whole.
      ({ admission }) =>
        admission?.by === 'certificate' && [identity, fingerprint].includes(admission.fingerprint),
    );
    if (before !== undefined) throw serverErrors('CERTIFICATE_USED', { name: before.name });
    return {
      needsApproval: false,
      admission: { by: 'certificate', fingerprint: identity, serial: serialOf(serial) ?? serial },
      told: name => ({ what: 'certificate-used', by: name, subject: serial, facts: { of: subject } }),
      // The node itself is the record of it.
      use: () => [],
      used: () => undefined,
    };
  }

  /** Forgets what was issued and has long expired. */
  tidy(): Promise<void> {
    const { changes, time } = this.#options;
    return changes.run(async () => {
      if (!time.isRight()) return;
      const old = [...this.#issued].filter(([, { until }]) => time.now() > until + KEPT_MS);
      if (old.length === 0) return;
      await changes.write(old.map(([serial]) => ({ type: 'delete', key: ISSUED + serial })));
      for (const [serial] of old) this.#issued.delete(serial);
    });
  }

  /** And what must be written where it was made just now. */
  async #ownAuthority(now: number): Promise<[Authority, readonly StoreOperation[]]> {
    const { own, networkName } = this.#options;
    const found = await own.read();
    if (found !== null && now < found.certificate.until && this.#authorities.has(idOf(found.certificate)))
      return [found, []];
    const made = await own.make(`Ginnel ${networkName()}`.slice(0, LONGEST_NAME), now);
    return [made, [authorityPut(made.certificate, true, now)]];
  }

  /** Error: SERVER_CLOCK. */
  #rightNow(): number {
    const { time } = this.#options;
    if (!time.isRight()) throw serverErrors('SERVER_CLOCK', { shown: new Date(time.now()).toISOString() });
    return time.now();
  }

  #issuedWords(serial: string, { name, until }: IssuedEntry): IssuedSummary {
    const [user] = this.#boxesBy(serial);
    const isOver = this.#options.time.now() > until;
    const unused = isOver ? 'expired' : 'open';
    const state = this.#revoked.has(serial) ? 'revoked' : user === undefined ? unused : 'used';
    return { serial, name, expires: until, state, usedBy: user?.name ?? '' };
  }

  #boxesBy(serial: string): NodeEntry[] {
    return [...this.#options.nodes()].filter(
      ({ admission }) => admission?.by === 'certificate' && admission.serial === serial,
    );
  }
}

const ID_DIGITS = 16;
const idOf = ({ fingerprint }: Certificate): string => fingerprint.slice(0, ID_DIGITS);

const authorityPut = (certificate: Certificate, own: boolean, at: number): StoreOperation => ({
  type: 'put',
  key: AUTHORITY + idOf(certificate),
  value: { v: 1, certificate: toBase64Url(certificate.der), own, at } satisfies AuthorityEntry,
});

const authorityWords = (certificate: Certificate, own: boolean): AuthoritySummary => ({
  id: idOf(certificate),
  subject: certificate.subject,
  fingerprint: certificate.fingerprint,
  expires: certificate.until,
  own,
});

/** As it is compared: without colons and leading zeros. At most 20 bytes (RFC 5280). */
function serialOf(text: string): string | null {
  const digits = text
    .replaceAll(':', '')
    .replace(/^0x/i, '')
    .replace(/^0+(?=.)/, '')
    .toUpperCase();
  return /^[0-9A-F]{1,40}$/.test(digits) ? digits : null;
}
