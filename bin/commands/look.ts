// `ginnel status`, `ping`, `speed`, `netcheck`, `why`: looking, changing nothing.
import { Option, type Command } from 'commander';
import { GinnelError } from '../../base/errors.ts';
import type { NetcheckReport, NodeStatus, PingEvent } from '../../core/admin.ts';
import type { ServerSummary } from '../../server/admin.ts';
import type { Health } from '../../web/api.ts';
import type { SpeedEvent } from '../../web/peers-admin.ts';
import type { Figures } from '../../web/daemon-admin.ts';
import { EXIT } from '../exit-codes.ts';
import { wrap } from '../layout.ts';
import { netcheckScreen } from '../screens/netcheck.ts';
import { pingLines } from '../screens/ping.ts';
import { speedProgress, speedScreen } from '../screens/speed.ts';
import { statusScreen } from '../screens/status.ts';
import { durationInWords, plain } from '../words.ts';
import { count, interval } from './arguments.ts';
import { withJson, type Kit } from './command.ts';

interface Flags {
  readonly json?: boolean;
}

/** `exit` takes the code of a command that ran, but whose answer is no. */
export function lookCommands(program: Command, kit: () => Kit, exit: (code: number) => void): void {
  withJson(program.command('status'))
    .summary('this box, its peers, and what is not well')
    .action((flags: Flags) => status(kit(), flags.json === true));
  withJson(program.command('ping <peer>'))
    .summary('reach a peer by its name or address; shows the path')
    .option('-c, --count <number>', 'how many times', count, 5)
    .addOption(
      new Option('-i, --interval <seconds>', 'time between two').argParser(interval).default(1000, '1'),
    )
    .action(async (peer: string, flags: Flags & { count: number; interval: number }) => {
      const received = await ping(kit(), peer, flags);
      exit(received > 0 ? EXIT.ok : EXIT.failed);
    });
  withJson(program.command('speed <peer>'))
    .summary('how fast data goes to a peer and comes back')
    .action((peer: string, flags: Flags) => speed(kit(), peer, flags.json === true));
  withJson(program.command('netcheck'))
    .summary('measure what stands between this box and the world')
    .action(async (flags: Flags) => {
      const tools = kit();
      const report = await tools.client.post<NetcheckReport>('/v1/node/netcheck', {});
      tools.show(flags.json === true, report, () => netcheckScreen(report, tools.columns));
    });
  withJson(program.command('why <peer>'))
    .summary('why a peer (or "server") is reached as it is, or not')
    .action(async (peer: string, flags: Flags) => {
      const tools = kit();
      const why = peer === 'server' ? await whyServer(tools) : await whyPeer(tools, peer);
      tools.show(flags.json === true, why, () => wrap(why.lines.map(plain).join('\n'), tools.columns));
    });
}

async function status(kit: Kit, json: boolean): Promise<void> {
  const daemon = await kit.client.get<Health>('/v1/health');
  const node = daemon.roles.node === 'absent' ? null : await kit.client.get<NodeStatus>('/v1/node/status');
  const server = daemon.roles.server === 'absent' ? null : await kit.client.get<ServerSummary>('/v1/server');
  const figures = json ? await kit.client.get<Figures>('/v1/counters') : null;
  kit.show(json, { daemon, node, server, figures }, () =>
    statusScreen({ node, server, daemon: daemon.health }, kit.colours, kit.columns),
  );
}

interface Why {
  readonly lines: readonly string[];
}

const whyPeer = ({ client }: Kit, peer: string): Promise<Why> =>
  client.get(`/v1/node/peers/${encodeURIComponent(peer)}/why`);

async function whyServer({ client }: Kit): Promise<Why> {
  const { server } = await client.get<NodeStatus>('/v1/node/status');
  const heard =
    server.heardSecondsAgo === null ? 'never in this run' : `${durationInWords(server.heardSecondsAgo)} ago`;
  return {
    lines: [
      `Location server ${server.address ?? '(no address known)'}: ${server.state}.`,
      `Last word from it: ${heard}.`,
      ...(server.reason === '' ? [] : [`Why: ${server.reason}.`]),
    ],
  };
}

async function ping(
  kit: Kit,
  peer: string,
  flags: Flags & { count: number; interval: number },
): Promise<number> {
  const body = { peer, count: flags.count, intervalMs: flags.interval };
  const lineOf = pingLines(await addressOf(kit, peer));
  let received = 0;
  for await (const event of kit.client.stream<PingEvent>('/v1/node/ping', body, kit.around.interrupted)) {
    if (event.type === 'reply') received++;
    const line = flags.json === true ? JSON.stringify(event) : lineOf(event);
    if (line !== null) kit.around.out(`${line}\n`);
  }
  return received;
}

async function speed(kit: Kit, peer: string, json: boolean): Promise<void> {
  const path = `/v1/page/peers/${encodeURIComponent(peer)}/speed`;
  const events = kit.client.stream<SpeedEvent>(path, {}, kit.around.interrupted);
  for await (const event of events) {
    if (json) kit.around.out(`${JSON.stringify(event)}\n`);
    else if (event.type === 'done') kit.around.out(`${speedScreen(event)}\n`);
    else if (kit.around.isTerminal.err) kit.around.err(speedProgress(event));
  }
}

async function addressOf(kit: Kit, peer: string): Promise<string> {
  const node = await kit.client.get<NodeStatus>('/v1/node/status').catch((error: unknown) => {
    if (error instanceof GinnelError && !error.code.startsWith('DAEMON_')) return null;
    throw error;
  });
  const found = node?.peers.find(({ name, id, ip4, ip6 }) => [name, id, ip4, ip6].includes(peer));
  return found === undefined ? plain(peer) : found.ip4;
}
