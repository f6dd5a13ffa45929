// Debian's n2n. Its supernode stands where our location server stands, and must not carry anything once the two have met.
import type { Place } from '../../lab/place.ts';
import { until } from '../../lab/waiting.ts';
import { meets } from '../contender.ts';
import type { Contender, Ground, Running } from '../contender.ts';
import { debianVersion } from '../versions.ts';

const SUPERNODE_PORT = 7654;

export const n2n: Contender = {
  name: 'n2n',
  label: 'n2n',
  setUp: 'Twofish, MTU 1400, as it comes',
  tools: { edge: 'n2n', supernode: 'n2n' },
  version: async () => debianVersion('n2n', 'edge'),
  start: startPair,
};

async function startPair({ lab, one, other }: Ground): Promise<Running> {
  lab.server.spawn('supernode', ['-l', String(SUPERNODE_PORT)], { stdio: 'ignore' });
  const supernode = `${lab.server.address}:${SUPERNODE_PORT}`;
  const pids = [start(one, '10.94.0.1', supernode), start(other, '10.94.0.2', supernode)];
  await meets(one, '10.94.0.2');
  await until('the two edges of n2n to meet directly', 40_000, async () => {
    const before = await lab.server.bytes();
    await one.exec('ping -c 10 -i 0.02 -s 1000 -q 10.94.0.2', { mayFail: true });
    return (await lab.server.bytes()) - before < 5000;
  });
  return { target: '10.94.0.2', pids };
}

function start(place: Place, address: string, supernode: string): number {
  const args = ['-d', 'n2n0', '-a', address, '-s', '255.255.255.0', '-c', 'bench', '-l', supernode];
  const env = { ...process.env, N2N_KEY: 'bench' };
  return place.spawn('edge', args, { stdio: 'ignore', env }).pid ?? 0;
}
