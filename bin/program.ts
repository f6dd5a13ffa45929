// The `ginnel` command: arguments in, words or JSON out, an honest exit code. The daemon does the work.
import { Command, CommanderError } from 'commander';
import { GinnelError } from '../base/errors.ts';
import { daemonCommands } from './commands/daemon.ts';
import { accountCommands } from './commands/accounts.ts';
import { backupCommands } from './commands/backup.ts';
import { certificateCommands } from './commands/certificates.ts';
import { completionCommands } from './commands/completion.ts';
import { inJson, isColoured, kitOf, type Kit } from './commands/command.ts';
import { inviteCommands } from './commands/invites.ts';
import { lookCommands } from './commands/look.ts';
import { memberCommands } from './commands/members.ts';
import { nodeCommands } from './commands/node.ts';
import { pageCommands } from './commands/page.ts';
import { pluginsCommands } from './commands/plugins.ts';
import { relayCommands } from './commands/relays.ts';
import { runCommands } from './commands/run.ts';
import { serverCommands } from './commands/server.ts';
import { serviceCommands } from './commands/service.ts';
import { settingsCommands } from './commands/settings.ts';
import { stateCommands } from './commands/state.ts';
import { commandErrors } from './errors.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { configureHelp, helpCommand } from './help.ts';
import { deniedFile } from './places.ts';
import type { Surroundings } from './surroundings.ts';
import { paint } from './words.ts';

/** Never rejects: what went wrong was told on standard error. Resolves to the exit code. */
export async function ginnel(args: readonly string[], around: Surroundings): Promise<number> {
  let code: number = EXIT.ok;
  try {
    const program = programOf(around, given => (code = given));
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (thrown) {
    tell(thrown, args.includes('--json'), around);
    return exitCodeOf(thrown instanceof CommanderError ? thrown : errorFrom(thrown));
  }
}

/** The tree of all commands. `exit` takes the code of one that ran, but whose answer is no. */
export function programOf(around: Surroundings, exit: (code: number) => void): Command {
  const program = new Command('ginnel')
    .description('Joins homes into one private network.')
    .version(around.version, '-V, --version', 'the version')
    .configureOutput({
      writeOut: text => around.out(text),
      writeErr: text => around.err(text),
      // Wrong usage is told like any other error.
      outputError: () => undefined,
    })
    // What stands behind a command is that command's, though the one above has options of the same names.
    .enablePositionalOptions()
    .exitOverride();
  configureHelp(program);
  const kit = (): Kit => kitOf(around);
  serverCommands(program, kit);
  inviteCommands(program, kit);
  accountCommands(program, kit);
  memberCommands(program, kit, exit);
  relayCommands(program, kit);
  certificateCommands(program, kit);
  nodeCommands(program, kit, exit);
  lookCommands(program, kit, exit);
  settingsCommands(program, kit);
  pluginsCommands(program, kit, exit);
  pageCommands(program, kit);
  daemonCommands(program, kit);
  serviceCommands(program, kit, exit);
  backupCommands(program, kit, exit);
  stateCommands(program, kit, exit);
  runCommands(program, kit);
  completionCommands(program, kit);
  helpCommand(program, text => around.out(text));
  return program;
}

function tell(thrown: unknown, json: boolean, around: Surroundings): void {
  // Help and version have told already.
  if (thrown instanceof CommanderError && !isMisuse(thrown)) return;
  const error = errorFrom(thrown);
  if (json) around.err(`${inJson(error)}\n`);
  else around.err(`${paint(isColoured(around, 'err')).bad(error.message)}\n`);
}

const isMisuse = ({ code, exitCode }: CommanderError): boolean => exitCode !== 0 && code !== 'commander.help';

function errorFrom(thrown: unknown): GinnelError {
  if (thrown instanceof GinnelError)
    return (thrown.code === 'STORE_UNREADABLE' ? deniedFile(thrown) : null) ?? thrown;
  const problem = thrown instanceof Error ? thrown.message : String(thrown);
  if (!(thrown instanceof CommanderError))
    return deniedFile(thrown) ?? commandErrors('INTERNAL', { problem }, thrown);
  const [what = '', near = ''] = problem.replace(/^error: /, '').split('\n');
  const sentence = `${what.charAt(0).toUpperCase()}${what.slice(1).replace(/\.$/, '')}.`;
  return commandErrors('USAGE', { problem: `${sentence} ${near.replace(/^\((.*)\)$/, '$1')}`.trimEnd() });
}
