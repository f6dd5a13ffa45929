// `ginnel page`: where the page of this box is, and the way back in.
import type { Command } from 'commander';
import type { PageShown } from '../../web/daemon-admin.ts';
import { pageScreen } from '../screens/page.ts';
import { withJson, type Kit } from './command.ts';

export function pageCommands(program: Command, kit: () => Kit): void {
  const page = withJson(program.command('page'))
    .enablePositionalOptions()
    .summary("where this box's page is, and the code to open it")
    .action((flags: { json?: boolean }) => show(kit(), '/v1/owner', flags.json === true));
  withJson(page.command('reset-password'))
    .summary("take the owner's password away, and end all sessions of the page")
    .action((flags: { json?: boolean }) => show(kit(), '/v1/owner/reset', flags.json === true));
}

async function show(kit: Kit, path: string, json: boolean): Promise<void> {
  const page = await kit.client.post<PageShown>(path, {});
  kit.show(json, page, () => pageScreen(page));
}

/** For the end of what another command says; null: the page is off, or cannot be reached. */
export async function pageShown({ client }: Kit): Promise<PageShown | null> {
  return client.post<PageShown>('/v1/owner', {}).catch(() => null);
}
