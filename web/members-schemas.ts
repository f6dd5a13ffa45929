// The JSON Schemas of request bodies about those in the network and its rules. docs/openapi.yaml carries the same ones; what
// a name, a network or a scope may be is judged by the server, which says it in words.

const text = { type: 'string', minLength: 1, maxLength: 256 } as const;

export const MEMBERS_SCHEMAS = {
  NodeRename: { type: 'object', additionalProperties: false, required: ['name'], properties: { name: text } },
  Rule: {
    type: 'object',
    additionalProperties: false,
    required: ['prefix', 'scope'],
    properties: { prefix: text, scope: text },
  },
  RuleUnset: {
    type: 'object',
    additionalProperties: false,
    required: ['prefix'],
    properties: { prefix: text },
  },
} as const;
