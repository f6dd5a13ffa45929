// Made-up accounts and certificates, for tests of interface and command.
import { GinnelError } from '../../base/errors.ts';
import type { AccountsAdmin, AccountSummary, CertificatesAdmin } from '../../server/log-in-admin.ts';

const fail = (code: string): GinnelError => new GinnelError(code, `No. Because. Do this. (${code})`);
const LATER = Date.UTC(2027, 0, 1);

export class FakeAccounts implements AccountsAdmin {
  readonly #accounts = new Map<string, AccountSummary>();
  /** The last password that was set. */
  password = '';

  list(): readonly AccountSummary[] {
    return [...this.#accounts.values()];
  }

  add({ name, password, boxes = null }: Parameters<AccountsAdmin['add']>[0]): Promise<AccountSummary> {
    if (password.length < 10) return Promise.reject(fail('PASSWORD_SHORT'));
    const account = { name, boxes, used: ['cellar-router'], created: 1, changed: 1 };
    this.#accounts.set(name, account);
    this.password = password;
    return Promise.resolve(account);
  }

  setPassword(name: string, password: string): Promise<AccountSummary> {
    this.password = password;
    return this.#known(name);
  }

  async remove(name: string): Promise<AccountSummary> {
    const account = await this.#known(name);
    this.#accounts.delete(name);
    return account;
  }

  #known(name: string): Promise<AccountSummary> {
    const account = this.#accounts.get(name);
    return account === undefined ? Promise.reject(fail('ACCOUNT_UNKNOWN')) : Promise.resolve(account);
  }
}

const OWN = {
  ...{ id: '0123456789abcdef', subject: 'CN=Ginnel home', fingerprint: '0123456789abcdef'.repeat(4) },
  ...{ expires: LATER, own: true },
};

export const fakeCertificates: CertificatesAdmin = {
  list: () => ({
    authorities: [OWN],
    issued: [{ serial: '4A', name: 'attic', expires: LATER, state: 'used', usedBy: 'attic-nas' }],
    revoked: ['4B'],
  }),
  issue: ({ name }) =>
    Promise.resolve({
      ...{ name, serial: '4C', expires: LATER },
      ...{ certificate: '-----BEGIN CERTIFICATE-----\n', key: '-----BEGIN PRIVATE KEY-----\n' },
    }),
  trust: () => Promise.resolve({ ...OWN, own: false }),
  untrust: () => Promise.resolve(OWN),
  revoke: serial => Promise.resolve({ serial, usedBy: ['attic-nas'] }),
};
