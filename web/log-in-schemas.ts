// The JSON Schemas of request bodies about the ways into the network. docs/openapi.yaml carries the same ones.

const validMs = { type: 'integer', minimum: 60000, maximum: 31536000000 } as const;
const password = { type: 'string', minLength: 1, maxLength: 256 } as const;
const pem = { type: 'string', minLength: 1, maxLength: 16384 } as const;

/** For `ginnel up`: what the node shows at its first log-in where it has no invite. */
export const CREDENTIALS = {
  network: { type: 'string', minLength: 1, maxLength: 4096 },
  account: {
    type: 'object',
    additionalProperties: false,
    required: ['name', 'password'],
    properties: { name: { type: 'string', minLength: 1, maxLength: 256 }, password },
  },
  certificate: {
    type: 'object',
    additionalProperties: false,
    required: ['chain', 'key'],
    properties: { chain: pem, key: pem },
  },
} as const;

export const LOG_IN_SCHEMAS = {
  Invite: {
    type: 'object',
    additionalProperties: false,
    properties: {
      validMs,
      uses: { type: ['integer', 'null'], minimum: 1, maximum: 10000 },
      approval: { type: 'boolean' },
      note: { type: 'string', maxLength: 100 },
    },
  },
  Account: {
    type: 'object',
    additionalProperties: false,
    required: ['name', 'password'],
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 256 },
      password,
      boxes: { type: ['integer', 'null'], minimum: 1, maximum: 1000 },
    },
  },
  AccountPassword: {
    type: 'object',
    additionalProperties: false,
    required: ['password'],
    properties: { password },
  },
  CertificateIssue: {
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: { name: { type: 'string', minLength: 1, maxLength: 64 }, validMs },
  },
  CertificateTrust: {
    type: 'object',
    additionalProperties: false,
    required: ['certificate'],
    properties: { certificate: pem },
  },
} as const;
