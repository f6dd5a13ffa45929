// The certificate by which the page is served over TLS: made by this box for its own names and addresses, kept with its key in
// the page's corner of the store, and made again when a name or an address is missing in it or its end is near.
import type { Clock } from '../../base/clock.ts';
import type { ScopedStore } from '../../base/store.ts';
import { fromBase64Url, toBase64Url } from '../../protocol/base64.ts';
import { parseIp } from '../../protocol/ip/address.ts';
import { makeServingCertificate } from '../../protocol/x509/serving.ts';
import { pemOf, readCertificate } from '../../system/certificates.ts';
import { newP256Key, p256Key, type P256Key } from '../../system/p256.ts';
import type { CertificateShown } from '../../web/daemon-admin.ts';

const KEY = 'tls';
const DAY_MS = 86_400_000;
/** Some devices take none that is good for longer than 825 days. */
const VALID_MS = 800 * DAY_MS;
const NEAR_END_MS = 30 * DAY_MS;
/** Other clocks may be behind. */
const EARLIER_MS = DAY_MS;
/** Earlier than this the clock has not been set yet: what is there may still be good, what is made is good from then on. */
const SANE_WALL_MS = Date.UTC(2025, 0, 1);
const SERIAL_BYTES = 16;
/** Of addresses that this box had before: a box that is carried between two homes has one certificate for both. */
const MOST_FORMER = 8;
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*$/;

export interface PageCertificate extends CertificateShown {
  /** PEM. A secret. */
  readonly key: string;
}

interface Kept {
  readonly key: P256Key;
  readonly der: Uint8Array;
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

export interface PageCertificatesOptions {
  readonly store: ScopedStore;
  readonly clock: Clock;
  /** Of serial numbers. */
  readonly random: { bytes(length: number): Uint8Array };
}

export class PageCertificates {
  readonly #options: PageCertificatesOptions;
  #kept: Kept | null;

  private constructor(options: PageCertificatesOptions, kept: Kept | null) {
    this.#options = options;
    this.#kept = kept;
  }

  static async open(options: PageCertificatesOptions): Promise<PageCertificates> {
    return new PageCertificates(options, keptFrom(await options.store.get(KEY)));
  }

  /** One that is good for all of these. The same as before, wherever that is. */
  async for(hosts: readonly string[]): Promise<PageCertificate> {
    const names = hosts.filter(host => DNS_NAME.test(host) && !parseIp(host).ok);
    const addresses = hosts.filter(host => parseIp(host).ok);
    const kept = this.#kept;
    if (kept !== null && this.#isGood(kept, names, addresses)) return shown(kept);
    const made = this.#make(kept, names, addresses);
    await this.#options.store.put(KEY, {
      ...{ v: 1, secret: toBase64Url(made.key.secret), certificate: toBase64Url(made.der) },
      ...{ names: made.names, addresses: made.addresses },
    });
    this.#kept = made;
    return shown(made);
  }

  #isGood(kept: Kept, names: readonly string[], addresses: readonly string[]): boolean {
    const isFor = (wanted: readonly string[], had: readonly string[]): boolean =>
      wanted.every(each => had.includes(each));
    const now = this.#options.clock.wallMs();
    // The clock may have been ahead when it was made.
    const { from = Infinity, until = 0 } = readCertificate(kept.der) ?? {};
    const isFresh = now < SANE_WALL_MS || (from <= now && now < until - NEAR_END_MS);
    return isFresh && isFor(names, kept.names) && isFor(addresses, kept.addresses);
  }

  /** The key stays: who has pinned it still finds it. */
  #make(before: Kept | null, names: readonly string[], addresses: readonly string[]): Kept {
    const { clock, random } = this.#options;
    const key = before?.key ?? newP256Key();
    const former = (before?.addresses ?? []).filter(each => !addresses.includes(each)).slice(-MOST_FORMER);
    const all = [...former, ...addresses];
    const serial = random.bytes(SERIAL_BYTES);
    serial[0] = (serial[0]! & 0x3f) | 0x40;
    const now = Math.max(clock.wallMs(), SANE_WALL_MS);
    const der = makeServingCertificate(key, {
      ...{ serial, name: titleOf(names), names },
      ...{ from: now - EARLIER_MS, until: now + VALID_MS },
      addresses: all.map(text => parseIp(text)).flatMap(ip => (ip.ok ? [ip.value.bytes] : [])),
    });
    return { key, der, names, addresses: all };
  }
}

/** Two boxes of a home are told apart by it, in a browser's list. */
const titleOf = (names: readonly string[]): string =>
  `Ginnel, ${names.find(name => name !== 'localhost') ?? 'a box'}`.slice(0, 64);

function shown({ key, der }: Kept): PageCertificate {
  const read = readCertificate(der);
  if (read === null) throw new TypeError('a certificate of our own cannot be read');
  return {
    fingerprint: (read.fingerprint.toUpperCase().match(/../g) ?? []).join(':'),
    until: read.until,
    pem: pemOf('CERTIFICATE', der),
    key: key.pem(),
  };
}

/** What cannot be understood is made anew. */
function keptFrom(value: unknown): Kept | null {
  const { v, secret, certificate, names, addresses } = { ...(value as Record<string, unknown> | null) };
  if (v !== 1 || typeof secret !== 'string' || typeof certificate !== 'string') return null;
  const key = p256Key(fromBase64Url(secret) ?? new Uint8Array());
  const der = fromBase64Url(certificate);
  if (key === null || der === null || readCertificate(der) === null) return null;
  return isTexts(names) && isTexts(addresses) ? { key, der, names, addresses } : null;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(each => typeof each === 'string');
