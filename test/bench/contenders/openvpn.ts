// Debian's OpenVPN between two points: TLS, certificates known by their fingerprint, and no help from the kernel.
import { mkdir, readFile } from 'node:fs/promises';
import type { Place } from '../../lab/place.ts';
import { LAB_FOLDER } from '../../lab/wrapper.ts';
import { meets } from '../contender.ts';
import type { Contender, Ground, Running } from '../contender.ts';
import { debianVersion } from '../versions.ts';

const FOLDER = `${LAB_FOLDER}/openvpn`;
const CIPHER = 'AES-256-GCM';

export const openvpn: Contender = {
  name: 'openvpn',
  label: 'openvpn',
  setUp: `${CIPHER} over UDP, TLS, no DCO`,
  tools: { openvpn: 'openvpn', openssl: 'openssl' },
  version: async () => debianVersion('openvpn', 'openvpn'),
  start: startPair,
};

async function startPair({ one, other }: Ground): Promise<Running> {
  await mkdir(FOLDER, { recursive: true });
  const prints = { one: await makeCertificate(one, 'one'), other: await makeCertificate(one, 'other') };
  const pids = [
    start(one, 'one', ['--tls-client', '--remote', other.address], prints.other),
    start(other, 'other', ['--tls-server', '--dh', 'none', '--remote', one.address], prints.one),
  ];
  await meets(one, '10.95.0.2');
  const log = await readFile(`${FOLDER}/one.log`, 'utf8');
  if (!log.includes(`'${CIPHER}'`)) throw new Error(`openvpn did not agree on ${CIPHER}: ${log.slice(-500)}`);
  return { target: '10.95.0.2', pids };
}

async function makeCertificate(place: Place, name: string): Promise<string> {
  const { stdout } =
    await place.exec(`cd ${FOLDER} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
    -nodes -days 2 -subj /CN=${name} -keyout ${name}.key -out ${name}.crt 2>/dev/null &&
    openssl x509 -in ${name}.crt -noout -fingerprint -sha256`);
  return stdout.trim().replace(/^.*=/, '');
}

function start(place: Place, name: string, role: readonly string[], peerPrint: string): number {
  const ends = name === 'one' ? ['10.95.0.1', '10.95.0.2'] : ['10.95.0.2', '10.95.0.1'];
  const own = ['--cert', `${FOLDER}/${name}.crt`, '--key', `${FOLDER}/${name}.key`];
  const args = [
    ...['--dev', `ovpn-${name}`, '--dev-type', 'tun', '--ifconfig', ...ends, '--disable-dco'],
    ...[...own, '--peer-fingerprint', peerPrint, '--data-ciphers', CIPHER],
    ...['--verb', '3', '--log', `${FOLDER}/${name}.log`, ...role],
  ];
  return place.spawn('openvpn', args, { stdio: 'ignore' }).pid ?? 0;
}
