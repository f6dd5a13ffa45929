// `ginnel plugins`: what helps this box to be reached, each with its state; turn on and off, set, try again.
import type { Command } from 'commander';
import type { PluginAdmin, PluginDetail, PluginStatus } from '../../core/admin.ts';
import { EXIT } from '../exit-codes.ts';
import { withPlugins } from '../plugins.ts';
import { pluginScreen, pluginsScreen, settingsInWords, stateSentence } from '../screens/plugins.ts';
import { plain } from '../words.ts';
import { each } from './arguments.ts';
import { withJson, type Kit } from './command.ts';
import { assignmentsOf } from './assignments.ts';

interface Flags {
  readonly json?: boolean;
  readonly unset?: readonly string[];
}

type Order = 'enable' | 'disable' | 'retry';

const ORDERS: Readonly<Record<Order, string>> = {
  enable: 'turn a plugin on',
  disable: 'turn a plugin off',
  retry: 'try a failed plugin now instead of later',
};

/** They work without a daemon, too: what is chosen then holds at the next `up`. */
export function pluginsCommands(program: Command, kit: () => Kit, exit: (code: number) => void): void {
  const plugins = withJson(program.command('plugins'))
    .summary('what helps this box to be reached; turn on, off, set')
    .description(
      'Lists the plugins. They can be turned on and off while traffic flows, or while Ginnel is down.',
    )
    .action(async (flags: Flags) => list(kit(), flags.json === true));
  withJson(plugins.command('list'))
    .summary('all plugins, each with its state')
    .action(async (_: Flags, command: Command) => list(kit(), isJson(command)));
  withJson(plugins.command('show <name>'))
    .summary('one plugin, its state, and what can be set')
    .action(async (name: string, _: Flags, command: Command) => show(kit(), name, isJson(command)));
  for (const [order, summary] of Object.entries(ORDERS) as [Order, string][])
    withJson(plugins.command(`${order} <name>`))
      .summary(summary)
      .action(async (name: string, _: Flags, command: Command) =>
        give(kit(), order, name, isJson(command), exit),
      );
  withJson(plugins.command('set <name> [key=value...]'))
    .summary('change settings of a plugin')
    .description(
      'KEY=VALUE sets one; lists are written with commas. KEY=@FILE reads the value from\na file, KEY=- from standard input: secrets are taken in no other way.',
    )
    .option('--unset <key>', 'back to the default; may be given again', each)
    .action(async (name: string, words: readonly string[], flags: Flags, command: Command) =>
      set(kit(), name, words, { ...flags, json: isJson(command) }, exit),
    );
}

/** `--json` may stand before or after the second word. */
const isJson = (command: Command): boolean => command.optsWithGlobals<Flags>().json === true;

async function list(kit: Kit, json: boolean): Promise<void> {
  const plugins = await withPlugins(kit, admin => admin.list());
  kit.show(json, { plugins }, () => pluginsScreen(plugins, kit.colours, kit.columns));
}

async function show(kit: Kit, name: string, json: boolean): Promise<void> {
  const plugin = await withPlugins(kit, admin => admin.detail(name));
  kit.show(json, plugin, () => pluginScreen(plugin, kit.colours));
}

async function give(
  kit: Kit,
  order: Order,
  name: string,
  json: boolean,
  exit: (code: number) => void,
): Promise<void> {
  const plugin = await withPlugins(kit, admin => admin[order](name));
  kit.show(json, plugin, () => stateSentence(plugin, kit.colours));
  if (order === 'enable' && plugin.thirdParty && !json)
    kit.around.err(`${plain(plugin.name)} did not come with Ginnel: it has all rights that Ginnel has.\n`);
  if (order !== 'disable' && hasFailed(plugin)) exit(EXIT.failed);
}

async function set(
  kit: Kit,
  name: string,
  words: readonly string[],
  { json = false, unset = [] }: Flags,
  exit: (code: number) => void,
): Promise<void> {
  const plugin = await withPlugins(kit, async admin => {
    const before = await admin.detail(name);
    const change = { set: await assignmentsOf(words, before.schema, kit.around.input), unset };
    if (!json) tellRestart(kit, before, [...Object.keys(change.set), ...unset]);
    return (admin satisfies PluginAdmin).configure(name, change);
  });
  kit.show(json, plugin, () =>
    [settingsInWords(plugin), stateSentence(plugin, kit.colours)].filter(part => part !== '').join('\n'),
  );
  if (hasFailed(plugin)) exit(EXIT.failed);
}

/** Before it happens. */
function tellRestart(kit: Kit, plugin: PluginDetail, keys: readonly string[]): void {
  const restarting = keys.filter(key => plugin.restarting.includes(key));
  const isRunning = ['starting', 'ready', 'limited'].includes(plugin.state);
  if (restarting.length === 0 || !isRunning) return;
  kit.around.err(
    `${restarting.map(plain).join(', ')}: ${plain(plugin.name)} is stopped and started for it, and does nothing for a moment.\n`,
  );
}

const hasFailed = ({ enabled, state }: PluginStatus): boolean =>
  enabled && (state === 'failed' || state === 'unavailable');
