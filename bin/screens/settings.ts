// What `ginnel get`, `set` and `unset` show: one flat list of keys, grouped by whose they are.
import type { SettingShown } from '../../base/settings.ts';
import { valueInWords } from '../setting-words.ts';
import { table } from '../words.ts';

export type Owner = 'node' | 'server' | 'daemon';

export interface OwnedSetting extends SettingShown {
  readonly owner: Owner;
}

const TITLES: Readonly<Record<Owner, string>> = {
  node: 'This box',
  server: 'Its location server',
  daemon: 'Ginnel itself',
};

/** What makes a change take effect that needs a new start. */
export const RESTART: Readonly<Record<Owner, string>> = {
  node: 'sudo ginnel down && sudo ginnel up',
  server: 'sudo ginnel down --server && sudo ginnel server',
  daemon: 'a restart of Ginnel',
};

export function settingsScreen(settings: readonly OwnedSetting[]): string {
  const rows = table(settings.map(each => [`  ${each.key}`, shownValue(each)])).split('\n');
  const owners = [...new Set(settings.map(({ owner }) => owner))];
  const blocks = owners.map(owner => {
    const own = rows.filter((_, at) => settings[at]?.owner === owner);
    return [`${TITLES[owner]}:`, ...own].join('\n');
  });
  return [...blocks, 'What one does: ginnel get KEY. To change it: sudo ginnel set KEY VALUE'].join('\n');
}

export function settingScreen(setting: OwnedSetting): string {
  const { key, title, description, mayBe, owner, restart } = setting;
  return [
    `${key}: ${shownValue(setting)}`,
    `${title}. ${description}`,
    `It may be ${mayBe}.${restart ? ` A change takes effect after: ${RESTART[owner]}` : ''}`,
  ].join('\n');
}

/** One sentence each for what was changed. */
export function changedScreen(settings: readonly OwnedSetting[]): string {
  return settings.map(changedLine).join('\n');
}

function changedLine(setting: OwnedSetting): string {
  const { key, isSet, owner, pending, restart, schema } = setting;
  const what = schema.writeOnly === true ? (isSet ? 'set' : 'not set') : valueInWords(setting.value);
  const unset = isSet ? '' : ', the default';
  if (pending) return `${key} will be ${what}${unset}. It takes effect after: ${RESTART[owner]}`;
  return `${key} is ${what}${unset}.${restart ? ' It takes effect at the next start.' : ''}`;
}

function shownValue({ value, isSet, pending, schema }: OwnedSetting): string {
  const notes = [
    ...(isSet || !('default' in schema) ? [] : ['default']),
    ...(pending ? ['after a restart'] : []),
  ];
  const words =
    schema.writeOnly === true ? (isSet ? 'set, and kept secret' : 'not set') : valueInWords(value);
  return notes.length === 0 ? words : `${words} (${notes.join(', ')})`;
}
