// `ginnel get`, `set`, `unset`: the settings of node, server and daemon as one list. What several of them have by one name
// (`web-port`) is one thing to a person: it is set for all.
import type { Command } from 'commander';
import { GinnelError } from '../../base/errors.ts';
import { unknownSetting } from '../../base/setting-schema.ts';
import type { SettingsChange, SettingShown } from '../../base/settings.ts';
import { commandErrors } from '../errors.ts';
import {
  changedScreen,
  settingScreen,
  settingsScreen,
  type OwnedSetting,
  type Owner,
} from '../screens/settings.ts';
import { valueFrom } from '../setting-words.ts';
import { withJson, type Kit } from './command.ts';
import { textOf } from './input.ts';

const PATHS: Readonly<Record<Owner, string>> = {
  node: '/v1/node/settings',
  server: '/v1/server/settings',
  daemon: '/v1/settings',
};
const OWNERS: readonly Owner[] = ['node', 'server', 'daemon'];
const MAX_SECRET_CHARACTERS = 4096;

interface Flags {
  readonly json?: boolean;
}

export function settingsCommands(program: Command, kit: () => Kit): void {
  withJson(program.command('get [key]'))
    .summary('what is set on this box, or what one setting does')
    .action(async (key: string | undefined, flags: Flags) => {
      const tools = kit();
      const all = await allSettings(tools);
      if (key === undefined) tools.show(flags.json === true, { settings: all }, () => settingsScreen(all));
      else {
        const settings = found(all, key);
        const [first, ...others] = settings;
        const shown = others.length === 0 ? first : { settings };
        tools.show(flags.json === true, shown, () => settings.map(settingScreen).join('\n\n'));
      }
    });
  withJson(program.command('set <key> [value...]'))
    .summary('set it, at once where that can be; all there are: ginnel get')
    .description(
      'Sets it, at once where that can be, or says what makes it take effect.\nA list is several words, or one with commas. A secret is asked for, or read from standard input.',
    )
    .action(async (key: string, words: readonly string[], flags: Flags) => {
      const tools = kit();
      const settings = found(await allSettings(tools), key);
      const value = await wanted(tools, settings[0], words);
      await change(tools, settings, { set: { [key]: value } }, flags);
    });
  withJson(program.command('unset <key>'))
    .summary('set it back to its default')
    .action(async (key: string, flags: Flags) => {
      const tools = kit();
      await change(tools, found(await allSettings(tools), key), { unset: [key] }, flags);
    });
}

export const serverSettings = (kit: Kit): Promise<readonly OwnedSetting[]> => settingsOf(kit, 'server');

/** Of all owners that this daemon has. */
export async function allSettings(kit: Kit): Promise<readonly OwnedSetting[]> {
  const lists = await Promise.all(OWNERS.map(owner => settingsOf(kit, owner)));
  return lists.flat();
}

async function settingsOf({ client }: Kit, owner: Owner): Promise<readonly OwnedSetting[]> {
  try {
    return owned(owner, await client.get<Answer>(PATHS[owner]));
  } catch (error) {
    const isAbsent = error instanceof GinnelError && /^API_NO_/.test(error.code);
    if (isAbsent) return [];
    throw error;
  }
}

interface Answer {
  readonly settings: readonly SettingShown[];
}

const owned = (owner: Owner, { settings }: Answer): readonly OwnedSetting[] =>
  settings.map(setting => ({ owner, ...setting }));

type Found = readonly [OwnedSetting, ...OwnedSetting[]];

function found(settings: readonly OwnedSetting[], key: string): Found {
  const [first, ...others] = settings.filter(each => each.key === key);
  if (first !== undefined) return [first, ...others];
  throw unknownSetting(
    key,
    settings.map(each => each.key),
  );
}

async function wanted({ around }: Kit, setting: OwnedSetting, words: readonly string[]): Promise<unknown> {
  const { key, schema, mayBe } = setting;
  if (schema.writeOnly !== true) {
    if (words.length === 0) throw commandErrors('VALUE_NEEDED', { key, mayBe });
    return valueFrom(words, schema);
  }
  if (words.some(word => word !== '-')) throw commandErrors('SECRET_IN_ARGUMENTS', { key });
  const isAsking = around.input.isTTY === true && words.length === 0;
  const text = isAsking
    ? await around.ask(`${setting.title}: `)
    : await textOf(around.input, MAX_SECRET_CHARACTERS);
  return valueFrom([text.trim()], schema);
}

/** Where one owner refuses it, those asked before are as they were. */
async function change(kit: Kit, settings: Found, wish: SettingsChange, flags: Flags): Promise<void> {
  const { key } = settings[0];
  const changed: OwnedSetting[] = [];
  for (const [at, { owner }] of settings.entries()) {
    try {
      const after = owned(owner, await kit.client.post<Answer>(PATHS[owner], wish));
      changed.push(...after.filter(each => each.key === key));
    } catch (error) {
      for (const before of settings.slice(0, at)) await putBack(kit, before);
      throw error;
    }
  }
  kit.show(flags.json === true, { settings: changed }, () => changedScreen(changed));
}

async function putBack({ client }: Kit, { owner, key, isSet, value }: OwnedSetting): Promise<void> {
  const wish: SettingsChange = isSet ? { set: { [key]: value } } : { unset: [key] };
  await client.post<Answer>(PATHS[owner], wish);
}
