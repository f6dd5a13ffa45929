// Help fits a screen, for every command there is; wrong usage names what is near.
import type { Command } from 'commander';
import t from 'tap';
import { SCREEN, wholeHelp } from '../../../bin/help.ts';
import { ginnel, programOf } from '../../../bin/program.ts';
import { quietSurroundings, type Said } from '../../support/quiet-surroundings.ts';

const tree = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(tree)];

const pathOf = (command: Command): readonly string[] =>
  command.parent === null ? [] : [...pathOf(command.parent), command.name()];

async function said(...args: string[]): Promise<Said & { code: number }> {
  const heard = { out: '', err: '' };
  const code = await ginnel(args, quietSurroundings(heard));
  return { ...heard, code };
}

const program = programOf(quietSurroundings({ out: '', err: '' }), () => undefined);

t.test('the help of every command fits 24 lines of 80 columns', async t => {
  for (const command of tree(program)) {
    const path = pathOf(command);
    const { out, code } = await said(...path, '--help');
    const name = ['ginnel', ...path].join(' ');
    const lines = out.trimEnd().split('\n');
    t.equal(code, 0, name);
    t.ok(lines.length <= SCREEN.lines, `${name}: ${lines.length} lines\n${out}`);
    for (const line of lines) t.ok(line.length <= SCREEN.columns, `${name}: ${line}`);
  }
});

t.test('every command says in a few words what it is for, and is in the whole help', async t => {
  const { out } = await said('help', 'all');
  t.equal(out.trimEnd(), wholeHelp(program).trimEnd());
  for (const command of tree(program).slice(1)) {
    if (command.name() === 'help' || pathOf(command).includes('complete')) continue;
    const name = pathOf(command).join(' ');
    t.not(command.summary(), '', `${name} has a summary`);
    t.notMatch(command.summary(), /^[A-Z]|\.$/, `${name}: a few words, no sentence`);
    t.ok(
      out.split('\n').some(line => line.trimStart().startsWith(name)),
      `${name} is listed`,
    );
  }
  for (const line of out.split('\n')) t.ok(line.length <= SCREEN.columns, line);
});

t.test('the first screen groups commands and names every one', async t => {
  const { out } = await said('--help');
  for (const title of ['Start here', 'Look', 'Change', 'Look after it']) t.match(out, `\n${title}`);
  for (const command of program.commands)
    if (!['help', 'complete'].includes(command.name())) t.match(out, new RegExp(`\\b${command.name()}\\b`));
  t.equal((await said('help')).out, out);
  t.match((await said('help', 'ping')).out, /^Usage: ginnel ping/);
});

t.test('wrong usage is 2 and names what was probably meant, in JSON too', async t => {
  for (const [args, meant] of [
    [['statsu'], 'Did you mean status?'],
    [['status', '--jsno'], 'Did you mean --json?'],
    [['help', 'pign'], 'Did you mean ping?'],
  ] as const) {
    const { code, err, out } = await said(...args);
    t.equal(code, 2);
    t.equal(out, '');
    t.ok(err.includes(meant), err);
    t.match(err, /ginnel help all.*\(USAGE\)\n$/);
  }
  const { err } = await said('ping', '--json');
  t.match(JSON.parse(err), { error: { code: 'USAGE', message: /Missing required argument/ } });
});
