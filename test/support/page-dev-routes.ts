// What the page's server adds to the interface (docs/decisions/0018-the-page.md), made up: no guards, one owner.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeServer } from './fake-admins.ts';
import type { MadeUpNode } from './made-up-peers.ts';

type Route = (asked: IncomingMessage, answer: ServerResponse, body: string) => void | Promise<void>;

const SESSION = { id: 'one', from: '192.168.1.20', browser: 'Firefox', since: 0, lastSeen: 0, isThis: true };
const EVERY_MS = 15_000;

export function pageRoutes(
  node: MadeUpNode,
  server: FakeServer,
  isFirst: boolean,
): (method: string, path: string) => Route | null {
  let password = isFirst ? null : 'correct horse battery';
  let signedIn = false;
  const session = (): object => ({
    ...{ owner: password === null ? 'none' : 'set', needsCode: false, signedIn, version: '0.1.0' },
    name: 'attic-nas',
  });
  const known = (asked: IncomingMessage): boolean => signedIn || asked.headers['x-signed-in'] === 'yes';
  const routes: Readonly<Record<string, Route>> = {
    'GET /v1/page/session': (_asked, answer) => send(answer, 200, session()),
    'POST /v1/page/owner': (_asked, answer, body) => {
      password = fieldOf(body, 'password');
      if (password.length < 10) {
        password = null;
        refuse(answer, 422, 'PASSWORD_SHORT', 'The password is too short. It needs 10 characters.');
        return;
      }
      signedIn = true;
      send(answer, 200, session());
    },
    'POST /v1/page/sign-in': (_asked, answer, body) => {
      signedIn = fieldOf(body, 'password') === password;
      if (signedIn) send(answer, 200, session());
      else refuse(answer, 401, 'PAGE_PASSWORD', 'This is not the password. Try again.');
    },
    'POST /v1/page/sign-out': (_asked, answer) => {
      signedIn = false;
      send(answer, 200, {});
    },
    'POST /v1/page/password': (_asked, answer) => send(answer, 200, {}),
    'GET /v1/page/sessions': (_asked, answer) => {
      const now = Date.now();
      const phone = { ...SESSION, id: 'two', from: '192.168.1.31', browser: 'Safari, iPhone', isThis: false };
      const times = { since: now - 86_400_000, lastSeen: now - 60_000 };
      send(answer, 200, {
        sessions: [
          { ...SESSION, ...times },
          { ...phone, ...times },
        ],
      });
    },
    'GET /v1/page/live': (asked, answer) =>
      known(asked) ? live(node, server, answer) : refuse(answer, 401, 'PAGE_SIGN_IN', 'Sign in first.'),
  };
  return (method, path) => {
    if (/^\/v1\/page\/sessions\/[^/]+\/end$/.test(path)) return (_asked, answer) => send(answer, 200, {});
    if (/^\/v1\/page\/peers\/[^/]+\/history$/.test(path))
      return (_asked, answer) => send(answer, 200, history());
    if (/^\/v1\/page\/peers\/[^/]+\/speed$/.test(path)) return (_asked, answer) => speed(answer);
    return routes[`${method} ${path}`] ?? null;
  };
}

async function live(node: MadeUpNode, server: FakeServer, answer: ServerResponse): Promise<void> {
  answer.writeHead(200, { 'Content-Type': 'text/event-stream' });
  while (!answer.destroyed) {
    const status = node.status();
    const { nodes, ...summary } = server.summary();
    const counts = { nodeCount: nodes.length, onlineCount: nodes.filter(({ online }) => online).length };
    const roles = { node: status.state, server: summary.state };
    const state = {
      ...{ at: Date.now(), health: { version: '0.1.0', pid: 42, roles, health: [] }, node: status },
      server: { ...summary, network: summary.state === 'up' ? summary.network : '', ...counts },
      rates: status.state === 'up' ? node.made.at(Date.now()).rates : {},
    };
    answer.write(`event: state\ndata: ${JSON.stringify(state)}\n\n`);
    await sleep(1000);
  }
}

function history(): object {
  const now = Date.now();
  const samples = Array.from({ length: 240 }, (_, i) => {
    const isRelayed = i < 90;
    return {
      at: now - (240 - i) * EVERY_MS,
      rttMs: i % 83 === 40 ? null : (isRelayed ? 62 : 22) + Math.sin(i / 7) * 3 + (i % 5),
      ...{ loss: i % 83 === 40 ? 1 : 0, class: isRelayed ? 'relay' : 'direct' },
      label: isRelayed ? 'via office-vps' : 'direct UDP',
    };
  });
  const at = now - 150 * EVERY_MS;
  const changes = [{ at, from: 'via office-vps', to: 'direct UDP', reason: 'a direct path answers' }];
  return { everyMs: EVERY_MS, samples, changes };
}

async function speed(answer: ServerResponse): Promise<void> {
  answer.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  for (let i = 1; i <= 20 && !answer.destroyed; i++) {
    const direction = i <= 10 ? 'down' : 'up';
    const bitsPerSecond = (direction === 'down' ? 240e6 : 92e6) * (1 - 0.6 ** (i % 10 || 10));
    answer.write(`${JSON.stringify({ type: 'sample', afterMs: i * 250, bitsPerSecond, direction })}\n`);
    await sleep(250);
  }
  answer.end(`${JSON.stringify({ type: 'done', down: 239e6, up: 91e6 })}\n`);
}

function send(answer: ServerResponse, status: number, body: object): void {
  answer.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

function refuse(answer: ServerResponse, status: number, code: string, message: string): void {
  send(answer, status, { code, message: `${message} (${code})`, retry: false, details: {} });
}

const fieldOf = (body: string, name: string): string =>
  (JSON.parse(body) as Record<string, string>)[name] ?? '';
