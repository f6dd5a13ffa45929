// `ginnel accounts`: who may bring in boxes with a name and a password.
import { InvalidArgumentError, type Command } from 'commander';
import type { AccountSummary } from '../../server/log-in-admin.ts';
import { accountScreen, accountsScreen, removedScreen } from '../screens/accounts.ts';
import { withJson, type Kit } from './command.ts';
import { passwordFrom } from './secrets.ts';

interface Flags {
  readonly json?: boolean;
}

export function accountCommands(program: Command, kit: () => Kit): void {
  const accounts = withJson(program.command('accounts'))
    .summary('accounts with a password, by which people bring in boxes')
    .description('Lists the accounts. A password is asked for, or the first line of standard input.')
    .enablePositionalOptions()
    .action((flags: Flags) => list(kit(), flags));
  withJson(accounts.command('list'))
    .summary('the accounts, and the boxes that they brought in')
    .action((flags: Flags) => list(kit(), flags));
  withJson(accounts.command('add <name>'))
    .summary('make an account; asks for its password')
    .option('--boxes <number>', 'how many boxes it may bring in (any)', boxes)
    .action((name: string, flags: Flags & { boxes?: number }) => add(kit(), name, flags));
  withJson(accounts.command('password <name>'))
    .summary('set the password of an account; its boxes stay')
    .action((name: string, flags: Flags) => setPassword(kit(), name, flags));
  withJson(accounts.command('remove <name>'))
    .summary('remove an account; its boxes stay')
    .action((name: string, flags: Flags) => remove(kit(), name, flags));
}

async function list(kit: Kit, flags: Flags): Promise<void> {
  const answer = await kit.client.get<{ accounts: AccountSummary[] }>('/v1/server/accounts');
  kit.show(flags.json === true, answer, () => accountsScreen(answer.accounts));
}

async function add(kit: Kit, name: string, flags: Flags & { boxes?: number }): Promise<void> {
  const password = await passwordFrom(kit, `Password for ${name}: `, true);
  const limit = flags.boxes === undefined ? {} : { boxes: flags.boxes };
  const account = await kit.client.post<AccountSummary>('/v1/server/accounts', { name, password, ...limit });
  kit.show(flags.json === true, account, () => accountScreen(account, 'is there'));
}

async function setPassword(kit: Kit, name: string, flags: Flags): Promise<void> {
  const password = await passwordFrom(kit, `New password for ${name}: `, true);
  const account = await kit.client.post<AccountSummary>(pathOf(name, 'password'), { password });
  kit.show(flags.json === true, account, () => accountScreen(account, 'has a new password'));
}

async function remove(kit: Kit, name: string, flags: Flags): Promise<void> {
  const account = await kit.client.post<AccountSummary>(pathOf(name, 'remove'), {});
  kit.show(flags.json === true, account, () => removedScreen(account));
}

const pathOf = (name: string, what: string): string =>
  `/v1/server/accounts/${encodeURIComponent(name)}/${what}`;

function boxes(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 1000)
    throw new InvalidArgumentError('A number from 1 to 1000.');
  return value;
}
