// What is measured side by side: the bare cable, Debian's wireguard-go, and Ginnel, all between the same two places.
import { startNode, startServer } from '../lab/ginnel.ts';
import type { GinnelNode } from '../lab/ginnel.ts';
import type { Place } from '../lab/place.ts';
import type { Lab } from '../lab/topology.ts';
import { until } from '../lab/waiting.ts';
import { LAB_FOLDER } from '../lab/wrapper.ts';

export interface Contender {
  readonly name: string;
  /** The address to measure against, from the first place to the second. */
  readonly target: string;
  /** The processes whose time and memory count. */
  readonly pids: readonly number[];
}

export interface Pair {
  readonly one: Place;
  readonly other: Place;
}

export function bareCable({ other }: Pair): Contender {
  return { name: 'bare veth', target: other.address, pids: [] };
}

export async function wireguardGo(pair: Pair): Promise<Contender> {
  const one = await startWireguardGo(pair.one, 'wgone', '10.99.0.1');
  const other = await startWireguardGo(pair.other, 'wgother', '10.99.0.2');
  await joinWireguard(pair.one, 'wgone', other.key, '10.99.0.2', pair.other.address);
  await joinWireguard(pair.other, 'wgother', one.key, '10.99.0.1', pair.one.address);
  return { name: 'wireguard-go', target: '10.99.0.2', pids: [one.pid, other.pid] };
}

/** `door`: which of the doors to the kernel both ends use. */
export async function ginnel(lab: Lab, pair: Pair, door: string): Promise<Contender> {
  const server = await startServer(lab);
  const environment = { GINNEL_DOOR: door };
  const one = await startNode(server, pair.one, 'one', { environment });
  const other = await startNode(server, pair.other, 'other', { environment });
  const { ip4, door: used } = await other.status();
  await pair.one.exec(`ping -c 1 -w 10 -i 0.2 ${ip4}`);
  return { name: `ginnel (${used})`, target: ip4, pids: [pidOf(one), pidOf(other)] };
}

const PORT = 51820;

async function startWireguardGo(
  place: Place,
  device: string,
  address: string,
): Promise<{ key: string; pid: number }> {
  const child = place.spawn('wireguard-go', ['-f', device], { stdio: 'ignore' });
  await until(
    'wireguard-go',
    10_000,
    async () => (await place.exec(`wg show ${device}`, { mayFail: true })).code === 0,
  );
  const file = `${LAB_FOLDER}/${device}.key`;
  await place.exec(
    `umask 077; wg genkey > ${file}; wg set ${device} listen-port ${PORT} private-key ${file}`,
  );
  await place.exec(`ip addr add ${address}/24 dev ${device}; ip link set ${device} mtu 1420 up`);
  const key = (await place.exec(`wg pubkey < ${file}`)).stdout.trim();
  return { key, pid: child.pid ?? 0 };
}

function joinWireguard(
  place: Place,
  device: string,
  key: string,
  ip: string,
  endpoint: string,
): Promise<unknown> {
  return place.exec(`wg set ${device} peer ${key} allowed-ips ${ip}/32 endpoint ${endpoint}:${PORT}`);
}

function pidOf(node: GinnelNode): number {
  if (node.pid === null) throw new Error(`${node.name} does not run`);
  return node.pid;
}
