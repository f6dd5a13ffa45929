// The page over a real TCP listener on loopback, with a made-up box behind it. Visitors may come from any address of
// 127.0.0.0/8, send raw bytes, and hold back whatever they like.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { request as requestByTls } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock, type Clock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import type { ScopedStore } from '../../base/store.ts';
import {
  Connections,
  createPageServer,
  PAGE_LIMITS,
  type PageLimits,
  type TlsParts,
} from '../../bin/daemon/page-server.ts';
import { openDaemonSettings } from '../../bin/settings.ts';
import { createPage, type Page, type PageOptions } from '../../web/page/page.ts';
import type { HashPassword } from '../../web/page/owner.ts';
import { FakeDaemon, FakeNode, FakeServer } from './fake-admins.ts';
import { fakeBackup } from './fake-backup.ts';
import { fakePeers } from './fake-peers.ts';
import { memoryStore } from './memory-store.ts';

export const PASSWORD = 'correct horse battery';

export interface Asked {
  /** As JSON, unless it is text. */
  readonly body?: unknown;
  readonly cookie?: string;
  /** `undefined` takes one away that is there by default. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  /** The visitor's own address. */
  readonly from?: string;
  /** Whatever certificate is shown. */
  readonly byTls?: boolean;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** `ginnel-…=…`, as a browser would send it back; empty: none was set. */
  readonly cookie: string;
}

export interface PageBench {
  readonly page: Page;
  readonly port: number;
  readonly host: string;
  /** Of the session's cookie, in plain. */
  readonly cookieName: string;
  readonly node: FakeNode;
  readonly server: FakeServer;
  readonly store: ScopedStore;
  readonly ask: (method: string, path: string, asked?: Asked) => Promise<Answered>;
  /** Sets the owner's password; answers the cookie. */
  readonly signedIn: () => Promise<string>;
  readonly connected: (from?: string) => Promise<Socket>;
}

export interface BenchOptions extends Partial<PageOptions> {
  readonly limits?: Partial<PageLimits>;
  /** With a certificate, or without. */
  readonly tls?: TlsParts | null;
}

/** As hard to guess as it is quick to compute: for tests of all but the hash itself. */
export const quickHash: HashPassword = async (password, salt) =>
  Promise.resolve(new Uint8Array(Buffer.from(`${Buffer.from(salt).toString('hex')}${password}`)));

export async function pageBench(
  t: Test,
  { limits = {}, tls = null, ...changes }: BenchOptions = {},
): Promise<PageBench> {
  const [node, server, store] = [new FakeNode(), new FakeServer(), changes.store ?? memoryStore()];
  const settings = await openDaemonSettings(memoryStore());
  const clock: Clock = systemClock;
  const page = await createPage({
    ...{
      node,
      server,
      settings,
      clock,
      store,
      daemon: new FakeDaemon(),
      backup: fakeBackup,
      peers: fakePeers,
    },
    ...{ counters: new Counters(), log: silentLog, version: '1.2.3', pid: 42, random: seededRandom(7) },
    checkState: () => Promise.resolve({ ok: true, parts: [], exports: [], todo: '' }),
    hashPassword: quickHash,
    folder: clientFolder(t),
    names: () => ['localhost', 'attic', 'attic.lan'],
    name: () => 'attic-nas',
    isNear: () => true,
    isTlsNeeded: () => tls !== null,
    certificate: () => null,
    ...changes,
  });
  const http = createPageServer(page.callback, new Connections(), { ...PAGE_LIMITS, ...limits });
  http.setTls(tls);
  const port = await http.listen('127.0.0.1', 0);
  t.teardown(async () => {
    await page.close();
    await http.close();
  });
  const host = `127.0.0.1:${port}`;
  const ask: PageBench['ask'] = (method, path, asked) => asking(port, method, path, asked);
  const cookieName = `ginnel-${String(await store.get('cookie-tag'))}`;
  return {
    ...{ page, port, host, cookieName, node, server, store, ask },
    signedIn: async () => (await ask('POST', '/v1/page/owner', { body: { password: PASSWORD } })).cookie,
    connected: from =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port, localAddress: from ?? '127.0.0.1' }, () =>
          resolve(socket),
        );
        socket.on('error', reject);
        t.teardown(() => socket.destroy());
      }),
  };
}

/** A page, a hashed file, and beside the folder what must not get out. */
function clientFolder(t: Test): string {
  const around = mkdtempSync(join(tmpdir(), 'ginnel-page-'));
  t.teardown(() => rmSync(around, { recursive: true, force: true }));
  const folder = join(around, 'client');
  mkdirSync(join(folder, 'parts'), { recursive: true });
  writeFileSync(join(around, 'secret.txt'), 'a secret');
  writeFileSync(join(folder, '.hidden.txt'), 'a secret');
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Ginnel</title>');
  writeFileSync(join(folder, 'main-K3XQ7ZPD.js'), 'start()');
  writeFileSync(join(folder, 'main-K3XQ7ZPD.js.gz'), 'packed');
  writeFileSync(join(folder, 'parts/logo.svg'), '<svg/>');
  return folder;
}

function asking(port: number, method: string, path: string, asked: Asked = {}): Promise<Answered> {
  const { body, cookie, headers = {}, from = '127.0.0.1', byTls = false } = asked;
  const own = `127.0.0.1:${port}`;
  const usual =
    method === 'GET' || method === 'HEAD'
      ? {}
      : { 'Content-Type': 'application/json', Origin: `http${byTls ? 's' : ''}://${own}` };
  const all: NonNullable<Asked['headers']> = {
    ...{ Host: own, ...usual },
    ...(cookie === undefined ? {} : { Cookie: cookie }),
    ...headers,
  };
  const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers: sent, agent: false };
    const ask = byTls ? requestByTls : request;
    const going = ask({ ...options, localAddress: from, rejectUnauthorized: false }, answer => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', part => (text += String(part)));
      answer.on('error', reject);
      answer.on('end', () => {
        const [cookieSet = ''] = answer.headers['set-cookie'] ?? [];
        const [pair = ''] = cookieSet.split(';');
        const isJson = answer.headers['content-type']?.startsWith('application/json') === true;
        const json = (isJson && text !== '' ? JSON.parse(text) : {}) as Answered['json'];
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json, cookie: pair });
      });
    });
    going.on('error', reject);
    going.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

/** Sends bytes as they are and answers all that came until the other end closed. */
export function exchange(socket: Socket, bytes: string): Promise<string> {
  return new Promise(resolve => {
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', part => (text += String(part)));
    socket.once('close', () => {
      resolve(text);
      // The socket is kept until the test ends.
      text = '';
    });
    socket.on('error', () => undefined);
    socket.write(bytes);
  });
}
