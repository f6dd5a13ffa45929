// A random file over TCP from one box to another by virtual addresses, hashed at both ends.
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Box } from './homes.ts';
import { endOf } from './place.ts';
import { until } from './waiting.ts';
import { LAB_FOLDER } from './wrapper.ts';

const TRANSFER = fileURLToPath(new URL('./transfer.js', import.meta.url));
const PORT = 5001;
const TRANSFER_MS = 300_000;

/** What one end saw. */
interface Report {
  readonly bytes: number;
  readonly sha256: string;
}

export interface Moved {
  readonly sent: Report;
  readonly received: Report;
  /** Are both what was meant to be moved? */
  readonly equal: boolean;
  readonly seconds: number;
}

/** `perSecond`: no faster than so many bytes. */
export async function moveFile(from: Box, to: Box, megabytes: number, perSecond = Infinity): Promise<Moved> {
  const [file, copy] = [`${LAB_FOLDER}/original`, `${LAB_FOLDER}/copy`];
  writeRandom(file, megabytes);
  const receive = [TRANSFER, 'receive', to.ip, String(PORT), copy];
  const receiver = to.home.host.spawn(process.execPath, receive, { stdio: ['ignore', 'pipe', 'inherit'] });
  let heard = '';
  receiver.stdout?.setEncoding('utf8').on('data', (text: string) => (heard += text));
  await until('the receiver', 10_000, () => heard.startsWith('ready'));
  const before = performance.now();
  const send = `'${process.execPath}' '${TRANSFER}' send ${to.ip} ${PORT} ${file} ${perSecond}`;
  const sent = JSON.parse((await from.home.host.exec(send, { timeoutMs: TRANSFER_MS })).stdout) as Report;
  await endOf(receiver);
  const seconds = (performance.now() - before) / 1000;
  const received = JSON.parse(heard.slice('ready\n'.length)) as Report;
  const equal =
    sent.sha256 === received.sha256 && sent.bytes === received.bytes && sent.bytes === megabytes * 1e6;
  return { sent, received, equal, seconds };
}

function writeRandom(file: string, megabytes: number): void {
  const fd = openSync(file, 'w');
  for (let written = 0; written < megabytes; written += 1) writeSync(fd, randomBytes(1_000_000));
  closeSync(fd);
}
