// STUN over TCP (P2, P7): the same answers on the server's one TCP port, a few per connection.
import type { Socket } from 'node:net';
import type { Counters } from '../base/counters.ts';
import type { Endpoint } from '../protocol/address.ts';
import { stunFrameLength } from '../protocol/stun/codec.ts';
import { answerBinding } from '../protocol/stun/server.ts';
import { sourceOf } from '../protocol/ip/source.ts';
import type { TokenBuckets } from './token-bucket.ts';

const IDLE_MS = 30_000;
const MAX_REQUESTS = 100;
const MAX_LENGTH = 2048;
/** Neither another address nor another port answers on a connection. */
const NO_ALTERNATES = { otherAddress: null, otherPort: null };

export interface StunTcpOptions {
  readonly buckets: TokenBuckets;
  readonly counters: Counters;
}

/** Answers on this connection until it ends, falls silent, or says something that is not STUN. */
export function serveStunTcp(
  socket: Socket,
  remote: Endpoint,
  local: Endpoint,
  options: StunTcpOptions,
): void {
  let held: Buffer = Buffer.alloc(0);
  let requests = 0;
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    for (let taken = takeFrame(held); taken !== null && !socket.destroyed; taken = takeFrame(held)) {
      const outcome = ++requests > MAX_REQUESTS ? 'rate-limited' : answerFrame(taken, remote, local, options);
      if (typeof outcome === 'string') {
        options.counters.counter(`stun-tcp.${outcome}`).value++;
        socket.destroy();
        return;
      }
      held = held.subarray(outcome.length);
      options.counters.counter('stun-tcp.answered').value++;
      socket.write(outcome.reply);
    }
  });
}

/** The first whole message, a code where there can be none, or null where more bytes are needed. */
function takeFrame(held: Buffer): Buffer | string | null {
  const length = stunFrameLength(held);
  if (!length.ok) return length.code;
  if ((length.value ?? 0) > MAX_LENGTH) return 'too-long';
  return length.value === null || held.length < length.value ? null : held.subarray(0, length.value);
}

function answerFrame(
  frame: Buffer | string,
  remote: Endpoint,
  local: Endpoint,
  { buckets }: StunTcpOptions,
): { readonly reply: Uint8Array; readonly length: number } | string {
  if (typeof frame === 'string') return frame;
  if (!buckets.take(sourceOf(remote.address))) return 'rate-limited';
  const answer = answerBinding(frame, remote, local, NO_ALTERNATES);
  return answer.ok ? { reply: answer.value.reply, length: frame.length } : answer.code;
}
