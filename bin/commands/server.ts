// `ginnel server`: this box runs the location server.
import type { Command } from 'commander';
import type { NodeStatus } from '../../core/admin.ts';
import type { ServerOptions, ServerSummary } from '../../server/admin.ts';
import { pendingScreen, serverScreen } from '../screens/server.ts';
import { pageLine } from '../screens/page.ts';
import { RESTART } from '../screens/settings.ts';
import { each, pool, port } from './arguments.ts';
import { withJson, type Kit } from './command.ts';
import { DAY_MS, newInvite } from './invites.ts';
import { joined, joinedInWords } from './node.ts';
import { pageShown } from './page.ts';
import { serverSettings } from './settings.ts';
import { alongsideDaemon } from './run.ts';
import { transferCommands } from './transfer.ts';

interface ServerFlags {
  readonly port?: number;
  readonly secondPort?: number;
  readonly webPort?: number;
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
    .option('--second-port <port>', 'a second port, by which kinds of NATs are told apart', port)
    .option('--web-port <port>', 'a second TCP port, for web-only homes: 443', port)
    .option('--listen <address>', 'listen on this address only; may be given again', each)
    .option('--advertise <host>', 'name or address that invites name; may be given again', each)
    .option('--pool <prefix>', "the network's IPv4 pool, chosen once (10.77.0.0/16)", pool)
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
}

async function server(kit: Kit, flags: ServerFlags): Promise<void> {
  const summary = await kit.client.post<ServerSummary>('/v1/server/up', optionsOf(flags));
  const node = flags.withNode === true ? await ownNode(kit) : null;
  const waiting = (await serverSettings(kit)).filter(({ pending }) => pending);
  // One that is made now would name what is about to change.
  const invite = waiting.length > 0 ? null : await newInvite(kit, { validMs: DAY_MS });
  const takesEffectAfter = RESTART.server;
  const pending = waiting.map(({ key, value }) => ({ key, value, takesEffectAfter }));
  const page = flags.json === true ? null : pageLine(await pageShown(kit), 'Page');
  kit.show(flags.json === true, { server: summary, node, invite, pending }, () =>
    [
      invite === null ? pendingScreen(summary, waiting) : serverScreen(summary, invite, DAY_MS),
      ...(node === null ? [] : [joinedInWords(node)]),
      ...(page === null ? [] : [page]),
    ].join('\n'),
  );
}

function optionsOf(flags: ServerFlags): Partial<ServerOptions> {
  return {
    ...(flags.port === undefined ? {} : { port: flags.port }),
    ...(flags.secondPort === undefined ? {} : { secondPort: flags.secondPort }),
    ...(flags.webPort === undefined ? {} : { webPort: flags.webPort }),
    ...(flags.listen === undefined ? {} : { listen: flags.listen }),
    ...(flags.advertise === undefined ? {} : { advertise: flags.advertise }),
    ...(flags.pool === undefined ? {} : { pool4: flags.pool }),
    ...(flags.name === undefined ? {} : { networkName: flags.name }),
    ...(flags.again === true ? { again: true } : {}),
  };
}

/** The box of the server joins with an invite like any other. */
const ownNode = (kit: Kit): Promise<NodeStatus> =>
  joined(kit, {}, async () => (await newInvite(kit, { validMs: DAY_MS })).invite);
