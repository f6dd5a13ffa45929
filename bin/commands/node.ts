// `ginnel up`, `down`: this box joins, and leaves.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { HealthLine } from '../../base/health.ts';
import { GinnelError } from '../../base/errors.ts';
import type { NodeStatus, UpOptions } from '../../core/admin.ts';
import { nodeErrors } from '../../core/node/errors.ts';
import type { Health } from '../../web/api.ts';
import { commandErrors } from '../errors.ts';
import { mappedPorts } from '../screens/port-mapping.ts';
import { plain } from '../words.ts';
import { EXIT } from '../exit-codes.ts';
import { textOf } from './input.ts';
import { credentialFrom } from './credential.ts';
import { withJson, type Kit } from './command.ts';
import { port } from './arguments.ts';
import { pageLine } from '../screens/page.ts';
import { pageShown } from './page.ts';

/** An invite is far shorter; more than this on standard input is something else. */
const MAX_INVITE_CHARACTERS = 4096;
/** How long a silent pipe is waited for by a box that may need nothing from it. */
const PIPE_MS = 1_500;
/** How often, and how long in all, it is looked whether the server answered. */
const LOOK_MS = 50;
const SERVER_LOOKS = 40;

interface UpFlags {
  readonly name?: string;
  readonly inviteFile?: string;
  readonly account?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly network?: string;
  readonly udpPort?: number;
  readonly json?: boolean;
}

export function nodeCommands(program: Command, kit: () => Kit, exit: (code: number) => void): void {
  withJson(program.command('up'))
    .summary('join the network (asks for the invite), or rejoin it')
    .description(
      'Joins the network. The first time it needs an invite: it asks for it, or reads it from standard input\nor a file, so that it stands in no process list. Later it rejoins.',
    )
    .option('--name <name>', "this box's name in the network (default: its host name)")
    .option('--invite-file <path>', 'read the invite from a file; - is standard input')
    .option('--account <name>', 'come in by an account; asks for its password')
    .option('--certificate <file>', 'come in by a certificate (PEM)')
    .option('--key <file>', 'its private key (PEM)')
    .option('--network <line>', 'for both: the address of the network, or a file with it')
    .option('--udp-port <port>', 'the UDP port that carries the network', port)
    .action((flags: UpFlags) => up(kit(), flags, exit));
  withJson(program.command('down'))
    .summary('leave the network and undo everything done to this box')
    .option('--server', 'stop the location server of this box instead')
    .action((flags: { server?: boolean; json?: boolean }) => down(kit(), flags));
}

async function up(kit: Kit, flags: UpFlags, exit: (code: number) => void): Promise<void> {
  const json = flags.json === true;
  const credential = await credentialFrom(kit, flags);
  const piped = isPiped(kit, flags) ? pipedText(kit) : null;
  const given =
    flags.inviteFile === undefined ? await pipedInvite(piped) : await inviteFrom(kit, flags.inviteFile);
  await kit.ensureDaemon(json);
  const wishes = {
    ...(given === undefined ? {} : { invite: given }),
    ...credential,
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.udpPort === undefined ? {} : { udpPort: flags.udpPort }),
  };
  const asked = async (): Promise<string> => (piped === null ? inviteFrom(kit, null) : inviteIn(await piped));
  const node = await serverHeard(kit, await joined(kit, wishes, asked));
  refuseWhereOut(node);
  const page = json ? null : pageLine(await pageShown(kit), 'Page for this box');
  kit.show(json, node, () => [joinedInWords(node), page].filter(line => line !== null).join('\n'));
  if (isWaiting(node)) exit(EXIT.waiting);
}

/** A member is up at once; what the server says of it, where it is there, comes a moment later. */
async function serverHeard(kit: Kit, node: NodeStatus): Promise<NodeStatus> {
  let now = node;
  for (let look = 0; look < SERVER_LOOKS && isUndecided(now); look++) {
    await new Promise(resolve => setTimeout(resolve, LOOK_MS));
    now = await kit.client.get<NodeStatus>('/v1/node/status');
  }
  return now;
}

const outOf = ({ health }: NodeStatus): HealthLine | undefined =>
  health.find(({ code }) => code === 'NODE_REMOVED' || code === 'NODE_DISABLED');

/** Let in again, it reads the newer word after the welcome. */
const isUndecided = (node: NodeStatus): boolean =>
  node.server.state === 'connecting' || (node.server.state === 'connected' && outOf(node) !== undefined);

function refuseWhereOut(node: NodeStatus): void {
  const out = outOf(node);
  if (out !== undefined) throw new GinnelError(out.code, plain(out.words));
}

/** Rejoins, or, where this box never joined, asks for an invite and joins. */
export async function joined(
  kit: Kit,
  wishes: UpOptions,
  invite: () => Promise<string>,
): Promise<NodeStatus> {
  try {
    return await kit.client.post('/v1/node/up', wishes);
  } catch (error) {
    if (!(error instanceof GinnelError) || error.code !== 'INVITE_NEEDED') throw error;
    const given = await invite();
    // A person may take longer to find it than an idle daemon waits.
    await kit.ensureDaemon(true);
    return kit.client.post('/v1/node/up', { ...wishes, invite: given });
  }
}

export function joinedInWords(node: NodeStatus): string {
  const name = plain(node.name);
  return isWaiting(node)
    ? `${name} is known to the network and waits for approval by whoever runs it (there: ginnel nodes approve ${name}).\nNothing more to do here: it joins by itself.`
    : `${name} is on the network as ${node.ip4} and ${node.ip6}`;
}

const isWaiting = (node: NodeStatus): boolean => node.server.state === 'waiting' && node.ip4 === '';

/** From a file, from standard input, or from the person at the terminal. */
async function inviteFrom({ around }: Kit, file: string | null): Promise<string> {
  const isAsking = file === null && around.input.isTTY === true;
  const text = isAsking
    ? await around.ask('Paste the invite: ')
    : await textFrom(around.input, file === null || file === '-' ? null : file);
  return inviteIn(text);
}

/** What comes by a pipe: not where standard input is read for something else, or a person sits there. */
const isPiped = ({ around }: Kit, { inviteFile, account, certificate }: UpFlags): boolean =>
  around.input.isTTY !== true &&
  inviteFile === undefined &&
  account === undefined &&
  certificate === undefined;

function pipedText({ around }: Kit): Promise<string> {
  const text = textFrom(around.input, null);
  // Whoever does not need it does not wait for it.
  text.catch(() => undefined);
  return text;
}

/** A pipe that stays open and silent (a shell over SSH) holds nobody up for long. */
async function pipedInvite(piped: Promise<string> | null): Promise<string | undefined> {
  if (piped === null) return undefined;
  const silence = new Promise<string>(resolve => setTimeout(resolve, PIPE_MS, '').unref());
  const text = await Promise.race([piped, silence]);
  return text.trim() === '' ? undefined : inviteIn(text);
}

function inviteIn(text: string): string {
  const pasted = text.trim();
  if (pasted === '') throw nodeErrors('INVITE_NEEDED');
  // `ginnel invite > FILE` writes a sentence before it.
  return /ginnel:[\w\s-]+$/i.exec(pasted)?.[0] ?? pasted;
}

async function textFrom(input: AsyncIterable<unknown>, file: string | null): Promise<string> {
  try {
    if (file !== null) return (await readFile(file, 'utf8')).slice(0, MAX_INVITE_CHARACTERS + 1);
    return await textOf(input, MAX_INVITE_CHARACTERS);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw commandErrors('INVITE_FILE', { file: file ?? 'standard input', problem }, cause);
  }
}

async function down(kit: Kit, flags: { server?: boolean; json?: boolean }): Promise<void> {
  const json = flags.json === true;
  if (flags.server === true) {
    const server = await kit.client.post<object>('/v1/server/down', {});
    kit.show(
      json,
      server,
      () => 'The location server is stopped. What it knows is kept; start it again with: ginnel server',
    );
  } else {
    const before = await kit.client.get<NodeStatus>('/v1/node/status');
    const node = await kit.client.post<NodeStatus>('/v1/node/down', {});
    kit.show(json, node, () => downInWords(before));
    // A daemon that had no role to lose lingers as it did.
    if (before.state === 'down') return;
  }
  await gone(kit);
}

function downInWords(before: NodeStatus): string {
  if (before.state === 'down') return 'This box was on no network. Nothing had to be undone.';
  const card = before.tun === '' ? 'its network card' : `the network card ${before.tun}`;
  const ports = mappedPorts(before.plugins).length === 0 ? '' : ', and the ports that the router passed on';
  return `${plain(before.name)} has left the network. Undone: ${card}, its addresses and its routes${ports}. Rejoin with: ginnel up`;
}

/** Where the daemon played no other role it ends; the next command should not meet it half gone. */
async function gone({ client }: Kit): Promise<void> {
  for (let look = 0; look < 100; look++) {
    const roles = await client.get<Health>('/v1/health').then(
      health => health.roles,
      () => null,
    );
    if (roles === null || roles.server === 'up' || roles.node === 'up') return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
