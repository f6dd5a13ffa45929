// The narrow interface by which page and command see and steer the daemon itself, beside node and server. Plain JSON.
import type { Readings } from '../base/counters.ts';
import type { HealthLine } from '../base/health.ts';
import type { Level } from '../base/log-levels.ts';

/** All counters and gauges, and what each name means, where somebody described it. */
export interface Figures extends Readings {
  readonly words: Record<string, string>;
}

export interface LogLine {
  /** ISO 8601. */
  readonly time: string;
  readonly level: Exclude<Level, 'silent'>;
  /** `node.paths`; empty: the daemon itself. */
  readonly part: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface LogsAsked {
  /** The least that is shown. */
  readonly level: Exclude<Level, 'silent'>;
  /** Of this part and those under it; empty: all. */
  readonly part: string;
  /** The last so many. */
  readonly lines: number;
  /** Go on with what comes. */
  readonly follow: boolean;
}

export interface MetricsShown {
  /** `127.0.0.1:9477`; null: off. */
  readonly address: string | null;
  /** Why it is not served though it should be; empty: nothing is wrong. */
  readonly problem: string;
  /** A secret: whoever has it may read all figures. */
  readonly token: string;
}

/** Where the page is, and whether somebody has made it theirs. */
export interface PageShown {
  /** `http://192.168.1.2:7080/`, the one to open first; none: it is off, or not served. */
  readonly addresses: readonly string[];
  readonly isOn: boolean;
  /** Why it is not served where it should be. */
  readonly problems: readonly string[];
  readonly owner: 'none' | 'set';
  /** For the first visit from elsewhere than the home's own network. A secret; null once there is an owner. */
  readonly code: string | null;
  /** By which it is served over TLS; null: it goes without. */
  readonly certificate: CertificateShown | null;
}

export interface CertificateShown {
  /** SHA-256 over the whole, as browsers show it: `AB:CD:…`. */
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly pem: string;
}

export interface BugReportAsked {
  /** Addresses, names and numbers of other boxes become `peer-1`, `ip-1`, … */
  readonly mask: boolean;
}

export interface DaemonAdmin {
  health(): readonly HealthLine[];
  figures(): Figures;
  logs(asked: LogsAsked, signal: AbortSignal): AsyncIterable<LogLine>;
  /** One JSON document without secrets, for somebody who helps. */
  bugReport(asked: BugReportAsked): Promise<Readonly<Record<string, unknown>>>;
  metrics(): Promise<MetricsShown>;
  page(): Promise<PageShown>;
  /** Takes the owner's password away and ends all sessions; there is a new code. */
  resetOwner(): Promise<PageShown>;
  /** Another process takes over; answers its number once it is ready to, before this one ends. */
  restart(): Promise<{ readonly pid: number }>;
}
