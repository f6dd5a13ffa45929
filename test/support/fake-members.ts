// Made-up members of a made-up network, for tests of the interface and the command.
import { ADDRESS_RULES } from '../../protocol/ip/classify.ts';
import type { ScopeRule } from '../../protocol/location/messages.ts';
import type { AuditShown, MembersAdmin, NodeShown, NodesShown, ServerNode } from '../../server/admin.ts';
import { serverErrors } from '../../server/errors.ts';

const AT = Date.UTC(2026, 0, 1);

export class FakeMembers {
  #nodes: readonly NodeShown[];
  #removed: NodesShown['removed'] = [];
  #rules: readonly ScopeRule[] = [];
  #audit: readonly AuditShown[] = [];

  constructor(nodes: readonly ServerNode[]) {
    const registered = [{ endpoint: '192.168.1.2:41641', scope: 'private' }] as const;
    this.#nodes = nodes.map(node => ({ ...node, registered }));
  }

  get admin(): MembersAdmin {
    return {
      nodes: () => ({ nodes: this.#nodes, removed: this.#removed }),
      approveNode: node => this.#turn(node, { standing: 'member' }, 'node-approved'),
      renameNode: (node, name) => this.#turn(node, { name }, 'node-renamed'),
      disableNode: node => this.#turn(node, { standing: 'disabled' }, 'node-disabled'),
      enableNode: node => this.#turn(node, { standing: 'member' }, 'node-enabled'),
      removeNode: async what => {
        const node = await this.#turn(what, {}, 'node-removed');
        this.#nodes = this.#nodes.filter(({ id }) => id !== node.id);
        this.#removed = [{ id: node.id, name: node.name, at: AT }];
        return node;
      },
      audit: (after, most) => ({
        entries: this.#audit.filter(({ seq }) => seq > (after ?? 0)).slice(after === null ? -most : 0, most),
      }),
      rules: () => ({ own: this.#rules, defaults: ADDRESS_RULES }),
      setRule: rule => this.#setRules([...this.#rules.filter(({ prefix }) => prefix !== rule.prefix), rule]),
      unsetRule: async prefix => {
        const rest = this.#rules.filter(rule => rule.prefix !== prefix);
        if (rest.length === this.#rules.length) throw serverErrors('RULE_UNKNOWN', { prefix });
        return this.#setRules(rest);
      },
    };
  }

  async #setRules(rules: readonly ScopeRule[]): ReturnType<MembersAdmin['setRule']> {
    await Promise.resolve();
    this.#rules = rules;
    return this.admin.rules();
  }

  async #turn(what: string, change: Partial<ServerNode>, kind: AuditShown['what']): Promise<ServerNode> {
    await Promise.resolve();
    const node = this.#nodes.find(({ id, name }) => id === what || name === what);
    if (node === undefined) throw serverErrors('NODE_UNKNOWN');
    const { registered, ...changed } = { ...node, ...change };
    this.#nodes = this.#nodes.map(one => (one.id === node.id ? { ...changed, registered } : one));
    const entry = { seq: this.#audit.length + 1, at: AT, what: kind, by: 'owner', subject: node.name };
    this.#audit = [...this.#audit, { ...entry, facts: {}, words: `${node.name}: ${kind}` }];
    return changed;
  }
}
