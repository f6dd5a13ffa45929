// What `ginnel bugreport` puts into its file: what a helper needs to see, and nothing that opens a door.
import { readFileSync } from 'node:fs';
import { arch, cpus, freemem, platform, release, totalmem } from 'node:os';
import { redact } from '../../base/pino-log.ts';
import type { NodeAdmin, NodeStatus } from '../../core/admin.ts';
import type { ServerAdmin, ServerSummary } from '../../server/admin.ts';
import type { Figures, LogLine } from '../../web/daemon-admin.ts';
import type { HealthLine } from '../../base/health.ts';
import { masked } from './mask.ts';

const LOG_LINES = 2000;
/** Numbers alone: nothing in them can be a secret. */
const FIGURES = new Set(['counters', 'gauges']);

export interface BugReportOf {
  readonly version: string;
  readonly node: Pick<NodeAdmin, 'status' | 'why'> | null;
  readonly server: Pick<ServerAdmin, 'summary'> | null;
  readonly health: readonly HealthLine[];
  readonly figures: Figures;
  readonly logLevel: string;
  /** By owner, as they are in effect. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly lastLines: (count: number) => readonly LogLine[];
  readonly wallMs: number;
}

export type BugReport = Readonly<Record<string, unknown>>;

/** Redacted once more as a whole; with `mask` also the names and addresses of others are made up. */
export function bugReport(of: BugReportOf, mask: boolean): BugReport {
  const node = of.node?.status() ?? null;
  const server = of.server?.summary() ?? null;
  const report = {
    about: {
      what: 'a report on this box for whoever helps; it holds no keys, invites, tokens or passwords',
      masked: mask,
      taken: new Date(of.wallMs).toISOString(),
      version: of.version,
    },
    machine: machine(),
    doors: { door: node?.door ?? '', sealing: node?.sealing ?? '', tun: node?.tun ?? '' },
    health: { daemon: of.health, node: node?.health ?? [], server: server?.health ?? [] },
    node,
    server: server === null ? null : withoutCounters(server),
    why: node === null ? {} : whys(of.node, node),
    settings: { ...of.settings, logLevel: of.logLevel },
    counters: of.figures.counters,
    gauges: of.figures.gauges,
    log: of.lastLines(LOG_LINES),
  };
  const clean = redacted(report);
  return mask ? masked(clean, node, server) : clean;
}

/** Each part on its own: what is deep in a log line must not be cut for being deep in the report. */
const redacted = (report: BugReport): BugReport =>
  Object.fromEntries(
    Object.entries(report).map(([name, part]) => [
      name,
      FIGURES.has(name) ? part : Array.isArray(part) ? part.map(one => redact(one)) : redact(part),
    ]),
  );

function machine(): Record<string, unknown> {
  return {
    node: process.version,
    openssl: process.versions.openssl,
    v8: process.versions.v8,
    platform: platform(),
    arch: arch(),
    kernel: release(),
    distribution: distribution(),
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? '',
    memoryBytes: totalmem(),
    memoryFreeBytes: freemem(),
    uid: process.getuid?.() ?? null,
    supervised: process.env['NOTIFY_SOCKET'] !== undefined,
  };
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

const withoutCounters = ({ counters, ...rest }: ServerSummary): object => ({
  ...rest,
  counted: Object.keys(counters).length,
});

function whys(admin: BugReportOf['node'], { peers }: NodeStatus): Record<string, readonly string[]> {
  const of = (id: string): readonly string[] => {
    try {
      return admin?.why(id).lines ?? [];
    } catch (error) {
      return [String(error)];
    }
  };
  return Object.fromEntries(peers.map(({ id, name }) => [name, of(id)]));
}
