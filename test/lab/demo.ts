// npm run demo: two homes behind NATs and a location server, on one machine. Packets flow, a file moves, and the
// kernel's counters say who carried it.
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { positive, readOrExplain } from './command-line.ts';
import { GINNEL, startNode, startServer } from './ginnel.ts';
import type { GinnelNode } from './ginnel.ts';
import type { Box } from './homes.ts';
import { moveFile, type Moved } from './moving.ts';
import { leadTo, openPageDoors } from './page-door.ts';
import { endOf } from './place.ts';
import { buildLab } from './topology.ts';
import type { Home, Lab } from './topology.ts';
import { enterLab } from './wrapper.ts';

const USAGE = `Usage: npm run demo -- [--once] [--through-server] [--megabytes N]
  --once              end with exit code 0 (all well) or 1
  --through-server    send everything through the server machine on purpose: the check must go red
  --megabytes N       size of the file; default 100`;

const options = readOrExplain(USAGE, () => {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      'through-server': { type: 'boolean', default: false },
      megabytes: { type: 'string', default: '100' },
    },
  });
  positive('megabytes', values.megabytes);
  return values;
});
enterLab(import.meta.url, { refuse: refuse, hands: await openPageDoors(2) });

const ONE_WAY_MS = 20;
const ALLOWED_SERVER_BYTES = 1_000_000;
const started = performance.now();

try {
  process.exitCode = (await demo()) ? 0 : 1;
} catch (error) {
  say(`It went wrong: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
process.exit();

async function demo(): Promise<boolean> {
  say('Building two homes, each behind a NAT that changes ports and lets in answers only.');
  const lab = await buildLab({ homes: [{ kind: 'prcnp' }, { kind: 'prcnp' }], delayMs: ONE_WAY_MS });
  const [homeA, homeB] = lab.homes;
  if (homeA === undefined || homeB === undefined) throw new TypeError('two homes were asked for');
  if (options['through-server']) {
    say(
      'As asked, everything between the homes is forced through the server machine: the check below must fail.',
    );
    await lab.forceThroughServer(homeA, homeB);
  }
  const server = await startServer(lab);
  say('The location server is up at 203.0.113.1. Two boxes join with an invite each.');
  const a = await join(homeA, await startNode(server, homeA.host, 'attic-nas'));
  const b = await join(homeB, await startNode(server, homeB.host, 'cellar-router'));
  process.stdout.write(picture(a, b));
  const pages = pagesOf(lab, a);
  for (const page of pages) say(page);
  if (pages.length === 0) say('No port of this machine is free for the pages.');
  const met = await ping(a, b);
  const moved = await move(a, b);
  const proven = await prove(lab, a, b, moved);
  const well = met && moved.equal && proven;
  say(well ? 'All well.' : 'Not as it should be: see above.');
  if (!options.once) await stayUp(lab, a, b, pages);
  return well;
}

/** For a browser on this machine. */
function pagesOf(lab: Lab, a: Box): string[] {
  const [box, server] = [leadTo(a.home.host, 0), leadTo(lab.server, 1)];
  return [
    ...(box === null ? [] : [`The page of ${a.node.name}: ${box}`]),
    ...(server === null
      ? []
      : [`The page of the location server, where the network is looked after: ${server}`]),
  ];
}

async function join(home: Home, node: GinnelNode): Promise<Box> {
  const { ip4, ip6 } = await node.status();
  say(`${node.name} is on the network as ${ip4} and ${ip6}.`);
  return { home, node, ip: ip4 };
}

async function ping(a: Box, b: Box): Promise<boolean> {
  say(`ping ${b.ip} from ${a.node.name}, the very first packet between them:`);
  const { stdout, code } = await a.home.host.exec(`ping -i 0.2 -c 10 -w 10 ${b.ip}`, { mayFail: true });
  const replies = stdout.split('\n').filter(line => line.includes('icmp_seq'));
  for (const line of [...replies.slice(0, 2), ...replies.slice(-1)])
    process.stdout.write(`          ${line}\n`);
  const path = (await a.node.peer(b.node.name))?.path;
  say(
    path
      ? `The path: ${path.label}, ${path.remote ?? ''}, ${path.rttMs?.toFixed(1) ?? '?'} ms.`
      : 'No path was found.',
  );
  check(code === 0, `${code === 0 ? 'each' : 'not each'} of the ten pings was answered`);
  return code === 0;
}

async function move(a: Box, b: Box): Promise<Moved> {
  const megabytes = Number(options.megabytes);
  say(`Moving a random file of ${megabytes} MB from ${a.node.name} to ${b.node.name} …`);
  const moved = await moveFile(a, b, megabytes);
  const { sent, received, equal, seconds } = moved;
  say(
    `${(received.bytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s, ${(received.bytes / 1e6 / seconds).toFixed(1)} MB/s.`,
  );
  say(
    `SHA-256 there ${sent.sha256.slice(0, 16)}…, here ${received.sha256.slice(0, 16)}…: ${equal ? 'equal' : 'NOT EQUAL'}.`,
  );
  return moved;
}

/** Bytes since the lab was built, joining included, as the kernel counted them on each interface. */
async function prove(lab: Lab, a: Box, b: Box, moved: Moved): Promise<boolean> {
  const [server, lineA, lineB] = await Promise.all([
    lab.server.bytes(),
    a.home.wanBytes(),
    b.home.wanBytes(),
  ]);
  const peer = await a.node.peer(b.node.name);
  const isDirect = peer?.path?.class === 'direct' && peer.path.transport === 'udp';
  const isSpared = server < ALLOWED_SERVER_BYTES;
  const isCarried = Math.min(lineA, lineB) > moved.received.bytes;
  say("By the kernel's counters, since the start:");
  check(isCarried, `the homes' lines carried ${megabytesOf(lineA)} and ${megabytesOf(lineB)}`);
  check(isSpared, `the server's interface carried ${megabytesOf(server)} (under 1 MB wanted)`);
  check(isDirect, `and Ginnel says: ${peer?.path?.label ?? 'no path'}: ${peer?.reason ?? ''}`);
  return isCarried && isSpared && isDirect;
}

async function stayUp(lab: Lab, a: Box, b: Box, pages: readonly string[]): Promise<void> {
  process.stdout.write(`
Everything stays up. Try (a: ${a.node.name}, b: ${b.node.name}):
  a ping -c 3 ${b.ip}
  a ginnel status
  b ginnel why ${a.node.name}
  b ginnel netcheck
  flush a        the router of home a forgets every connection: ping again
  server ip -s link
  q
${pages.length === 0 ? '' : `\nFor a browser on this machine; each asks for a new password of yours first:\n${pages.map(page => `  ${page}\n`).join('')}`}`);
  const places = { a: a.home.host, b: b.home.host, server: lab.server, core: lab.core };
  const states: Partial<Record<string, string>> = { a: a.node.folder, b: b.node.folder };
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
  lines.prompt();
  for await (const line of lines) {
    const [who = '', ...words] = line.trim().split(' ');
    const place = Object.entries(places).find(([name]) => name === who)?.[1];
    if (who === 'q') return;
    if (who === 'flush') await (words[0] === 'b' ? b : a).home.flushNat();
    else if (place !== undefined) await runHere(place.name, words.join(' '), states[who]);
    else if (who !== '') say('a, b, server or core and a command; flush a; flush b; q');
    lines.prompt();
  }
  // Without a terminal it stays until it is killed.
  if (!process.stdin.isTTY) await new Promise(resolve => process.once('SIGTERM', resolve));
}

async function runHere(namespace: string, command: string, state: string | undefined): Promise<void> {
  const { spawn } = await import('node:child_process');
  const line = `ginnel() { '${process.execPath}' '${GINNEL}' "$@"; }\n${command}`;
  const env = { ...process.env, ...(state === undefined ? {} : { GINNEL_STATE: state }) };
  await endOf(
    spawn('ip', ['netns', 'exec', namespace, 'bash', '-c', line], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env,
    }),
  );
}

function picture(a: Box, b: Box): string {
  return `
        location server 203.0.113.1          (tells who is where; carries no data)
                    |
   -------------- internet, ${ONE_WAY_MS} ms one way --------------
        |                                    |
   NAT ${a.home.outerAddress.padEnd(15)}                  NAT ${b.home.outerAddress}
        |                                    |
   ${a.node.name.padEnd(14)} 192.168.1.2          ${b.node.name.padEnd(14)} 192.168.1.2
   virtual: ${a.ip.padEnd(15)}             virtual: ${b.ip}

`;
}

function check(isWell: boolean, words: string): void {
  process.stdout.write(`          ${isWell ? 'ok   ' : 'WRONG'} ${words}\n`);
}

function megabytesOf(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

function say(words: string): void {
  process.stdout.write(`[${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s] ${words}\n`);
}

function refuse(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}
