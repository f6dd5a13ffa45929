// Request bodies: at most 64 KiB of JSON (an export 72 MiB, a back-up 97 MiB), checked against a schema before anything sees them.
import type { IncomingMessage } from 'node:http';
import { Ajv, type ValidateFunction } from 'ajv';
import type { SettingsChange } from '../base/settings.ts';
import type { PingOptions, UpOptions } from '../core/admin.ts';
import type {
  ExportOptions,
  ImportOptions,
  InviteOptions,
  MembersAdmin,
  ServerOptions,
} from '../server/admin.ts';
import type { BugReportAsked, LogsAsked } from './daemon-admin.ts';
import type { IssueOptions, NewAccount } from '../server/log-in-admin.ts';
import { apiErrors } from './errors.ts';
import type { PageBodies } from './page/schemas.ts';
import { BODY_SCHEMAS, type BodyName } from './schemas.ts';

export const MAX_BODY_BYTES = 64 * 1024;
/** An export of a server holds every box of its network. */
const LARGER: Partial<Record<BodyName, number>> = {
  ServerImport: 72 * 1024 * 1024,
  Restore: 97 * 1024 * 1024,
};

/** What each body is once its schema has accepted it. */
export interface Bodies extends PageBodies {
  NodeUp: UpOptions;
  Ping: PingOptions;
  ServerUp: Partial<ServerOptions>;
  ServerExport: ExportOptions;
  ServerImport: ImportOptions;
  Invite: Partial<InviteOptions>;
  Account: NewAccount;
  AccountPassword: { readonly password: string };
  CertificateIssue: IssueOptions;
  CertificateTrust: { readonly certificate: string };
  NodeRename: { readonly name: string };
  Rule: Parameters<MembersAdmin['setRule']>[0];
  RuleUnset: { readonly prefix: string };
  SettingsChange: SettingsChange;
  Logs: LogsAsked;
  BugReport: BugReportAsked;
  Backup: { readonly passphrase: string };
  Restore: { readonly file: string; readonly passphrase: string };
  Nothing: Record<string, never>;
}

export type ReadBody = <Name extends BodyName>(request: IncomingMessage, name: Name) => Promise<Bodies[Name]>;

let shared: ReadBody | null = null;

/** One for all who ask: checks take memory. */
export const bodyReader = (): ReadBody => (shared ??= newReader());

/** An empty body counts as `{}`; defaults are filled in. Rejects with API_BODY or API_BODY_TOO_LARGE. */
function newReader(): ReadBody {
  const ajv = new Ajv({ allErrors: true, useDefaults: true, allowUnionTypes: true });
  const checks: { readonly [Name in BodyName]: ValidateFunction<Bodies[Name]> } = {
    NodeUp: ajv.compile<Bodies['NodeUp']>(BODY_SCHEMAS.NodeUp),
    Ping: ajv.compile<Bodies['Ping']>(BODY_SCHEMAS.Ping),
    ServerUp: ajv.compile<Bodies['ServerUp']>(BODY_SCHEMAS.ServerUp),
    ServerExport: ajv.compile<Bodies['ServerExport']>(BODY_SCHEMAS.ServerExport),
    ServerImport: ajv.compile<Bodies['ServerImport']>(BODY_SCHEMAS.ServerImport),
    Invite: ajv.compile<Bodies['Invite']>(BODY_SCHEMAS.Invite),
    Account: ajv.compile<Bodies['Account']>(BODY_SCHEMAS.Account),
    AccountPassword: ajv.compile<Bodies['AccountPassword']>(BODY_SCHEMAS.AccountPassword),
    CertificateIssue: ajv.compile<Bodies['CertificateIssue']>(BODY_SCHEMAS.CertificateIssue),
    CertificateTrust: ajv.compile<Bodies['CertificateTrust']>(BODY_SCHEMAS.CertificateTrust),
    NodeRename: ajv.compile<Bodies['NodeRename']>(BODY_SCHEMAS.NodeRename),
    Rule: ajv.compile<Bodies['Rule']>(BODY_SCHEMAS.Rule),
    RuleUnset: ajv.compile<Bodies['RuleUnset']>(BODY_SCHEMAS.RuleUnset),
    SettingsChange: ajv.compile<Bodies['SettingsChange']>(BODY_SCHEMAS.SettingsChange),
    Logs: ajv.compile<Bodies['Logs']>(BODY_SCHEMAS.Logs),
    BugReport: ajv.compile<Bodies['BugReport']>(BODY_SCHEMAS.BugReport),
    Backup: ajv.compile<Bodies['Backup']>(BODY_SCHEMAS.Backup),
    Restore: ajv.compile<Bodies['Restore']>(BODY_SCHEMAS.Restore),
    Nothing: ajv.compile<Bodies['Nothing']>(BODY_SCHEMAS.Nothing),
    PageOwner: ajv.compile<Bodies['PageOwner']>(BODY_SCHEMAS.PageOwner),
    PageSignIn: ajv.compile<Bodies['PageSignIn']>(BODY_SCHEMAS.PageSignIn),
    PagePassword: ajv.compile<Bodies['PagePassword']>(BODY_SCHEMAS.PagePassword),
  };
  return async <Name extends BodyName>(request: IncomingMessage, name: Name): Promise<Bodies[Name]> => {
    const text = await readText(request, LARGER[name] ?? MAX_BODY_BYTES);
    const body: unknown = text === '' ? {} : parse(text);
    const check = checks[name];
    if (check(body)) return body;
    throw apiErrors('API_BODY', { problem: ajv.errorsText(check.errors, { dataVar: 'body' }) });
  };
}

async function readText(request: IncomingMessage, limit: number): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > limit) throw apiErrors('API_BODY_TOO_LARGE', { limit });
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw apiErrors('API_BODY', { problem: 'it is not JSON' }, cause);
  }
}
