// `ginnel relays`: on the box of the location server those of the network, and why; elsewhere those that this box keeps.
import type { Command } from 'commander';
import type { NodeRelays } from '../../core/admin.ts';
import type { RelaysShown, RelaysWhy } from '../../server/relays/admin.ts';
import type { Health } from '../../web/api.ts';
import { commandErrors } from '../errors.ts';
import { nodeRelaysScreen, relaysScreen, relaysWhyScreen } from '../screens/relays.ts';
import { withJson, type Kit } from './command.ts';

interface Flags {
  readonly json?: boolean;
  readonly why?: string;
}

/** Null: what this box is not, or that is down. */
interface Relays {
  readonly server: RelaysShown | null;
  readonly node: NodeRelays | null;
}

export function relayCommands(program: Command, kit: () => Kit): void {
  withJson(program.command('relays'))
    .summary('boxes that forward for those that cannot be reached')
    .description(
      'On the box of the location server: the relays of the network. On any box: those that it keeps itself.',
    )
    .option('--why <box>', 'why that box has the relays it has (on the box of the location server)')
    .action((flags: Flags) => (flags.why === undefined ? show(kit(), flags) : why(kit(), flags.why, flags)));
}

async function show(kit: Kit, flags: Flags): Promise<void> {
  const { roles } = await kit.client.get<Health>('/v1/health');
  const server = roles.server === 'up' ? await kit.client.get<RelaysShown>('/v1/server/relays') : null;
  // Where neither is up, the node says so.
  const isAsked = roles.node === 'up' || server === null;
  const node = isAsked ? await kit.client.get<NodeRelays>('/v1/node/relays') : null;
  const relays: Relays = { server, node };
  kit.show(flags.json === true, relays, () =>
    [
      ...(server === null ? [] : ['Relays of this network:', relaysScreen(server, kit.columns)]),
      ...(server === null || node === null ? [] : ['', 'This box:']),
      ...(node === null ? [] : [nodeRelaysScreen(node, kit.columns)]),
    ].join('\n'),
  );
}

async function why(kit: Kit, box: string, flags: Flags): Promise<void> {
  const { roles } = await kit.client.get<Health>('/v1/health');
  if (roles.server !== 'up') throw commandErrors('RELAYS_ELSEWHERE');
  if (box.trim() === '') throw commandErrors('RELAYS_OF_WHOM');
  const reasons = await kit.client.get<RelaysWhy>(`/v1/server/relays/why/${encodeURIComponent(box)}`);
  kit.show(flags.json === true, reasons, () => relaysWhyScreen(reasons, kit.columns));
}
