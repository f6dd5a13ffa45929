// What `ginnel accounts` shows. Names are others' words.
import type { AccountSummary } from '../../server/log-in-admin.ts';
import { plain, table } from '../words.ts';

export function accountsScreen(accounts: readonly AccountSummary[]): string {
  if (accounts.length === 0) return 'No accounts. Make one with: ginnel accounts add NAME';
  const rows = accounts.map(account => [plain(account.name), limitOf(account), boxesOf(account)]);
  return table(rows);
}

export function accountScreen(account: AccountSummary, what: string): string {
  const name = plain(account.name);
  const stay = account.used.length === 0 ? '' : `\nBoxes that it brought in stay: ${boxesOf(account)}.`;
  return `The account ${name} ${what}. On a box: ginnel up --account ${name} --network LINE, with the line of: ginnel invite --address-only${stay}`;
}

export function removedScreen(account: AccountSummary): string {
  const gone = `The account ${plain(account.name)} brings in no more boxes.`;
  if (account.used.length === 0) return gone;
  return `${gone} Those that it brought in stay (a box is known by its own key): ${boxesOf(account)}.\nTake one out with: ginnel nodes remove NAME`;
}

const limitOf = ({ boxes, used }: AccountSummary): string =>
  `${used.length}${boxes === null ? '' : ` of ${boxes}`} ${(boxes ?? used.length) === 1 ? 'box' : 'boxes'}`;

const boxesOf = ({ used }: AccountSummary): string => used.map(plain).join(', ');
