// Debian's nebula, both ends told each other's place, so that no lighthouse is needed.
import { mkdir, writeFile } from 'node:fs/promises';
import type { Place } from '../../lab/place.ts';
import { LAB_FOLDER } from '../../lab/wrapper.ts';
import { meets } from '../contender.ts';
import type { Contender, Ground, Running } from '../contender.ts';
import { debianVersion } from '../versions.ts';

const PORT = 4242;
const FOLDER = `${LAB_FOLDER}/nebula`;

export const nebula: Contender = {
  name: 'nebula',
  label: 'nebula',
  setUp: 'AES-256-GCM, MTU 1300, as it comes',
  tools: { nebula: 'nebula', 'nebula-cert': 'nebula' },
  version: async () => debianVersion('nebula', 'nebula'),
  start: startPair,
};

async function startPair({ one, other }: Ground): Promise<Running> {
  await mkdir(FOLDER, { recursive: true });
  await one.exec(`cd ${FOLDER} && nebula-cert ca -name bench &&
    nebula-cert sign -name one -ip 10.96.0.1/24 && nebula-cert sign -name other -ip 10.96.0.2/24`);
  const pids = [
    await start(one, 'one', '10.96.0.2', other.address),
    await start(other, 'other', '10.96.0.1', one.address),
  ];
  await meets(one, '10.96.0.2');
  return { target: '10.96.0.2', pids };
}

async function start(place: Place, name: string, peer: string, endpoint: string): Promise<number> {
  const anyone = '[{ port: any, proto: any, host: any }]';
  const file = `${FOLDER}/${name}.yml`;
  await writeFile(
    file,
    `pki: { ca: ${FOLDER}/ca.crt, cert: ${FOLDER}/${name}.crt, key: ${FOLDER}/${name}.key }
static_host_map: { "${peer}": ["${endpoint}:${PORT}"] }
lighthouse: { am_lighthouse: false, interval: 60, hosts: [] }
listen: { host: 0.0.0.0, port: ${PORT} }
cipher: aes
tun: { dev: nebula-${name} }
firewall: { outbound: ${anyone}, inbound: ${anyone} }
logging: { level: error }
`,
  );
  return place.spawn('nebula', ['-config', file], { stdio: 'ignore' }).pid ?? 0;
}
