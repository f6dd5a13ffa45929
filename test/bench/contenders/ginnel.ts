// Ginnel itself, twice: as it comes on a CPU with AES instructions, and as it is on one without.
import { startNode } from '../../lab/ginnel.ts';
import type { GinnelNode } from '../../lab/ginnel.ts';
import { preload } from '../../lab/attempt.ts';
import { until } from '../../lab/waiting.ts';
import { cpuHasAes } from '../../../system/privilege.ts';
import { NotYet } from '../case.ts';
import { meets } from '../contender.ts';
import type { Contender, Ground, Running } from '../contender.ts';
import { ownVersion } from '../versions.ts';

/** The daemon reads there whether the CPU has AES instructions; this one is told that it has none. */
const WITHOUT_AES = `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const read = fs.readFileSync;
fs.readFileSync = (path, ...more) =>
  path === '/proc/cpuinfo' ? read(path, ...more).replace(/ aes\\b/g, '') : read(path, ...more);
syncBuiltinESMExports();`;

export const ginnelAes = (door: string): Contender => ({
  ...common,
  name: 'ginnel-aes',
  label: 'Ginnel, AES',
  setUp:
    door === 'tuntap'
      ? 'ChaCha20-Poly1305, by the slower door, MTU 1400'
      : 'AES-256-GCM, the fast profile, MTU 1400',
  async start(ground) {
    if (!cpuHasAes()) throw new NotYet('this CPU has no AES instructions');
    return startPair(ground, 'aes', { GINNEL_DOOR: door });
  },
});

export const ginnelChacha = (door: string): Contender => ({
  ...common,
  name: 'ginnel-chacha',
  label: 'Ginnel, ChaCha',
  setUp: 'ChaCha20-Poly1305, the fast profile as on a CPU without AES instructions, MTU 1400',
  start: ground =>
    startPair(ground, 'chacha', {
      GINNEL_DOOR: door,
      GINNEL_WITHOUT: 'aes',
      NODE_OPTIONS: preload(WITHOUT_AES),
    }),
});

const common = { tools: {}, version: () => Promise.resolve(ownVersion()) };

async function startPair(
  ground: Ground,
  suffix: string,
  environment: Record<string, string>,
): Promise<Running> {
  const server = await ground.locationServer();
  const one = await startNode(server, ground.one, `one-${suffix}`, { environment });
  const other = await startNode(server, ground.other, `other-${suffix}`, { environment });
  const { ip4, door } = await other.status();
  const wanted = environment['GINNEL_DOOR'] || 'koffi';
  if (door !== wanted) throw new Error(`Ginnel goes by the door ${door}, not by ${wanted}`);
  await meets(ground.one, ip4);
  await isDirect(ground, one, other.name);
  await usesFastProfile(ground, one, ip4);
  return { target: ip4, pids: [pidOf(one), pidOf(other)] };
}

/** Straight over the cable, and not through anybody else's tunnel. */
export async function isDirect(ground: Ground, node: GinnelNode, peer: string): Promise<void> {
  await until(`${node.name} to reach ${peer} directly`, 15_000, async () => {
    const remote = (await node.peer(peer))?.path?.remote ?? '';
    return remote.startsWith(`${ground.other.address}:`);
  });
}

/** By the daemon's own count of packets. */
export async function usesFastProfile(ground: Ground, node: GinnelNode, target: string): Promise<void> {
  await until(`${node.name} to go over to the fast profile`, 15_000, async () => {
    await ground.one.exec(`ping -c 1 -W 1 -q ${target}`, { mayFail: true });
    const counters = await node.api<Record<string, number>>('GET', '/v1/node/counters');
    return (counters['dataplane.out.fast'] ?? 0) > 0;
  });
}

export function pidOf(node: Pick<GinnelNode, 'name' | 'pid'>): number {
  if (node.pid === null) throw new Error(`${node.name} does not run`);
  return node.pid;
}
