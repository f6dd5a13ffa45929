// The page with a made-up box behind it, over loopback: for looking at it, for the browser's tests, and for the bench.
//   node dist/test/support/page-dev.js [peers] [port] [first]     `first`: nobody set a password yet
import { createReadStream, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { openDaemonSettings } from '../../bin/settings.ts';
import { createApi, type Api } from '../../web/api.ts';
import { FakeDaemon, FakeServer } from './fake-admins.ts';
import { fakePeers } from './fake-peers.ts';
import { fakeBackup } from './fake-backup.ts';
import { MadeUpNode } from './made-up-peers.ts';
import { memoryStore } from './memory-store.ts';
import { pageRoutes } from './page-dev-routes.ts';
import { repositoryRoot } from './repository.ts';

const CLIENT = join(repositoryRoot, 'dist/web/client');
/** As docs/decisions/0018-the-page.md has it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES: Readonly<Record<string, string>> = {
  ...{ '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' },
  '.svg': 'image/svg+xml',
};

export interface PageDevOptions {
  readonly peers: number;
  /** 0: any that is free. */
  readonly port?: number;
  /** Nobody set a password, and the box is in no network. */
  readonly isFirst?: boolean;
}

export interface PageDev {
  readonly url: string;
  readonly node: MadeUpNode;
  readonly server: FakeServer;
  close(): Promise<void>;
}

/** The owner's password is `correct horse battery` where one is set. */
export async function startPageDev({ peers, port = 0, isFirst = false }: PageDevOptions): Promise<PageDev> {
  const node = new MadeUpNode(peers, !isFirst);
  const server = new FakeServer();
  if (!isFirst) {
    await server.up({});
    await node.up({ name: 'attic-nas' });
  }
  const api = await madeUpApi(node, server);
  const routes = pageRoutes(node, server, isFirst);
  const http = createServer((asked, answer) => {
    void serve(asked, answer).catch(() => answer.destroy());
  });
  const serve = async (asked: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const { pathname } = new URL(asked.url ?? '/', 'http://box');
    answer.setHeader('Content-Security-Policy', POLICY);
    answer.setHeader('X-Content-Type-Options', 'nosniff');
    const own = routes(asked.method ?? 'GET', pathname);
    if (own !== null) return own(asked, answer, asked.method === 'POST' ? await text(asked) : '');
    if (pathname.startsWith('/v1/')) {
      await api.callback(asked, answer);
      return;
    }
    file(pathname, answer);
  };
  await new Promise<void>(resolve => http.listen(port, '127.0.0.1', resolve));
  const { port: taken } = http.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${taken}/`, node, server },
    close: () =>
      new Promise(resolve => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

async function madeUpApi(node: MadeUpNode, server: FakeServer): Promise<Api> {
  return createApi({
    ...{ access: 'control', node, server, daemon: new FakeDaemon(), version: '0.1.0', pid: process.pid },
    ...{ log: silentLog, counters: new Counters(), settings: await openDaemonSettings(memoryStore()) },
    checkState: () => Promise.resolve({ ok: true, parts: [], exports: [], todo: '' }),
    backup: fakeBackup,
    peers: fakePeers,
  });
}

function file(pathname: string, answer: ServerResponse): void {
  const name = pathname === '/' ? 'index.html' : pathname.slice(1);
  const path = join(CLIENT, name);
  if (!/^[\w-]+\.\w+$/.test(name) || !existsSync(path)) {
    answer.writeHead(404).end();
    return;
  }
  answer.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream' });
  createReadStream(path).pipe(answer);
}

if (process.argv[1]?.endsWith('page-dev.js') === true) {
  const [peers = '3', port = '7099', first] = process.argv.slice(2);
  const page = await startPageDev({ peers: Number(peers), port: Number(port), isFirst: first === 'first' });
  console.log(`${page.url}  (password: correct horse battery)`);
}
