// Help that fits a screen: what a newcomer needs in sentences, all else by name; `ginnel help all` tells the whole.
import { Help, type Command } from 'commander';
import { nearest } from '../base/near.ts';
import { EXIT_CODES_IN_WORDS } from './exit-codes.ts';

export const SCREEN = { lines: 24, columns: 80 } as const;

interface Group {
  readonly title: string;
  /** On the first screen with a sentence each; the others are only named there. */
  readonly isDetailed: boolean;
  readonly commands: readonly string[];
}

/** Where each command stands. One that stands nowhere is listed under `More`. */
export const GROUPS: readonly Group[] = [
  { title: 'Start here', isDetailed: true, commands: ['server', 'invite', 'up', 'status', 'page'] },
  { title: 'Look', isDetailed: true, commands: ['ping', 'speed', 'why', 'netcheck', 'logs'] },
  { title: 'Change', isDetailed: false, commands: ['down', 'plugins', 'get', 'set', 'unset'] },
  {
    title: 'Run a network',
    isDetailed: false,
    commands: ['nodes', 'accounts', 'certificates', 'relays', 'audit', 'rules'],
  },
  {
    title: 'Look after it',
    isDetailed: false,
    commands: [
      ...['service', 'restart', 'backup', 'restore', 'check', 'repair', 'bugreport', 'metrics'],
      ...['completion', 'run'],
    ],
  },
];

const INDENT = '  ';
const TITLE_WIDTH = 16;

/** To be called before the first command is made: commands take it over. */
export function configureHelp(program: Command): void {
  program
    .helpOption('-h, --help', 'this help')
    .helpCommand(false)
    .configureOutput({ getOutHelpWidth: () => SCREEN.columns, getErrHelpWidth: () => SCREEN.columns })
    .configureHelp({
      subcommandTerm: termOf,
      commandDescription: command => command.description() || sentence(command.summary()),
      formatHelp: (command, helper) =>
        command.parent === null
          ? firstScreen(command, helper)
          : Help.prototype.formatHelp.call(helper, command, helper),
    });
}

/** `ginnel help`, `help all`, `help COMMAND`. */
export function helpCommand(program: Command, show: (text: string) => void): void {
  program
    .command('help [command...]', { hidden: true })
    .summary('this help, of all (help all), or of one command')
    .action((words: readonly string[] = []) => {
      if (words[0] === 'all') show(`${wholeHelp(program)}\n`);
      else commandAt(program, words).outputHelp();
    });
}

function commandAt(program: Command, words: readonly string[]): Command {
  let command = program;
  for (const word of words) {
    const { commands } = command;
    const [near] = nearest(
      word,
      commands.map(each => each.name()),
    );
    const meant = near === undefined ? '' : `\n(Did you mean ${near}?)`;
    command =
      commands.find(each => each.name() === word) ??
      command.error(`error: unknown command '${word}'${meant}`, { code: 'commander.unknownCommand' });
  }
  return command;
}

function firstScreen(program: Command, helper: Help): string {
  const groups = grouped(program);
  const width = Math.max(...program.commands.map(command => termOf(command).length));
  const item = (command: Command): string =>
    helper.formatItem(termOf(command), width, command.summary(), helper);
  const blocks = groups.map(({ title, isDetailed, commands }) =>
    isDetailed
      ? [title, ...commands.map(item)].join('\n')
      : hanging(title.padEnd(TITLE_WIDTH), commands.map(command => command.name()).join(', ')),
  );
  return [
    `Usage: ginnel COMMAND          ${program.description()}`,
    '',
    ...blocks,
    '',
    wrapped('More: ginnel help all, and ginnel COMMAND --help. The version: ginnel --version'),
    wrapped(`${EXIT_CODES_IN_WORDS}.`),
    'State: GINNEL_STATE, or /var/lib/ginnel.',
    '',
  ].join('\n');
}

/** Longer than a screen: every command and what is under it. */
export function wholeHelp(program: Command): string {
  const rows = (command: Command, before: string): (readonly [string, string])[] => [
    [`${before}${termOf(command)}`, command.summary()],
    ...command.commands.flatMap(each => rows(each, `${before}${command.name()} `)),
  ];
  const groups = grouped(program).map(({ title, commands }) => ({
    title,
    lines: commands.flatMap(command => rows(command, INDENT)),
  }));
  const width =
    Math.max(...groups.flatMap(({ lines }) => lines.map(([term]) => term.length))) + INDENT.length;
  return groups
    .map(({ title, lines }) =>
      [title, ...lines.map(([term, summary]) => hanging(term.padEnd(width), summary))].join('\n'),
    )
    .join('\n\n');
}

interface Filled extends Omit<Group, 'commands'> {
  readonly commands: readonly Command[];
}

function grouped(program: Command): readonly Filled[] {
  const visible = new Help().visibleCommands(program).filter(command => command.name() !== 'help');
  const named = new Set(GROUPS.flatMap(({ commands }) => commands));
  const more = visible.map(command => command.name()).filter(name => !named.has(name));
  return [...GROUPS, { title: 'More', isDetailed: false, commands: more }]
    .map(group => ({
      ...group,
      commands: group.commands.flatMap(name => visible.find(command => command.name() === name) ?? []),
    }))
    .filter(({ commands }) => commands.length > 0);
}

/** `ping <peer>`: options are for the command's own help. */
function termOf(command: Command): string {
  const places = command.registeredArguments.map(argument => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [command.name(), ...places].join(' ');
}

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

const wrapped = (text: string): string => hanging('', text);

/** `head`, and beside it the text, in as many lines as it needs. */
function hanging(head: string, text: string): string {
  const lines: string[] = [];
  let line = head;
  for (const word of text.split(' ')) {
    const isBegun = line.length > head.length;
    if (isBegun && line.length + word.length + 1 > SCREEN.columns) {
      lines.push(line);
      line = ' '.repeat(head.length) + word;
    } else line += isBegun ? ` ${word}` : word;
  }
  return [...lines, line].join('\n').trimEnd();
}
