// The `ginnel` command: arguments in, words or JSON out, an honest exit code. The daemon does the work.
import { Command, CommanderError } from 'commander';
import { GinnelError } from '../base/errors.ts';
import { inJson, isColoured, kitOf, type Kit } from './commands/command.ts';
import { lookCommands } from './commands/look.ts';
import { nodeCommands } from './commands/node.ts';
import { runCommands } from './commands/run.ts';
import { serverCommands } from './commands/server.ts';
import { commandErrors } from './errors.ts';
import { EXIT, EXIT_CODES_IN_WORDS, exitCodeOf } from './exit-codes.ts';
import type { Surroundings } from './surroundings.ts';
import { paint } from './words.ts';

/** Never rejects: what went wrong was told on standard error. Resolves to the exit code. */
export async function ginnel(args: readonly string[], around: Surroundings): Promise<number> {
  let code: number = EXIT.ok;
  try {
    const program = programOf(around, given => (code = given));
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) tell(error, args.includes('--json'), around);
    return exitCodeOf(error);
  }
}

function programOf(around: Surroundings, exit: (code: number) => void): Command {
  const program = new Command('ginnel')
    .description('Joins homes into one private network.')
    .version(around.version, '-V, --version', 'the version')
    .helpOption('-h, --help', 'this help; also after a command')
    .addHelpText('after', `\n${EXIT_CODES_IN_WORDS}.\nState: GINNEL_STATE, or /var/lib/ginnel.`)
    .configureOutput({ writeOut: text => around.out(text), writeErr: text => around.err(text) })
    .exitOverride();
  const kit = (): Kit => kitOf(around);
  serverCommands(program, kit);
  nodeCommands(program, kit);
  lookCommands(program, kit, exit);
  runCommands(program, kit);
  program.helpCommand(false);
  return program;
}

function tell(thrown: unknown, json: boolean, around: Surroundings): void {
  const problem = thrown instanceof Error ? thrown.message : String(thrown);
  const error = thrown instanceof GinnelError ? thrown : commandErrors('INTERNAL', { problem }, thrown);
  if (json) around.err(`${inJson(error)}\n`);
  else around.err(`${paint(isColoured(around, 'err')).bad(error.message)}\n`);
}
