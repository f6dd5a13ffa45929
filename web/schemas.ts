// The JSON Schemas of request bodies. docs/openapi.yaml carries the same ones; a test holds both in step.
import { MEMBERS_SCHEMAS } from './members-schemas.ts';
import { PAGE_SCHEMAS } from './page/schemas.ts';
import { CREDENTIALS, LOG_IN_SCHEMAS } from './log-in-schemas.ts';

const port = { type: 'integer', minimum: 1, maximum: 65535 } as const;
const hosts = {
  type: 'array',
  maxItems: 16,
  items: { type: 'string', minLength: 1, maxLength: 255 },
} as const;
/** Judged by the node itself, which says in words what a name may be. */
const name = { type: 'string', maxLength: 256 } as const;

const passphrase = { type: 'string', minLength: 1, maxLength: 1024 } as const;

export const BODY_SCHEMAS = {
  NodeUp: {
    type: 'object',
    additionalProperties: false,
    properties: {
      invite: { type: 'string', minLength: 1, maxLength: 4096 },
      ...CREDENTIALS,
      name,
      udpPort: port,
    },
  },
  Ping: {
    type: 'object',
    additionalProperties: false,
    required: ['peer'],
    properties: {
      peer: { type: 'string', minLength: 1, maxLength: 255 },
      count: { type: 'integer', minimum: 1, maximum: 10000, default: 5 },
      intervalMs: { type: 'integer', minimum: 100, maximum: 60000, default: 1000 },
      timeoutMs: { type: 'integer', minimum: 100, maximum: 60000, default: 3000 },
    },
  },
  ServerUp: {
    type: 'object',
    additionalProperties: false,
    properties: {
      port,
      secondPort: { type: ['integer', 'null'], minimum: 1, maximum: 65535 },
      webPort: { type: ['integer', 'null'], minimum: 1, maximum: 65535 },
      listen: hosts,
      advertise: hosts,
      /** Judged by the server itself, which says in words what it may be. */
      pool4: { type: 'string', minLength: 1, maxLength: 64 },
      networkName: { type: 'string', minLength: 1, maxLength: 63 },
      again: { type: 'boolean' },
    },
  },
  ServerExport: {
    type: 'object',
    additionalProperties: false,
    properties: { passphrase, move: { type: 'boolean' } },
  },
  ServerImport: {
    type: 'object',
    additionalProperties: false,
    required: ['file'],
    properties: {
      file: { type: 'string', maxLength: 67108864 },
      passphrase,
      port,
      secondPort: { type: ['integer', 'null'], minimum: 1, maximum: 65535 },
      webPort: { type: ['integer', 'null'], minimum: 1, maximum: 65535 },
      listen: hosts,
      advertise: hosts,
    },
  },
  ...LOG_IN_SCHEMAS,
  ...MEMBERS_SCHEMAS,
  ...PAGE_SCHEMAS,
  SettingsChange: {
    type: 'object',
    additionalProperties: false,
    properties: {
      set: { type: 'object', maxProperties: 64, additionalProperties: true },
      unset: { type: 'array', maxItems: 64, items: { type: 'string', minLength: 1, maxLength: 64 } },
    },
  },
  Logs: {
    type: 'object',
    additionalProperties: false,
    properties: {
      level: { enum: ['debug', 'info', 'warn', 'error'], default: 'debug' },
      part: { type: 'string', maxLength: 64, pattern: '^[a-z0-9.-]*$', default: '' },
      lines: { type: 'integer', minimum: 0, maximum: 10000, default: 100 },
      follow: { type: 'boolean', default: false },
    },
  },
  BugReport: {
    type: 'object',
    additionalProperties: false,
    properties: { mask: { type: 'boolean', default: false } },
  },
  Backup: {
    type: 'object',
    additionalProperties: false,
    required: ['passphrase'],
    properties: { passphrase },
  },
  Restore: {
    type: 'object',
    additionalProperties: false,
    required: ['file', 'passphrase'],
    properties: { file: { type: 'string', maxLength: 100663296 }, passphrase },
  },
  Nothing: { type: 'object', additionalProperties: false, properties: {} },
} as const;

export type BodyName = keyof typeof BODY_SCHEMAS;
