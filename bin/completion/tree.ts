// What can be completed, read off the tree of commands: the scripts for the shells are made from it.
import { Help, type Command, type Option } from 'commander';

/** What stands for names that only the daemon knows: `ginnel complete KIND`. */
export const KINDS = [
  'boxes',
  'subjects',
  'plugins',
  'settings',
  'values',
  'nodes',
  'invites',
  'accounts',
] as const;
export type Kind = (typeof KINDS)[number];

export interface ValueOption {
  /** `--level`, `-n`. */
  readonly flags: readonly string[];
  /** What it may be, or whom to ask; null: anything, such as a file. */
  readonly choices: readonly string[] | Kind | null;
}

export interface Place {
  /** With a blank before each: ` server export`; empty: the program itself. */
  readonly path: string;
  readonly commands: readonly string[];
  readonly options: readonly string[];
  readonly valueOptions: readonly ValueOption[];
  /** For each argument in turn: what it may be, or whom to ask; null: a file, or what nobody knows beforehand. */
  readonly arguments: readonly (readonly string[] | Kind | null)[];
}

/** Every command that is not hidden. */
export function placesOf(command: Command, path = ''): readonly Place[] {
  const help = new Help();
  const under = help.visibleCommands(command);
  const options = help.visibleOptions(command);
  const place = {
    path,
    commands: under.map(each => each.name()),
    options: options.flatMap(({ long }) => long ?? []),
    valueOptions: options.filter(takesValue).map(option => ({
      flags: [option.short, option.long].filter(flag => flag !== undefined),
      choices: option.argChoices ?? OPTION_KINDS[`${path} ${option.long ?? ''}`] ?? null,
    })),
    arguments: command.registeredArguments.map(
      argument => argument.argChoices ?? kindOf(path, argument.name()),
    ),
  };
  return [place, ...under.flatMap(each => placesOf(each, `${path} ${each.name()}`))];
}

const OPTION_KINDS: Readonly<Record<string, Kind>> = { ' relays --why': 'nodes' };

const takesValue = ({ required, optional }: Option): boolean => required || optional;

/** By where an argument stands and what it is called. */
function kindOf(path: string, argument: string): Kind | null {
  const area = path.trim().split(' ')[0] ?? '';
  if (argument === 'peer') return area === 'why' ? 'subjects' : 'boxes';
  if (argument === 'key') return 'settings';
  if (argument === 'value') return 'values';
  if (area === 'plugins' && argument === 'name') return 'plugins';
  if (area === 'nodes') return argument === 'node' || !path.endsWith('rename') ? 'nodes' : null;
  if (area === 'invite' && argument === 'id') return 'invites';
  if (area === 'accounts' && !path.endsWith('add')) return 'accounts';
  return null;
}
