// npm run bench:relay: what a relay carries and costs. Two homes whose networks drop UDP meet through a third box; two others
// meet directly, to compare with. Then many nodes connect to the relay at once.
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readOrExplain } from '../lab/command-line.ts';
import type { IssuedInvite } from '../../server/admin.ts';
import { startNode, startServer } from '../lab/ginnel.ts';
import type { GinnelNode, LocationServer } from '../lab/ginnel.ts';
import { cpuSeconds, endOf } from '../lab/place.ts';
import { buildLab } from '../lab/topology.ts';
import type { Lab } from '../lab/topology.ts';
import { until } from '../lab/waiting.ts';
import { enterLab } from '../lab/wrapper.ts';
import { memoryMb, pings, tcp } from './measures.ts';
import type { Ends } from './measures.ts';

const USAGE = `Usage: npm run bench:relay -- [--seconds N] [--rounds N] [--nodes N] [--json FILE]
  --seconds N   of each TCP stream (5)
  --rounds N    the median of so many (3)
  --nodes N     connected to the relay at once (500)
  --json FILE   the figures as JSON`;

/** What the issue asks for. */
const TARGETS = { gigabitsPerSecond: 1, cpuSecondsPerGigabyte: 1.8, addedMs: 0.5, memoryMb: 120 };
const PINGS = 200;
const SETTLE_MS = 5_000;

const { values: options } = readOrExplain(USAGE, () =>
  parseArgs({
    options: {
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '3' },
      nodes: { type: 'string', default: '500' },
      json: { type: 'string' },
    },
  }),
);
enterLab(import.meta.url, { refuse });

const [seconds, rounds, count] = [options.seconds, options.rounds, options.nodes].map(Number) as [
  number,
  number,
  number,
];
const lab = await buildLab({
  homes: ['public', 'sym+noudp', 'sym+noudp', 'prc', 'prc'].map(kind => ({ kind })),
});
try {
  const server = await startServer(lab);
  const names = ['relay', 'one', 'other', 'near', 'far'];
  const nodes: GinnelNode[] = [];
  for (const [index, name] of names.entries())
    nodes.push(await startNode(server, lab.homes[index]!.host, name));
  const [relay, one, other, near, far] = nodes as [
    GinnelNode,
    GinnelNode,
    GinnelNode,
    GinnelNode,
    GinnelNode,
  ];
  await meets(one, other, 'relayed');
  await meets(near, far, 'direct');
  const idleMb = await memoryMb([pidOf(relay)]);
  const relayed = await measured(one, other, relay);
  const direct = await pings(placesOf(near, far), (await far.status()).ip4, PINGS);
  const memory = { idleMb, connectedMb: await crowded(lab, server, relay, count) };
  const figures = { ...relayed, directMs: direct['medianMs']!, ...memory, nodes: count };
  process.stdout.write(told(figures));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
} finally {
  await lab.stop();
}
process.exit(0);

interface Relayed {
  readonly gigabitsPerSecond: number;
  /** At the relay alone. */
  readonly cpuSecondsPerGigabyte: number;
  readonly relayedMs: number;
}

async function measured(from: GinnelNode, to: GinnelNode, via: GinnelNode): Promise<Relayed> {
  const { ip4 } = await to.status();
  const rates: number[] = [];
  const costs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = await cpuSeconds(pidOf(via));
    const { gigabitsPerSecond = 0 } = await tcp(placesOf(from, to), { pids: [], target: ip4 }, seconds);
    rates.push(gigabitsPerSecond);
    costs.push(((await cpuSeconds(pidOf(via))) - before) / ((gigabitsPerSecond * seconds) / 8));
  }
  const { medianMs = 0 } = await pings(placesOf(from, to), ip4, PINGS);
  return {
    gigabitsPerSecond: middle(rates),
    cpuSecondsPerGigabyte: middle(costs),
    relayedMs: medianMs,
  };
}

/** Resident megabytes of the relay with so many nodes connected; a program of its own lets them in and connects them. */
async function crowded(where: Lab, server: LocationServer, to: GinnelNode, nodes: number): Promise<number> {
  const { invite } = await server.api<IssuedInvite>('POST', '/v1/server/invites', { uses: nodes });
  const { id } = await to.status();
  const script = new URL('./relay-crowd.js', import.meta.url).pathname;
  const args = [script, where.server.address, '7443', id, `${nodes}`, ...(await moreAddresses(where))];
  const child = where.core.spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin!.end(invite);
  await new Promise<void>((resolve, reject) => {
    child.stdout!.once('data', () => resolve());
    child.once('exit', code => reject(new Error(`the crowd ended with ${code}`)));
  });
  await pause(SETTLE_MS);
  const { plugins } = await to.status();
  const served = plugins.find(({ name }) => name === 'relay-tcp')?.facts['nodes'];
  if (!(Number(served) >= nodes)) throw new Error(`${String(served)} nodes are connected, not ${nodes}`);
  const size = await memoryMb([pidOf(to)]);
  child.kill('SIGKILL');
  await endOf(child);
  return size;
}

/** Of the core, which all can reach: one address alone is let connect so often only. */
async function moreAddresses({ core }: Lab): Promise<readonly string[]> {
  const addresses = Array.from({ length: 16 }, (_, index) => `192.0.2.${100 + index}`);
  await core.exec(addresses.map(address => `ip addr add ${address}/32 dev lo`).join('; '));
  return addresses;
}

async function meets(from: GinnelNode, to: GinnelNode, how: string): Promise<void> {
  const { ip4 } = await to.status();
  await until(`${from.name} and ${to.name} to be ${how}`, 30_000, async () => {
    await from.place.exec(`ping -q -c 2 -i 0.2 -W 2 ${ip4}`, { mayFail: true });
    return (await from.peer(to.name))?.state === how;
  });
}

function pidOf({ pid, name }: GinnelNode): number {
  if (pid === null) throw new TypeError(`${name} does not run`);
  return pid;
}

function placesOf(from: GinnelNode, to: GinnelNode): Ends {
  return { one: from.place, other: to.place };
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function told(
  figures: Relayed & { directMs: number; idleMb: number; connectedMb: number; nodes: number },
): string {
  const { gigabitsPerSecond, cpuSecondsPerGigabyte, relayedMs, directMs, idleMb, connectedMb } = figures;
  const added = relayedMs - directMs;
  const row = (what: string, value: number, unit: string, wanted: string, isMet: boolean): string =>
    `${isMet ? 'ok  ' : 'MISS'} ${what.padEnd(44)} ${value.toFixed(2).padStart(8)} ${unit.padEnd(8)} ${wanted}\n`;
  return (
    row(
      'TCP, one stream through one relay',
      gigabitsPerSecond,
      'Gbit/s',
      `>= ${TARGETS.gigabitsPerSecond}`,
      gigabitsPerSecond >= TARGETS.gigabitsPerSecond,
    ) +
    row(
      'CPU at the relay',
      cpuSecondsPerGigabyte,
      's/GB',
      `<= ${TARGETS.cpuSecondsPerGigabyte}`,
      cpuSecondsPerGigabyte <= TARGETS.cpuSecondsPerGigabyte,
    ) +
    row(
      `added round trip (${relayedMs.toFixed(2)} − ${directMs.toFixed(2)})`,
      added,
      'ms',
      `<= ${TARGETS.addedMs}`,
      added <= TARGETS.addedMs,
    ) +
    row(
      `memory of the relay, ${figures.nodes} nodes (idle ${idleMb.toFixed(0)})`,
      connectedMb,
      'MB',
      `<= ${TARGETS.memoryMb}`,
      connectedMb <= TARGETS.memoryMb,
    )
  );
}

function refuse(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}
