// Names that end in `.local` (RFC 6762): browsers tell those instead of their addresses. Asked by multicast, once.
import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';

const GROUP = '224.0.0.251';
const PORT = 5353;
const PATIENCE_MS = 1_500;
const TYPE_A = 1;
const CLASS_IN = 1;

/** Null: nobody answers to it in time. Never rejects. */
export function resolveLocal(name: string): Promise<string | null> {
  return new Promise(resolve => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    const end = (address: string | null): void => {
      clearTimeout(timer);
      socket.removeAllListeners('message');
      socket.close();
      resolve(address);
    };
    const timer = setTimeout(() => end(null), PATIENCE_MS);
    socket.on('error', () => end(null));
    socket.on('message', message => {
      const address = addressIn(message, name);
      if (address !== null) end(address);
    });
    // Most answer to all, on the port that all share.
    socket.bind(PORT, () => {
      for (const address of ownAddresses()) join(socket, address);
      socket.setMulticastLoopback(true);
      socket.send(questionFor(name), PORT, GROUP, error => error !== null && end(null));
    });
  });
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap(all =>
    (all ?? []).filter(({ family }) => family === 'IPv4').map(({ address }) => address),
  );

function join(socket: Socket, address: string): void {
  try {
    socket.addMembership(GROUP, address);
  } catch {
    // That card has no multicast.
  }
}

export function questionFor(name: string): Buffer {
  const labels = name
    .split('.')
    .map(label => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const head = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  // An answer by unicast is not asked for: browsers refuse such questions.
  const tail = Buffer.from([0, 0, TYPE_A, 0, CLASS_IN]);
  return Buffer.concat([head, ...labels, tail]);
}

/** The IPv4 address that a response gives that name; null: none. */
export function addressIn(message: Buffer, name: string): string | null {
  if (message.length < 12 || (message[2]! & 0x80) === 0) return null;
  const [questions, answers] = [message.readUInt16BE(4), message.readUInt16BE(6)];
  let at: number | null = 12;
  for (let index = 0; index < Math.min(questions, 16) && at !== null; index++) {
    const read = nameAt(message, at);
    at = read === null ? null : read.next + 4;
  }
  for (let index = 0; index < Math.min(answers, 64) && at !== null; index++) {
    const read = nameAt(message, at);
    if (read === null || read.next + 10 > message.length) return null;
    const [type, length] = [message.readUInt16BE(read.next), message.readUInt16BE(read.next + 8)];
    const data = read.next + 10;
    const isIt = type === TYPE_A && length === 4 && read.name.toLowerCase() === name.toLowerCase();
    if (isIt && data + 4 <= message.length) return [...message.subarray(data, data + 4)].join('.');
    at = data + length;
  }
  return null;
}

/** With compression (RFC 1035, 4.1.4); null: no name. */
function nameAt(message: Buffer, start: number): { readonly name: string; readonly next: number } | null {
  const labels: string[] = [];
  let [at, next] = [start, -1];
  for (let step = 0; step < 64; step++) {
    const length = message[at];
    if (length === undefined) return null;
    if (length === 0) return { name: labels.join('.'), next: next < 0 ? at + 1 : next };
    if ((length & 0xc0) === 0xc0) {
      if (at + 1 >= message.length) return null;
      if (next < 0) next = at + 2;
      at = message.readUInt16BE(at) & 0x3fff;
    } else {
      labels.push(message.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
  }
  return null;
}
