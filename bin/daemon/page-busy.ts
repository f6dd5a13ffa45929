// Whoever holds too many connections to the page already is told so, and let go.
import type { Socket } from 'node:net';
import { errorAnswer } from '../../web/answers.ts';
import { pageErrors } from '../../web/page/errors.ts';

/** Of them there is a bound, too. */
export interface Turned {
  waiting: number;
}

export const MOST_TURNED = 16;
const LEAVE_MS = 1_000;

/** What asks by TLS cannot read it: that would take a handshake. */
export function turnAway(socket: Socket, turned: Turned, most: number): void {
  if (turned.waiting >= MOST_TURNED) {
    socket.destroy();
    return;
  }
  turned.waiting++;
  const timer = setTimeout(() => socket.destroy(), LEAVE_MS);
  socket.once('close', () => {
    turned.waiting--;
    clearTimeout(timer);
  });
  socket.on('error', () => socket.destroy());
  // Only who has asked listens for an answer; what else comes is not kept, and not left unread: that would cut the answer.
  socket.once('data', () => socket.end(answerOf(most)));
  socket.on('end', () => socket.destroy());
  socket.resume();
}

function answerOf(most: number): string {
  const body = JSON.stringify(errorAnswer(pageErrors('PAGE_BUSY', { most })));
  const head = [
    'HTTP/1.1 503 Service Unavailable',
    'Content-Type: application/json; charset=utf-8',
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
