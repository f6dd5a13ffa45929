// What counts as private and public in this network (V5): the rules that its owner set, over those that everybody starts with.
import type { ScopedStore } from '../base/store.ts';
import type { Endpoint } from '../protocol/address.ts';
import { rulesWith, scopeOf } from '../protocol/ip/classify.ts';
import type { AddressScope, AddressTable } from '../protocol/ip/classify.ts';
import { parsePrefix } from '../protocol/ip/prefix.ts';
import { compileSchema } from '../protocol/location/codec.ts';
import type { Registration, ScopeRule } from '../protocol/location/messages.ts';
import { rulesSchema } from '../protocol/location/schema.ts';
import type { AuditedChange } from './audit.ts';
import type { Changes } from './changes.ts';
import { serverErrors } from './errors.ts';

export const SCOPES: readonly AddressScope[] = [
  'public',
  'private',
  'shared',
  'link-local',
  'loopback',
  'special',
];
const MAX_RULES = 64;
const MAX_ENDPOINTS = 16;
const KEY = 'rules';

export class Rules {
  readonly #store: ScopedStore;
  readonly #changes: Changes;
  #own: readonly ScopeRule[] = [];
  #table: AddressTable = tableOf([]);

  constructor(store: ScopedStore, changes: Changes) {
    this.#store = store;
    this.#changes = changes;
  }

  /** TypeError: not written by this version. */
  async load(): Promise<void> {
    const stored = (await this.#store.get(KEY)) ?? { v: 1, rules: [] };
    if (!compileSchema<{ readonly rules: readonly ScopeRule[] }>(STORED)(stored))
      throw new TypeError('these are no rules');
    this.#take(stored.rules);
  }

  /** As told to every node. */
  get own(): readonly ScopeRule[] {
    return this.#own;
  }

  get table(): AddressTable {
    return this.#table;
  }

  /** Errors: RULE_INVALID, RULES_TOO_MANY, and the store's. */
  set(rule: ScopeRule): Promise<void> {
    const { prefix, scope } = checked(rule);
    return this.#changes.run(async () => {
      const others = this.#own.filter(own => own.prefix !== prefix);
      if (others.length >= MAX_RULES) throw serverErrors('RULES_TOO_MANY', { most: MAX_RULES });
      await this.#keep([...others, { prefix, scope }], {
        ...{ what: 'rules-changed', subject: prefix },
        facts: { scope },
      });
    });
  }

  /** Errors: RULE_UNKNOWN, and the store's. */
  unset(prefix: string): Promise<void> {
    return this.#changes.run(async () => {
      const others = this.#own.filter(own => own.prefix !== prefix);
      if (others.length === this.#own.length) throw serverErrors('RULE_UNKNOWN', { prefix });
      await this.#keep(others, { what: 'rules-unset', subject: prefix });
    });
  }

  /** The server's own judgement of what a node says of itself. */
  judge(registration: Registration): Registration {
    const told = new Map(
      [...registration.privateAddresses, ...registration.publicAddresses].map(each => [keyOf(each), each]),
    );
    const isPublic = ({ address }: Endpoint): boolean => scopeOf(this.#table, address) === 'public';
    const all = [...told.values()];
    return {
      ...registration,
      privateAddresses: all.filter(each => !isPublic(each)).slice(0, MAX_ENDPOINTS),
      publicAddresses: all.filter(isPublic).slice(0, MAX_ENDPOINTS),
    };
  }

  async #keep(rules: readonly ScopeRule[], told: AuditedChange): Promise<void> {
    await this.#changes.write([{ type: 'put', key: KEY, value: { v: 1, rules } }], told);
    this.#take(rules);
  }

  #take(rules: readonly ScopeRule[]): void {
    this.#own = rules;
    this.#table = tableOf(rules);
  }
}

const STORED = {
  type: 'object',
  properties: { v: { const: 1 }, rules: rulesSchema },
  required: ['v', 'rules'],
};

function checked({ prefix, scope }: ScopeRule): ScopeRule {
  const refuse = (problem: string): never => {
    throw serverErrors('RULE_INVALID', { prefix: prefix.slice(0, 64), problem });
  };
  const parsed = parsePrefix(prefix);
  if (!parsed.ok && parsed.code === 'prefix.host-bits') refuse('it has bits set behind its length');
  if (!prefix.includes('/') || !compileSchema(rulesSchema)([{ prefix, scope: 'public' }]))
    refuse('a network is written like 198.18.0.0/15 or fd00::/8, in its shortest form');
  if (!SCOPES.includes(scope)) refuse(`it can be ${SCOPES.join(', ')}, and not ${scope.slice(0, 32)}`);
  return { prefix, scope };
}

function tableOf(rules: readonly ScopeRule[]): AddressTable {
  const table = rulesWith(rules);
  if (!table.ok) throw new TypeError(table.code);
  return table.value;
}

const keyOf = ({ address, port }: Endpoint): string => `${address} ${port}`;
