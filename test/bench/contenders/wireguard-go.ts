// Debian's wireguard-go: the same protocol in Go, as of 2022, before it used the kernel's offloads. It may be given
// further peers that nobody is behind.
import { writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import type { Place } from '../../lab/place.ts';
import { until } from '../../lab/waiting.ts';
import { LAB_FOLDER } from '../../lab/wrapper.ts';
import { meets } from '../contender.ts';
import type { Contender, Ground, Running } from '../contender.ts';
import { debianVersion } from '../versions.ts';

const PORT = 51820;

export const wireguardGo = withPeers(0);

/** `idlePeers`: so many more are set at the first place. */
export function withPeers(idlePeers: number): Contender {
  return {
    name: 'wireguard-go',
    label: 'wireguard-go',
    setUp: 'ChaCha20-Poly1305, MTU 1420',
    tools: { 'wireguard-go': 'wireguard-go', wg: 'wireguard-tools' },
    version: async () => debianVersion('wireguard-go', 'wireguard-go'),
    start: ground => startPair(ground, idlePeers),
  };
}

async function startPair({ one, other }: Ground, idlePeers: number): Promise<Running> {
  const first = await start(one, 'wgone', '10.99.0.1');
  const second = await start(other, 'wgother', '10.99.0.2');
  await join(one, 'wgone', second.key, '10.99.0.2', other.address);
  await join(other, 'wgother', first.key, '10.99.0.1', one.address);
  if (idlePeers > 0) await addPeers(one, 'wgone', idlePeers);
  await meets(one, '10.99.0.2');
  return { target: '10.99.0.2', pids: [first.pid, second.pid] };
}

async function start(place: Place, device: string, address: string): Promise<{ key: string; pid: number }> {
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

function join(place: Place, device: string, key: string, ip: string, endpoint: string): Promise<unknown> {
  return place.exec(`wg set ${device} peer ${key} allowed-ips ${ip}/32 endpoint ${endpoint}:${PORT}`);
}

async function addPeers(place: Place, device: string, count: number): Promise<void> {
  const file = `${LAB_FOLDER}/${device}.peers`;
  const peers = Array.from({ length: count }, (_, index) => {
    const ip = `10.98.${index >> 8}.${index & 255}`;
    const key = randomBytes(32).toString('base64');
    return `[Peer]\nPublicKey = ${key}\nAllowedIPs = ${ip}/32\nEndpoint = 198.51.100.99:${PORT}`;
  });
  await writeFile(file, `${peers.join('\n')}\n`);
  await place.exec(`wg addconf ${device} ${file}`);
}
