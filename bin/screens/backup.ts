// What `ginnel backup` and `ginnel restore` show.
import type { BackupPart, BackupPartName, MadeBackup, Restored } from '../../web/backup-admin.ts';
import { plain } from '../words.ts';

const WORDS: Readonly<Record<BackupPartName, (count: number) => string>> = {
  node: () => 'its keys and its place in the network',
  peers: count => `${count} ${count === 1 ? 'box' : 'boxes'} that it met`,
  settings: count => `${count} ${count === 1 ? 'setting' : 'settings'}`,
  plugins: count => `what was chosen of ${count} ${count === 1 ? 'plugin' : 'plugins'}`,
  page: () => "the page's password",
  server: count => `the location server with ${count} ${count === 1 ? 'box' : 'boxes'}`,
};

export const partsInWords = (parts: readonly BackupPart[]): string =>
  parts.map(({ part, count }) => WORDS[part](count)).join(', ');

export function backupScreen({ name, parts }: Omit<MadeBackup, 'file'>, path: string): string {
  return [
    `${plain(name)} is in ${path}: ${partsInWords(parts)}.`,
    'It opens with the passphrase alone; without it nobody can, you neither. On a new box: sudo ginnel restore FILE',
  ].join('\n');
}

export function restoreScreen(restored: Restored, cameUp: boolean): string {
  const { name, made, ip4, parts, roles, notes } = restored;
  const as = ip4 === '' ? '' : ` as ${plain(ip4)}`;
  return [
    `${plain(name)} is back${as}, as it was on ${new Date(made).toISOString().slice(0, 16).replace('T', ' ')} UTC: ${partsInWords(parts)}.`,
    ...notes.map(plain),
    ...(cameUp || roles.length === 0 ? [] : ['It has not come up yet. How it goes: ginnel status']),
    'The old box must stay down: two with the same keys would take the network from each other.',
  ].join('\n');
}
