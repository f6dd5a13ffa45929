// How page and CLI see and steer the ways into the network other than invites: accounts, and certificates. Plain JSON.

export interface NewAccount {
  /** 1 to 63 letters, digits and `._@+-`; the same in any case. */
  readonly name: string;
  /** At least 10 characters. */
  readonly password: string;
  /** How many boxes it may bring in, 1 to 1,000; null: any number. Default null. */
  readonly boxes?: number | null;
}

export interface AccountSummary {
  readonly name: string;
  readonly boxes: number | null;
  /** The names of those that it brought in. */
  readonly used: readonly string[];
  /** Milliseconds since 1970. */
  readonly created: number;
  /** When its password was set. */
  readonly changed: number;
}

/** All reject with SERVER_DOWN and the store's errors. */
export interface AccountsAdmin {
  list(): readonly AccountSummary[];
  /** Errors: ACCOUNT_EXISTS, ACCOUNT_NAME_WRONG, PASSWORD_SHORT, SERVER_OPTIONS. */
  add(account: NewAccount): Promise<AccountSummary>;
  /** Boxes that it brought in stay. Errors: ACCOUNT_UNKNOWN, PASSWORD_SHORT. */
  setPassword(name: string, password: string): Promise<AccountSummary>;
  /** Boxes that it brought in stay; the answer names them. Error: ACCOUNT_UNKNOWN. */
  remove(name: string): Promise<AccountSummary>;
}

export interface AuthoritySummary {
  /** The first 16 digits of its fingerprint. */
  readonly id: string;
  readonly subject: string;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
  /** The network's own, whose key is on this machine. */
  readonly own: boolean;
}

export interface IssuedSummary {
  readonly serial: string;
  readonly name: string;
  readonly expires: number;
  readonly state: 'open' | 'used' | 'expired' | 'revoked';
  /** The box that it let in; empty: none. */
  readonly usedBy: string;
}

export interface CertificatesSummary {
  readonly authorities: readonly AuthoritySummary[];
  readonly issued: readonly IssuedSummary[];
  readonly revoked: readonly string[];
}

export interface IssueOptions {
  /** For whom: 1 to 63 characters. */
  readonly name: string;
  /** How long it can be used; default 30 days. */
  readonly validMs?: number;
}

export interface IssuedCertificate {
  readonly name: string;
  readonly serial: string;
  readonly expires: number;
  /** PEM. */
  readonly certificate: string;
  /** PEM: a secret, shown this once. */
  readonly key: string;
}

/** All reject with SERVER_DOWN and the store's errors. */
export interface CertificatesAdmin {
  list(): CertificatesSummary;
  /** Makes the network's own authority where there is none yet. Errors: SERVER_CLOCK, SERVER_OPTIONS, AUTHORITY_DAMAGED. */
  issue(options: IssueOptions): Promise<IssuedCertificate>;
  /** PEM. Errors: AUTHORITY_WRONG, AUTHORITIES_FULL. */
  trust(pem: string): Promise<AuthoritySummary>;
  /** By id or fingerprint; the network's own goes with its key. Error: AUTHORITY_UNKNOWN. */
  untrust(id: string): Promise<AuthoritySummary>;
  /** Boxes that came in by it stay. Error: SERVER_OPTIONS where that is no serial number. */
  revoke(serial: string): Promise<{ readonly serial: string; readonly usedBy: readonly string[] }>;
}
