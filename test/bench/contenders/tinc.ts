// Debian's tinc, stable series, with the ciphers it takes by itself.
import { mkdir, writeFile } from 'node:fs/promises';
import type { Place } from '../../lab/place.ts';
import { LAB_FOLDER } from '../../lab/wrapper.ts';
import { meets } from '../contender.ts';
import type { Contender, Ground, Running } from '../contender.ts';
import { debianVersion } from '../versions.ts';

const FOLDER = `${LAB_FOLDER}/tinc`;

export const tinc: Contender = {
  name: 'tinc',
  label: 'tinc',
  setUp: 'AES-256-CBC and SHA-256, as it comes',
  tools: { tincd: 'tinc' },
  version: async () => debianVersion('tinc', 'tincd'),
  start: startPair,
};

async function startPair({ one, other }: Ground): Promise<Running> {
  await prepare(one, 'one', '10.93.0.1', '');
  await prepare(other, 'other', '10.93.0.2', 'ConnectTo = one\n');
  await one.exec(`cd ${FOLDER} && cp one/hosts/one other/hosts/ && cp other/hosts/other one/hosts/`);
  const pids = [start(one, 'one'), start(other, 'other')];
  await meets(one, '10.93.0.2');
  return { target: '10.93.0.2', pids };
}

async function prepare(place: Place, name: string, ip: string, more: string): Promise<void> {
  const folder = `${FOLDER}/${name}`;
  await mkdir(`${folder}/hosts`, { recursive: true });
  await writeFile(`${folder}/tinc.conf`, `Name = ${name}\nInterface = tinc-${name}\n${more}`);
  await writeFile(`${folder}/hosts/${name}`, `Address = ${place.address}\nSubnet = ${ip}/32\n`);
  const up = `#!/bin/sh\nip addr add ${ip}/24 dev $INTERFACE\nip link set $INTERFACE up\n`;
  await writeFile(`${folder}/tinc-up`, up, { mode: 0o755 });
  await place.exec(`tincd -c ${folder} -K2048 < /dev/null`);
}

function start(place: Place, name: string): number {
  const args = ['-c', `${FOLDER}/${name}`, '-D', `--pidfile=${FOLDER}/${name}.pid`];
  return place.spawn('tincd', args, { stdio: 'ignore' }).pid ?? 0;
}
