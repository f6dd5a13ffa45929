// What an invite may be: checked before one is made, whoever asks.
import { schemaProblem } from '../base/config.ts';
import { compileSchema } from '../protocol/location/codec.ts';
import type { InviteOptions } from './admin.ts';
import { serverErrors } from './errors.ts';

const DAY_MS = 86_400_000;
const DEFAULTS: InviteOptions = { validMs: DAY_MS, uses: 1, approval: false, note: '' };
const MAX_NOTE = 100;

const SCHEMA = {
  type: 'object',
  properties: {
    validMs: { type: 'integer', minimum: 1000, maximum: 366 * DAY_MS },
    uses: { anyOf: [{ type: 'integer', minimum: 1, maximum: 10_000 }, { type: 'null' }] },
    approval: { type: 'boolean' },
    note: { type: 'string', maxLength: MAX_NOTE },
  },
  additionalProperties: false,
};

/** What is wanted over the defaults. Error: SERVER_OPTIONS. */
export function checkedInvite(wanted: Partial<InviteOptions>): InviteOptions {
  const validate = compileSchema<Partial<InviteOptions>>(SCHEMA);
  if (!validate(wanted)) throw serverErrors('SERVER_OPTIONS', { problem: schemaProblem(validate.errors) });
  return { ...DEFAULTS, ...wanted };
}
