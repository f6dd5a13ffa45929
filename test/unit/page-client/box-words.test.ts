// What the box says, in Chinese: every code, setting and plugin of Ginnel's own, with the same facts, taken from the code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { mayBe, type SettingsSchema, type ValueSchema } from '../../../base/setting-schema.ts';
import { DAEMON_SETTINGS } from '../../../bin/settings.ts';
import { NODE_SETTINGS } from '../../../core/node/settings.ts';
import { SERVER_SETTINGS } from '../../../server/settings.ts';
import {
  boxWordsOf,
  plainText,
  type CodeText,
  type SettingTexts,
} from '../../../web/client/pure/box-words.ts';
import { namesIn } from '../../../web/client/pure/text.ts';
import { zhBox } from '../../../web/client/texts/zh-all.ts';
import { repositoryRoot } from '../../support/repository.ts';

/** Codes that never come to the page, by why. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  command: [
    ...['ABILITY_UNKNOWN', 'BACKUP_EXISTS', 'BACKUP_FILE', 'CERTIFICATE_FILE', 'DAEMON_NOT_ALLOWED'],
    ...['DAEMON_NOT_RUNNING', 'DAEMON_SILENT', 'DAEMON_SLOW', 'EXPORT_CUT', 'EXPORT_DAMAGED'],
    ...['EXPORT_EXISTS', 'EXPORT_FILE', 'EXPORT_FOREIGN', 'EXPORT_MOVE', 'EXPORT_NEWER', 'EXPORT_PASSPHRASE'],
    ...['EXPORT_SEALED', 'INTERNAL', 'INTERRUPTED', 'INVITE_FILE', 'NETWORK_FILE', 'PASSPHRASE_NEEDED'],
    ...['PASSPHRASE_TWICE', 'PASSWORD_NEEDED', 'PASSWORD_TWICE', 'RELAYS_ELSEWHERE', 'RELAYS_OF_WHOM'],
    ...['REPAIR_NOT_AGREED', 'REPORT_FILE', 'SECRET_IN_ARGUMENTS', 'SECRET_IN_ARGV', 'SERVER_EXISTS'],
    ...['SERVER_LISTEN', 'SERVICE_FAILED', 'SERVICE_NO_SYSTEMD', 'STATE_EXPORT_DAMAGED', 'STATE_MISSING'],
    ...['USAGE', 'VALUE_FILE', 'VALUE_NEEDED'],
  ],
  start: [
    ...['CONFIG_INVALID', 'CONFIG_NOT_JSON', 'CONFIG_UNREADABLE', 'DAEMON_DIED', 'DAEMON_RUNNING'],
    ...['NOTIFY_SOCKET', 'STATE_FOLDER'],
  ],
  // Answered by the group's socket, or in place of the page itself.
  notThePage: ['API_READ_ONLY', 'PAGE_NOT_BUILT', 'PAGE_NO_FILE'],
};
/** Nothing to translate: the names of ports and cards are so in Chinese too. */
const TITLES_ALIKE: readonly string[] = [];
const HAN = /\p{Script=Han}/u;

interface Kind {
  readonly what: string;
  readonly why: string;
  readonly todo: string;
}

async function kindsOf(file: 'errors.js' | 'health.js'): Promise<readonly (readonly [string, Kind])[]> {
  const found: [string, Kind][] = [];
  for (const top of ['base', 'system', 'core', 'plugins', 'server', 'web', 'bin'])
    for (const path of filesIn(join(repositoryRoot, 'dist', top)).filter(one => one.endsWith(`/${file}`))) {
      const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
      for (const catalogue of Object.values(module))
        if (typeof catalogue === 'function' && 'kinds' in catalogue)
          found.push(...Object.entries(catalogue.kinds as Record<string, Kind>));
    }
  return found;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));
}

const namesOf = ([what, why, todo]: CodeText): string => namesIn(`${what} ${why} ${todo}`).join();
const textOf = ({ what, why, todo }: Kind): CodeText => [what, why, todo];
const isChinese = (text: CodeText): boolean =>
  text.every(part => part === '' || HAN.test(part) || /^[{}\w（）：。 ]+$/.test(part));

t.test('every health line is there in Chinese, with the same facts', async t => {
  const kinds = await kindsOf('health.js');
  t.ok(kinds.length > 20);
  t.same(Object.keys(zhBox.health).sort(), kinds.map(([code]) => code).sort());
  for (const [code, kind] of kinds) {
    const text = zhBox.health[code] ?? ['', '', ''];
    t.equal(namesOf(text), namesOf(textOf(kind)), code);
    t.ok(HAN.test(text[0]) && isChinese(text), code);
  }
});

t.test('every error that can come to the page is there in Chinese, with the same facts', async t => {
  const kinds = await kindsOf('errors.js');
  const elsewhere = Object.values(ELSEWHERE).flat();
  const codes = [...new Set(kinds.map(([code]) => code))];
  t.ok(codes.length > 180);
  t.same(
    elsewhere.filter(code => !codes.includes(code)),
    [],
    'all that are left out exist',
  );
  t.same(Object.keys(zhBox.errors).sort(), codes.filter(code => !elsewhere.includes(code)).sort());
  for (const [code, kind] of kinds.filter(([code]) => !elsewhere.includes(code))) {
    const text = zhBox.errors[code] ?? ['', '', ''];
    t.equal(namesOf(text), namesOf(textOf(kind)), code);
    t.ok(HAN.test(text[0]) && isChinese(text), code);
  }
});

t.test('every setting has its title and description in Chinese, and what it may be', async t => {
  const owners = { node: NODE_SETTINGS, server: SERVER_SETTINGS, daemon: DAEMON_SETTINGS } as const;
  for (const [owner, schema] of Object.entries(owners))
    checkSettings(t, owner, schema, zhBox.settings[owner as keyof typeof owners]);
});

t.test("every plugin of Ginnel's own has its purpose and settings in Chinese", async t => {
  const folder = join(repositoryRoot, 'plugins');
  const manifests = readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => JSON.parse(readFileSync(join(folder, name, 'plugin.json'), 'utf8')) as Manifest);
  t.same(Object.keys(zhBox.plugins).sort(), manifests.map(({ name }) => name).sort());
  for (const { name, purpose, settings } of manifests) {
    const text = zhBox.plugins[name];
    t.ok(text !== undefined && HAN.test(text.purpose) && text.purpose !== purpose, name);
    checkSettings(t, name, settings, text?.settings ?? {});
  }
});

interface Manifest {
  readonly name: string;
  readonly purpose: string;
  readonly settings: SettingsSchema;
}

const words = boxWordsOf(zhBox);

function checkSettings(t: Test, owner: string, { properties }: SettingsSchema, texts: SettingTexts): void {
  t.same(Object.keys(texts).sort(), Object.keys(properties).sort(), owner);
  for (const [key, schema] of Object.entries(properties)) {
    const { title = '', description = '', options = {} } = texts[key] ?? {};
    t.ok(HAN.test(description) && description !== schema.description, `${owner} ${key}`);
    t.ok((HAN.test(title) && title !== schema.title) || TITLES_ALIKE.includes(key), `${owner} ${key}`);
    for (const one of [schema, schema.items].filter(one => one !== undefined))
      checkChoices(t, one, options, key);
  }
}

/** Names of protocols stay as they are. */
const NAMES = ['pcp', 'nat-pmp', 'upnp'];

function checkChoices(
  t: Test,
  schema: ValueSchema,
  options: Readonly<Record<string, string>>,
  key: string,
): void {
  const wanted = (schema.enum ?? []).map(String).filter(one => !NAMES.includes(one));
  t.same(Object.keys(options).sort(), wanted.sort(), `${key}: its choices`);
  t.ok(
    words.phrase(mayBe(schema)).every(piece => typeof piece === 'string'),
    `${key}: ${mayBe(schema)}`,
  );
}

t.test('a phrase is one that the code says', async t => {
  const source = ['base', 'system', 'core', 'plugins', 'server', 'web', 'bin', 'protocol']
    .flatMap(top => filesIn(join(repositoryRoot, top)))
    .filter(path => /\.(ts|json)$/.test(path) && !path.includes('/client/'))
    .map(path => plain(readFileSync(path, 'utf8')))
    .join('\n');
  const unsaid = Object.keys(zhBox.phrases).filter(phrase => !source.includes(plain(phrase)));
  t.same(
    unsaid.filter(phrase => !ASSEMBLED.some(part => part.test(phrase))),
    [],
  );
  for (const [from, to] of Object.entries(zhBox.phrases)) {
    t.equal(namesIn(to).join(), namesIn(from).join(), from);
    t.ok(HAN.test(to), from);
  }
});

/** Put together from smaller words: settings (their own test says them), clocks and loads. */
const ASSEMBLED = [
  /^a (whole )?number (from|of)/,
  /^\{count\} (years|days|hours|minutes) (behind|ahead)$/,
  /^No box has the |is none of its settings|^pcp, |^random, /,
  /^\{load\} loaded/,
  /^\{first\}, and could not be reached/,
];

/** All that varies alike, as a template literal or a catalogue has it. */
const plain = (text: string): string =>
  text
    .replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}|\{\w+\}/g, '{}')
    .replaceAll(/\\(['"])/g, '$1')
    .replaceAll(/\s+/g, ' ');

t.test(
  'facts are filled in, errors inside told by their own code, and the rest marked as English',
  async t => {
    const said = words.health({
      ...{ code: 'SERVER_AWAY', severity: 'warning', words: '', todo: '' },
      facts: {
        reason: { code: 'SERVER_UNREACHABLE', words: 'No.', facts: { tried: 'home.example.net:7443' } },
      },
    });
    t.equal(said?.isWhole, true);
    t.match(plainText(said?.words ?? []), /没有定位服务器应答。已尝试：home\.example\.net:7443。/);
    t.match(
      plainText(words.error('PAGE_TRIES', { seconds: 9, problem: 'Others are being checked' })?.words ?? []),
      /请等待 9 秒。正在核对其他登录。/,
    );
    const odd = words.error('API_BODY', { problem: 'body is <b>odd</b>.' });
    t.same(odd?.words, ['无法理解这个请求。', { en: 'body is <b>odd</b>' }, '。']);
    const bare = words.error('INVITE_USED', {});
    t.same(bare?.words, ['这个邀请已经用过了。'], 'what lacks its fact is left out');
    t.equal(bare?.isWhole, false);
    t.equal(words.error('NO_SUCH_CODE', {}), null);
    t.equal(words.plugin('toString'), null);
    t.equal(
      plainText(words.phrase('12.5 ms from this box; no better than those in use.')),
      '距该设备 12.5 ms；不比使用中的更好',
    );
  },
);
