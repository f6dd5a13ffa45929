// The JSON Schemas of request bodies about the ways into the network. docs/openapi.yaml carries the same ones.

const validMs = { type: 'integer', minimum: 60000, maximum: 31536000000 } as const;

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
} as const;
