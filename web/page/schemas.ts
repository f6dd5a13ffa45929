// The JSON Schemas of what the page sends about its owner. docs/openapi.yaml carries the same ones.

/** How short one may be is judged where it is set. */
const password = { type: 'string', minLength: 1, maxLength: 1024 } as const;

export const PAGE_SCHEMAS = {
  PageOwner: {
    type: 'object',
    additionalProperties: false,
    required: ['password'],
    properties: { password, code: { type: 'string', maxLength: 64 } },
  },
  PageSignIn: {
    type: 'object',
    additionalProperties: false,
    required: ['password'],
    properties: { password },
  },
  PagePassword: {
    type: 'object',
    additionalProperties: false,
    required: ['old', 'new'],
    properties: { old: password, new: password },
  },
} as const;

export interface PageBodies {
  PageOwner: { readonly password: string; readonly code?: string };
  PageSignIn: { readonly password: string };
  PagePassword: { readonly old: string; readonly new: string };
}
