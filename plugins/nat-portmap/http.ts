// One HTTP request to the gateway, by its literal address: no redirect is followed, nothing is resolved, and neither a slow nor
// a long answer is waited for.
import { request, type IncomingMessage } from 'node:http';
import type { HttpPlace } from '../../protocol/portmap/ssdp.ts';
import { MAX_XML_CHARACTERS } from '../../protocol/portmap/xml.ts';
import { refuse, type Ground } from './protocol.ts';

const MAX_HEADER_BYTES = 8 * 1024;

export interface HttpAsk {
  readonly place: HttpPlace;
  /** All of the answer is there by then. */
  readonly withinMs: number;
  /** Absent: a GET. */
  readonly post?: { readonly body: string; readonly headers: Readonly<Record<string, string>> };
  /** Statuses that are answers. */
  readonly statuses: readonly number[];
}

/** The body; null: no answer, or one that was refused (and counted). Never rejects. */
export function askHttp(ground: Ground, ask: HttpAsk, signal?: AbortSignal): Promise<string | null> {
  const { place, withinMs, post, statuses } = ask;
  return new Promise(resolve => {
    if (signal?.aborted === true) {
      resolve(null);
      return;
    }
    const outgoing = request({
      ...{ host: place.host, port: place.port, path: place.path, family: 4 },
      ...{ localAddress: ground.gateway.local, agent: false, maxHeaderSize: MAX_HEADER_BYTES },
      method: post === undefined ? 'GET' : 'POST',
      headers: { connection: 'close', 'user-agent': 'Ginnel/1 UPnP/1.1', ...post?.headers },
    });
    let isOver = false;
    const done = (answer: string | null, why?: string): void => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      signal?.removeEventListener('abort', gone);
      if (why !== undefined) refuse(ground, why);
      outgoing.destroy();
      resolve(answer);
    };
    const gone = (): void => done(null);
    const timer = ground.clock.after(withinMs, () => done(null, 'http.slow'));
    signal?.addEventListener('abort', gone, { once: true });
    outgoing.on('error', gone);
    outgoing.on('response', response => {
      const status = response.statusCode ?? 0;
      if (statuses.includes(status)) collect(response, done);
      else done(null, status >= 300 && status < 400 ? 'http.redirect' : 'http.status');
    });
    outgoing.end(post?.body);
  });
}

function collect(response: IncomingMessage, done: (answer: string | null, why?: string) => void): void {
  const parts: Buffer[] = [];
  let bytes = 0;
  if (Number(response.headers['content-length'] ?? 0) > MAX_XML_CHARACTERS) {
    done(null, 'http.long');
    return;
  }
  response.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > MAX_XML_CHARACTERS) done(null, 'http.long');
    else parts.push(part);
  });
  response.on('error', () => done(null));
  response.on('aborted', () => done(null));
  response.on('end', () => done(Buffer.concat(parts).toString('utf8')));
}
