// What `ginnel plugins` shows: every plugin with its state in words, or one with its settings.
import { mayBe, type SettingSchema } from '../../base/setting-schema.ts';
import type { PluginDetail, PluginStatus } from '../../core/admin.ts';
import { rowsWithin, wrap } from '../layout.ts';
import { valueInWords } from '../setting-words.ts';
import { plain, table, type Paint } from '../words.ts';

const STATES: Readonly<Record<PluginStatus['state'], string>> = {
  off: 'off',
  waiting: 'on with this box',
  starting: 'starting',
  ready: 'on',
  limited: 'on, limited',
  unavailable: 'cannot run here',
  failed: 'failed',
};

export function pluginsScreen(plugins: readonly PluginStatus[], colours: Paint, columns: number): string {
  if (plugins.length === 0) return 'There are no plugins.';
  const rows = plugins.map(plugin => ({
    cells: [
      plain(plugin.name),
      stateInWords(plugin, colours),
      ...(plugins.some(({ thirdParty }) => thirdParty) ? [plugin.thirdParty ? 'third-party' : ''] : []),
    ],
    more: plain(plugin.purpose),
  }));
  const problems = plugins.flatMap(plugin =>
    (problemOf(plugin, colours) ?? []).map(line => wrap(line, columns)),
  );
  return [rowsWithin(columns, rows, [0]), ...problems, '', 'More of each: ginnel plugins show NAME'].join(
    '\n',
  );
}

export function pluginScreen(plugin: PluginDetail, colours: Paint): string {
  const origin = plugin.thirdParty ? 'third-party, put there by the owner' : 'came with Ginnel';
  const version = plugin.version === '' ? '' : ` ${plain(plugin.version)}`;
  const parts = [
    `${plain(plugin.name)}${version} (${origin}): ${stateInWords(plugin, colours)}`,
    ...(plugin.purpose === '' ? [] : [plain(plugin.purpose)]),
    ...(problemOf(plugin, colours) ?? []),
    `Lies in ${plain(plugin.folder)}`,
    ...(plugin.memoryBytes === null ? [] : [`Memory: ${memoryInWords(plugin.memoryBytes)} when it started`]),
  ];
  return [...parts, ...said(plugin), ...settings(plugin)].join('\n');
}

/** What became of an order. */
export function stateSentence(plugin: PluginStatus, colours: Paint): string {
  const name = plain(plugin.name);
  const problem = problemOf(plugin, colours) ?? [];
  switch (plugin.state) {
    case 'ready':
      return `${name} is on.`;
    case 'waiting':
      return `${name} is on, and starts with this box: ginnel up`;
    case 'off':
      return [`${name} is off.`, ...problem].join('\n');
    case 'starting':
      return `${name} is starting.`;
    default:
      return problem.join('\n');
  }
}

/** The settings in use, in one line. */
export function settingsInWords({ settings, secrets }: PluginDetail): string {
  const set = Object.entries(secrets).map(
    ([key, isSet]) => `${plain(key)} ${isSet ? 'is set' : 'is not set'}`,
  );
  const known = Object.entries(settings).map(([key, value]) => `${plain(key)} is ${valueInWords(value)}`);
  return [...known, ...set].join(', ');
}

/** Growth of a whole process is no exact figure. */
const memoryInWords = (bytes: number): string =>
  bytes < LEAST_TOLD ? 'less than 0.5 MB' : `about ${(bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0)} MB`;

const LEAST_TOLD = 0.5e6;

function stateInWords({ state }: PluginStatus, colours: Paint): string {
  const words = STATES[state];
  if (state === 'ready') return colours.good(words);
  return state === 'failed' || state === 'unavailable'
    ? colours.bad(words)
    : state === 'off'
      ? words
      : colours.warn(words);
}

/** Null: all is well. */
function problemOf({ name, state, code, facts }: PluginStatus, colours: Paint): string[] | null {
  if (code === '') return null;
  const { message } = facts;
  const words =
    typeof message === 'string'
      ? plain(message)
      : `${plain(name)} is ${STATES[state]}: ${code}, see docs/errors.md`;
  return [`${colours.warn('!')} ${words}`];
}

function said({ facts }: PluginDetail): string[] {
  const rows = Object.entries(facts).filter(([key]) => key !== 'message');
  if (rows.length === 0) return [];
  return ['', 'It says:', table(rows.flatMap(([key, value]) => factRows(plain(key), value)))];
}

/** One row for a plain value; a thing of several parts has one for each, under the names that lead there. */
function factRows(name: string, value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [[`  ${name}`, valueInWords(value)]];
  const isPlainList = Array.isArray(value) && value.every(each => typeof each !== 'object');
  if (isPlainList || Object.keys(value).length === 0)
    return [[`  ${name}`, valueInWords(Object.values(value))]];
  return Object.entries(value).flatMap(([key, part]) =>
    factRows(Array.isArray(value) ? `${name} ${Number(key) + 1}` : `${name}, ${plain(key)}`, part),
  );
}

function settings(plugin: PluginDetail): string[] {
  const schemas = Object.entries((plugin.schema['properties'] ?? {}) as Record<string, SettingSchema>);
  if (schemas.length === 0) return [];
  const rows = schemas.map(([key, schema]) => {
    const isSet = plugin.secrets[key];
    const value =
      isSet === undefined
        ? valueInWords(plugin.settings[key])
        : isSet
          ? '(secret, set)'
          : '(secret, not set)';
    const restart = plugin.restarting.includes(key) ? '; restarts the plugin' : '';
    return [`  ${plain(key)}`, value, `${plain(mayBe(schema))}${restart}`];
  });
  return ['', `Settings (ginnel plugins set ${plain(plugin.name)} KEY=VALUE):`, table(rows)];
}
