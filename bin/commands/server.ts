// `ginnel server`, `invite`: this box runs the location server, and lets others in.
import { Option, type Command } from 'commander';
import type { NodeStatus } from '../../core/admin.ts';
import type { IssuedInvite, ServerOptions, ServerSummary } from '../../server/admin.ts';
import { inviteScreen, serverScreen } from '../screens/server.ts';
import { duration, each, port } from './arguments.ts';
import { withJson, type Kit } from './command.ts';
import { joined, joinedInWords } from './node.ts';
import { alongsideDaemon } from './run.ts';
import { transferCommands } from './transfer.ts';

const DAY_MS = 86_400_000;

interface ServerFlags {
  readonly port?: number;
  readonly secondPort?: number;
  readonly listen?: readonly string[];
  readonly advertise?: readonly string[];
  readonly pool?: string;
  readonly name?: string;
  readonly withNode?: boolean;
  readonly foreground?: boolean;
  readonly again?: boolean;
  readonly json?: boolean;
}

export function serverCommands(program: Command, kit: () => Kit): void {
  const command = withJson(program.command('server'))
    .enablePositionalOptions()
    .summary('run the location server here, and make an invite')
    .description('Sets up (the first time) and starts the location server. What is left out stays as it was.')
    .option('--port <port>', 'TCP and UDP port (7443)', port)
    .option('--second-port <port>', 'a second UDP port, so that boxes can tell kinds of NATs apart', port)
    .option('--listen <address>', 'listen on this address only; may be given again', each)
    .option('--advertise <host>', 'name or address that invites name; may be given again', each)
    .option('--pool <prefix>', "the network's IPv4 pool, chosen once (10.77.0.0/16)")
    .option('--name <name>', "the network's name")
    .option('--with-node', 'let this box join its own network')
    .option('--foreground', 'stay in the foreground')
    .option('--again', 'start it here although it moved to another machine')
    .action((flags: ServerFlags) => {
      const tools = kit();
      return flags.foreground === true
        ? alongsideDaemon(tools, () => server(tools, flags))
        : tools.ensureDaemon(flags.json === true).then(() => server(tools, flags));
    });
  transferCommands(command, kit);
  withJson(program.command('invite'))
    .summary('make an invite that lets one more box in')
    .addOption(
      new Option('--valid <time>', 'how long it can be used: 30m, 24h, 7d')
        .argParser(duration)
        .default(DAY_MS, '24h'),
    )
    .action(async (flags: { valid: number; json?: boolean }) => {
      const tools = kit();
      const invite = await newInvite(tools, flags.valid);
      tools.show(flags.json === true, invite, () => inviteScreen(invite, flags.valid));
    });
}

async function server(kit: Kit, flags: ServerFlags): Promise<void> {
  const summary = await kit.client.post<ServerSummary>('/v1/server/up', optionsOf(flags));
  const node = flags.withNode === true ? await ownNode(kit) : null;
  const invite = await newInvite(kit, DAY_MS);
  kit.show(flags.json === true, { server: summary, node, invite }, () =>
    [serverScreen(summary, invite, DAY_MS), ...(node === null ? [] : [joinedInWords(node)])].join('\n'),
  );
}

function optionsOf(flags: ServerFlags): Partial<ServerOptions> {
  return {
    ...(flags.port === undefined ? {} : { port: flags.port }),
    ...(flags.secondPort === undefined ? {} : { secondPort: flags.secondPort }),
    ...(flags.listen === undefined ? {} : { listen: flags.listen }),
    ...(flags.advertise === undefined ? {} : { advertise: flags.advertise }),
    ...(flags.pool === undefined ? {} : { pool4: flags.pool }),
    ...(flags.name === undefined ? {} : { networkName: flags.name }),
    ...(flags.again === true ? { again: true } : {}),
  };
}

/** The box of the server joins with an invite like any other. */
const ownNode = (kit: Kit): Promise<NodeStatus> =>
  joined(kit, {}, async () => (await newInvite(kit, DAY_MS)).invite);

const newInvite = (kit: Kit, validMs: number): Promise<IssuedInvite> =>
  kit.client.post('/v1/server/invites', { validMs });
