// `ginnel completion bash|zsh`, and the hidden `ginnel complete`, by which the scripts ask the daemon for names.
import { Argument, type Command } from 'commander';
import type { NodeStatus, PluginStatus } from '../../core/admin.ts';
import type { AccountSummary } from '../../server/log-in-admin.ts';
import type { InviteSummary, ServerSummary } from '../../server/admin.ts';
import { completionScript, type Shell } from '../completion/scripts.ts';
import { KINDS, placesOf, type Kind } from '../completion/tree.ts';
import { allSettings } from './settings.ts';
import type { Kit } from './command.ts';

/** A person waits for it at every Tab. */
const PATIENCE_MS = 1000;
const MOST = 256;
/** A name that a shell would take for more than a name is not offered: others choose what they are called. */
const HARMLESS = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,62}$/;

export function completionCommands(program: Command, kit: () => Kit): void {
  program
    .command('completion')
    .summary('completion for your shell: source <(ginnel completion bash)')
    .description(
      'Prints a script that completes commands, options, boxes, plugins and settings.\nbash: source <(ginnel completion bash)   in ~/.bashrc\nzsh:  source <(ginnel completion zsh)    in ~/.zshrc, behind compinit',
    )
    .addArgument(new Argument('<shell>', 'for which').choices(['bash', 'zsh']))
    .action((shell: Shell) => kit().around.out(completionScript(shell, placesOf(program))));
  program
    .command('complete', { hidden: true })
    .summary('names that the daemon knows, a line each')
    .addArgument(new Argument('<kind>').choices(KINDS))
    .argument('[word]')
    .action(async (kind: Kind, word: string | undefined) => {
      const tools = kit();
      const names = await inTime(namesOf(tools, kind, word ?? ''));
      const harmless = [...new Set(names)].filter(name => HARMLESS.test(name)).slice(0, MOST);
      if (harmless.length > 0) tools.around.out(`${harmless.join('\n')}\n`);
    });
}

/** Silent where there is no daemon, or none that answers soon. */
async function inTime(names: Promise<readonly string[]>): Promise<readonly string[]> {
  const late = new Promise<readonly string[]>(resolve => setTimeout(() => resolve([]), PATIENCE_MS).unref());
  return Promise.race([names.catch(() => []), late]);
}

async function namesOf(kit: Kit, kind: Kind, word: string): Promise<readonly string[]> {
  const { client } = kit;
  switch (kind) {
    case 'boxes':
      return (await client.get<NodeStatus>('/v1/node/status')).peers.map(({ name }) => name);
    case 'subjects':
      return [...(await namesOf(kit, 'boxes', word)), 'server'];
    case 'plugins': {
      const { plugins } = await client.get<{ plugins: readonly PluginStatus[] }>('/v1/node/plugins');
      return plugins.map(({ name }) => name);
    }
    case 'settings':
      return (await allSettings(kit)).map(({ key }) => key);
    case 'values':
      return valuesOf(kit, word);
    case 'nodes':
      return (await client.get<ServerSummary>('/v1/server')).nodes.map(({ name }) => name);
    case 'invites': {
      const { invites } = await client.get<{ invites: readonly InviteSummary[] }>('/v1/server/invites');
      return invites.map(({ id }) => id);
    }
    case 'accounts': {
      const { accounts } = await client.get<{ accounts: readonly AccountSummary[] }>('/v1/server/accounts');
      return accounts.map(({ name }) => name);
    }
  }
}

async function valuesOf(kit: Kit, key: string): Promise<readonly string[]> {
  const schema = (await allSettings(kit)).find(each => each.key === key)?.schema;
  if (schema?.type === 'boolean') return ['on', 'off'];
  const none = [schema?.type ?? []].flat().includes('null') ? ['none'] : [];
  return [...(schema?.enum ?? []).map(value => String(value ?? 'none')), ...none];
}
