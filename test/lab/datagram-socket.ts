// UDP sockets of the lab's own, apart from the product's: a sender whose messages the kernel cuts (UDP_SEGMENT), and a
// receiver with a buffer that holds a whole window.
import koffi from 'koffi';
import { parseIp } from '../../protocol/ip/address.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const IPPROTO_UDP = 17;
const UDP_SEGMENT = 103;
const RECEIVE_BUFFER = 32 << 20;
const PER_TURN = 1024;

const library = koffi.load(null);
const calls = {
  socket: library.func('socket', 'int', ['int', 'int', 'int']) as (...args: number[]) => number,
  connect: library.func('connect', 'int', ['int', 'void *', 'uint']) as AddressCall,
  bind: library.func('bind', 'int', ['int', 'void *', 'uint']) as AddressCall,
  setsockopt: library.func('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint']) as (
    fd: number,
    level: number,
    name: number,
    value: Buffer,
    length: number,
  ) => number,
  send: library.func('send', 'intptr_t', ['int', 'void *', 'size_t', 'int']) as BytesCall,
  recv: library.func('recv', 'intptr_t', ['int', 'void *', 'size_t', 'int']) as BytesCall,
};
type AddressCall = (fd: number, address: Buffer, length: number) => number;
type BytesCall = (fd: number, bytes: Buffer, length: number, flags: number) => number;

export interface Sender {
  /** `bytes[0..length)` in datagrams of `segment` bytes; 0: as one. Throws an Error with the errno. */
  send(bytes: Buffer, length: number, segment: number): void;
}

export function openSender(address: string, port: number): Sender {
  const fd = openSocket(address, 0);
  checked('connect', calls.connect(fd, ...sockaddr(address, port)));
  const value = Buffer.alloc(4);
  let segmentNow = 0;
  return {
    send(bytes, length, segment) {
      if (segment !== segmentNow) {
        value.writeInt32LE(segment);
        checked('UDP_SEGMENT', calls.setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, value, 4));
        segmentNow = segment;
      }
      checked('send', calls.send(fd, bytes, length, 0));
    },
  };
}

/** `onDatagram` gets each; `bytes` are lent until it returns. */
export function openReceiver(
  address: string,
  port: number,
  onDatagram: (bytes: Buffer, length: number) => void,
): void {
  const fd = openSocket(address, SOCK_NONBLOCK);
  const value = Buffer.alloc(4);
  value.writeInt32LE(RECEIVE_BUFFER);
  checked('SO_RCVBUFFORCE', calls.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, value, 4));
  checked('bind', calls.bind(fd, ...sockaddr(address, port)));
  const bytes = Buffer.alloc(65_536);
  const watch = koffi.node.poll(fd, { readable: true }, () => {
    for (let count = 0; count < PER_TURN; count++) {
      const length = calls.recv(fd, bytes, bytes.length, 0);
      if (length < 0) return;
      onDatagram(bytes, length);
    }
  });
  // A collected poll handle closes without a word.
  process.once('exit', () => watch);
}

function openSocket(address: string, flags: number): number {
  return checked('socket', calls.socket(address.includes(':') ? AF_INET6 : AF_INET, SOCK_DGRAM | flags, 0));
}

function sockaddr(address: string, port: number): [Buffer, number] {
  const ip = parseIp(address);
  if (!ip.ok) throw new TypeError(`no address: ${address}`);
  const isSix = ip.value.bytes.length === 16;
  const bytes = Buffer.alloc(isSix ? 28 : 16);
  bytes.writeUInt16LE(isSix ? AF_INET6 : AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(ip.value.bytes, isSix ? 8 : 4);
  return [bytes, bytes.length];
}

function checked(what: string, result: number): number {
  if (result < 0) throw new Error(`${what}: errno ${koffi.errno()}`);
  return result;
}
