// Reading a TCP connection into one buffer for all of them, in place of a new one of 64 KB for each read: what carries
// gigabits would else make garbage by the gigabit, and a small heap would do nothing but collect it.
import { Socket } from 'node:net';

/** One read's worth. What is read is dealt with before the next read of any connection. */
const SHARED_BYTES = 256 * 1024;
const shared: { buffer: Uint8Array | null } = { buffer: null };

/**
 * The same connection, from now on read by `received` alone: `bytes` are lent until the call returns. What `socket` had
 * read before comes first. `socket` itself is not to be used any more; the answer is, for all else. Where this Node lets
 * no other object take over a connection, it is read the ordinary way.
 */
export function lendReads(socket: Socket, received: (bytes: Uint8Array) => void): Socket {
  const handle: unknown = Reflect.get(socket, '_handle');
  const early = socket.read() as Uint8Array | null;
  if (typeof handle !== 'object' || handle === null || socket.writableLength > 0) {
    socket.on('data', received);
    if (early !== null) queueMicrotask(() => received(early));
    return socket;
  }
  shared.buffer ??= new Uint8Array(SHARED_BYTES);
  const { buffer } = shared;
  const onread = {
    buffer,
    callback(length: number) {
      received(buffer.subarray(0, length));
      return true;
    },
  };
  const taken = new Socket({ ...{ handle, onread }, readable: true, writable: true });
  // The handle is the new one's: the old object must not close it.
  Reflect.set(socket, '_handle', null);
  socket.removeAllListeners();
  // Before anything that is read later, and once the caller has the new object in hand.
  if (early !== null) queueMicrotask(() => received(early));
  return taken;
}
