// `ginnel invite`: whoever has an invite may let a box in; what was given out is listed and taken back.
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { InviteOptions, InviteSummary, IssuedInvite, ServerSummary } from '../../server/admin.ts';
import { serverErrors } from '../../server/errors.ts';
import { inviteScreen, invitesScreen, revokedScreen } from '../screens/invites.ts';
import { duration } from './arguments.ts';
import { withJson, type Kit } from './command.ts';

export const DAY_MS = 86_400_000;
const MOST_USES = 10_000;

interface InviteFlags {
  readonly valid: number;
  readonly uses: number | 'any';
  readonly approval?: boolean;
  readonly note?: string;
  readonly addressOnly?: boolean;
  readonly json?: boolean;
}

export function inviteCommands(program: Command, kit: () => Kit): void {
  const invite = withJson(program.command('invite'))
    .summary('make an invite that lets one more box in')
    .description('Makes an invite. Who has it may let a box in: it is shown this once, and is a secret.')
    .enablePositionalOptions()
    .addOption(
      new Option('--valid <time>', 'how long it can be used: 30m, 24h, 7d')
        .argParser(duration)
        .default(DAY_MS, '24h'),
    )
    .addOption(
      new Option('--uses <number>', 'how many boxes it lets in, or any').argParser(uses).default(1, '1'),
    )
    .option('--approval', 'the box waits until somebody says: ginnel nodes approve NAME')
    .option('--note <text>', 'whom it is for, to be read in the list')
    .option('--address-only', "only the network's address, for those with an account or a certificate")
    .action((flags: InviteFlags) =>
      flags.addressOnly === true ? address(kit(), flags) : make(kit(), flags),
    );
  withJson(invite.command('list'))
    .summary('the invites that were made, without what lets a box in')
    .action(async (flags: { json?: boolean }) => {
      const tools = kit();
      const answer = await tools.client.get<{ invites: InviteSummary[] }>('/v1/server/invites');
      tools.show(flags.json === true, answer, () => invitesScreen(answer.invites, tools.columns));
    });
  withJson(invite.command('revoke <id>'))
    .summary('take an invite back; boxes that it let in stay')
    .action(async (id: string, flags: { json?: boolean }) => {
      const tools = kit();
      const path = `/v1/server/invites/${encodeURIComponent(id)}/revoke`;
      const revoked = await tools.client.post<InviteSummary>(path, {});
      tools.show(flags.json === true, revoked, () => revokedScreen(revoked));
    });
}

export const newInvite = (kit: Kit, options: Partial<InviteOptions>): Promise<IssuedInvite> =>
  kit.client.post('/v1/server/invites', options);

async function make(kit: Kit, flags: InviteFlags): Promise<void> {
  const { valid: validMs, approval = false, note = '' } = flags;
  const most = flags.uses === 'any' ? null : flags.uses;
  const invite = await newInvite(kit, { validMs, uses: most, approval, note });
  kit.show(flags.json === true, invite, () => inviteScreen(invite, validMs));
}

async function address(kit: Kit, flags: InviteFlags): Promise<void> {
  const { networkAddress } = await kit.client.get<ServerSummary>('/v1/server');
  if (networkAddress === '') throw serverErrors('SERVER_DOWN');
  kit.show(flags.json === true, { networkAddress }, () => networkAddress);
}

/** Null would count as left out. */
function uses(text: string): number | 'any' {
  if (text === 'any') return text;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > MOST_USES)
    throw new InvalidArgumentError(`A number from 1 to ${MOST_USES}, or any.`);
  return value;
}
