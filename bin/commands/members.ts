// `ginnel nodes`, `audit`, `rules`: who is in the network, what was done to it, and what counts as private in it.
import { InvalidArgumentError, type Command } from 'commander';
import type { AuditPage, NodesShown, RulesShown, ServerNode } from '../../server/admin.ts';
import { EXIT } from '../exit-codes.ts';
import {
  approvedScreen,
  auditScreen,
  disabledScreen,
  enabledScreen,
  nodesScreen,
  removedScreen,
  removeQuestion,
  renamedScreen,
  rulesScreen,
} from '../screens/members.ts';
import { withJson, type Kit } from './command.ts';

interface Flags {
  readonly json?: boolean;
}

export function memberCommands(program: Command, kit: () => Kit, exit: (code: number) => void): void {
  nodesCommands(program, kit, exit);
  withJson(program.command('audit'))
    .summary('what was done to the network, by whom and when')
    .option('--after <number>', 'entries behind that one', whole)
    .option('--most <number>', 'so many, 500 at most (100)', whole)
    .action(async (flags: Flags & { after?: number; most?: number }) => {
      const tools = kit();
      const query = Object.entries({ after: flags.after, most: flags.most }).flatMap(([name, value]) =>
        value === undefined ? [] : `${name}=${value}`,
      );
      const page = await tools.client.get<AuditPage>(
        `/v1/server/audit${query.length > 0 ? '?' : ''}${query.join('&')}`,
      );
      tools.show(flags.json === true, page, () => auditScreen(page));
    });
  rulesCommands(program, kit);
}

function nodesCommands(program: Command, kit: () => Kit, exit: (code: number) => void): void {
  const nodes = withJson(program.command('nodes'))
    .summary('the boxes of the network; approve, rename, disable, remove them')
    .description('Lists the boxes of the network. NAME may also be a virtual address or a number.')
    .enablePositionalOptions()
    .action((flags: Flags) => list(kit(), flags));
  withJson(nodes.command('list'))
    .summary('the boxes, whether they are online, and their addresses outside')
    .action((flags: Flags) => list(kit(), flags));
  for (const [verb, summary, screen] of [
    ['approve', 'let in a box that waits for approval', approvedScreen],
    ['disable', 'shut a box out until it is enabled', disabledScreen],
    ['enable', 'let a disabled box back in', enabledScreen],
  ] as const)
    withJson(nodes.command(`${verb} <name>`))
      .summary(summary)
      .action(async (name: string, flags: Flags) => {
        const tools = kit();
        const node = await tools.client.post<ServerNode>(pathOf(name, verb), {});
        tools.show(flags.json === true, node, () => screen(node));
      });
  withJson(nodes.command('rename <name> <new>'))
    .summary('give a box another name')
    .action(async (name: string, wanted: string, flags: Flags) => {
      const tools = kit();
      const node = await tools.client.post<ServerNode>(pathOf(name, 'rename'), { name: wanted });
      tools.show(flags.json === true, node, () => renamedScreen(name, node));
    });
  withJson(nodes.command('remove <name>'))
    .summary('shut a box out for good; asks first on a terminal')
    .option('-y, --yes', 'without asking')
    .action(async (name: string, flags: Flags & { yes?: boolean }) => {
      if (!(await remove(kit(), name, flags))) exit(EXIT.failed);
    });
}

async function list(kit: Kit, flags: Flags): Promise<void> {
  const nodes = await kit.client.get<NodesShown>('/v1/server/nodes');
  kit.show(flags.json === true, nodes, () => nodesScreen(nodes, Date.now(), kit.columns));
}

/** False: the person thought better of it. */
async function remove(kit: Kit, name: string, flags: Flags & { yes?: boolean }): Promise<boolean> {
  const isAsking = flags.yes !== true && kit.around.input.isTTY === true;
  if (isAsking && !/^y(es)?$/i.test((await kit.around.ask(removeQuestion(name))).trim())) {
    kit.around.err('Nothing was changed.\n');
    return false;
  }
  const node = await kit.client.post<ServerNode>(pathOf(name, 'remove'), {});
  kit.show(flags.json === true, node, () => removedScreen(node));
  return true;
}

function rulesCommands(program: Command, kit: () => Kit): void {
  const rules = withJson(program.command('rules'))
    .summary('which addresses count as private or public here')
    .description('Shows the rules by which addresses count as private or public in this network.')
    .enablePositionalOptions()
    .action((flags: Flags) => listRules(kit(), flags));
  withJson(rules.command('list'))
    .summary('all rules, those of this network first')
    .action((flags: Flags) => listRules(kit(), flags));
  withJson(rules.command('set <prefix> <scope>'))
    .summary('private, public, shared, link-local, loopback or special')
    .action(async (prefix: string, scope: string, flags: Flags) => {
      const tools = kit();
      const shown = await tools.client.post<RulesShown>('/v1/server/rules', { prefix, scope });
      tools.show(flags.json === true, shown, () => `${prefix} counts as ${scope} in this network.`);
    });
  withJson(rules.command('unset <prefix>'))
    .summary('take a rule of this network back')
    .action(async (prefix: string, flags: Flags) => {
      const tools = kit();
      const shown = await tools.client.post<RulesShown>('/v1/server/rules/unset', { prefix });
      tools.show(flags.json === true, shown, () => `${prefix} counts as it does everywhere.`);
    });
}

async function listRules(kit: Kit, flags: Flags): Promise<void> {
  const rules = await kit.client.get<RulesShown>('/v1/server/rules');
  kit.show(flags.json === true, rules, () => rulesScreen(rules));
}

const pathOf = (name: string, verb: string): string => `/v1/server/nodes/${encodeURIComponent(name)}/${verb}`;

function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('A whole number.');
  return Number(text);
}
