// docs/openapi.yaml and the running interface say the same: routes both ways, request schemas, and real answers.
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { Counters } from '../../../base/counters.ts';
import type { StateReport } from '../../../base/state/check.ts';
import { silentLog } from '../../../base/log.ts';
import { openDaemonSettings } from '../../../bin/settings.ts';
import { createApi, type Api, type ApiOptions } from '../../../web/api.ts';
import { BODY_SCHEMAS } from '../../../web/schemas.ts';
import { SAMPLES, samplePath } from '../../support/api-samples.ts';
import { FakeDaemon, FakeNode, FakeServer } from '../../support/fake-admins.ts';
import { fakePeers } from '../../support/fake-peers.ts';
import { fakeBackup } from '../../support/fake-backup.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { socketRoutes, openapi, openObjects, problemsOf, problemsOfAnswer } from '../../support/openapi.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

interface Bench {
  readonly node: FakeNode;
  readonly server: FakeServer;
  readonly api: Api;
  readonly port: number;
  readonly ask: (method: string, path: string, body?: unknown) => Promise<Answer>;
}

const STATE: StateReport = {
  ok: false,
  parts: [
    {
      ...{ name: 'store', path: '/var/lib/ginnel/store', kind: 'store', state: 'damaged' },
      ...{ entries: 3, changes: 9, problems: ['The last 2 confirmed changes are gone'] },
    },
  ],
  exports: [
    {
      ...{ path: '/var/lib/ginnel/exports/store.newest.export', store: 'store', problem: '' },
      ...{ madeAtMs: 1_790_000_000_000, entries: 3, changes: 8, files: ['identity.json'] },
    },
  ],
  todo: 'Stop Ginnel, then run: ginnel repair',
};

async function bench(t: Test, changes: Partial<ApiOptions> = {}): Promise<Bench> {
  const node = new FakeNode();
  const server = new FakeServer();
  const settings = await openDaemonSettings(memoryStore());
  const daemon = new FakeDaemon();
  const checkState = (): Promise<StateReport> => Promise.resolve(STATE);
  const facts = { version: '1.2.3', pid: 42, log: silentLog };
  const around = {
    ...facts,
    daemon,
    counters: new Counters(),
    settings,
    checkState,
    backup: fakeBackup,
    peers: fakePeers,
  };
  const api = createApi({ access: 'control', node, server, ...around, ...changes });
  const http = createServer((asked, answer) => void api.callback(asked, answer));
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve));
  t.teardown(() => http.close());
  const { port } = http.address() as AddressInfo;
  const ask: Bench['ask'] = (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json' };
      const asking = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, answer => {
        textOf(answer).then(
          text =>
            resolve({ status: answer.statusCode ?? 0, type: answer.headers['content-type'] ?? '', text }),
          reject,
        );
      });
      asking.on('error', reject);
      asking.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
    });
  return { node, server, api, port, ask };
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString();
}

t.test('every route is in docs/openapi.yaml, and every path there is a route', async t => {
  const { api } = await bench(t);
  t.same([...api.routes].sort(), [...socketRoutes].sort());
  t.ok(socketRoutes.length >= 12);
});

t.test('the request bodies of docs/openapi.yaml are those that are enforced', t => {
  for (const [name, schema] of Object.entries(BODY_SCHEMAS))
    t.same(openapi.components.schemas[name], schema, name);
  t.end();
});

t.test('every object of docs/openapi.yaml says whether it may hold more than is written', t => {
  t.same(openObjects(), []);
  t.end();
});

t.test('made-up answers fit their schemas, on every route', async t => {
  const { ask } = await bench(t);
  t.same(
    SAMPLES.map(([method, path]) => `${method} ${path}`).sort(),
    [...socketRoutes].sort(),
    'all are asked',
  );
  for (const [method, path, body] of SAMPLES) {
    const answer = await ask(method, samplePath(path), body);
    t.equal(answer.status, 200, `${method} ${path}: ${answer.text}`);
    t.equal(problemsOfAnswer(`${method} ${path}`, answer), null, `${method} ${path}`);
  }
});

t.test('a ping is a stream of events that ends with done', async t => {
  const { ask, node } = await bench(t);
  const { text } = await ask('POST', '/v1/node/ping', { peer: 'cellar-router', count: 2 });
  const types = text
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as { type: string }).type);
  t.same(types, ['reply', 'path', 'reply', 'done']);
  t.equal(node.pingsEnded, 1);
});

t.test('hanging up ends a ping', async t => {
  const { node, port } = await bench(t);
  await new Promise<void>(resolve => {
    const asking = request(
      { host: '127.0.0.1', port, method: 'POST', path: '/v1/node/ping', agent: false },
      answer => {
        answer.once('data', () => {
          asking.destroy();
          resolve();
        });
      },
    );
    asking.on('error', () => undefined);
    asking.end(JSON.stringify({ peer: 'forever' }));
  });
  for (let turn = 0; turn < 1000 && node.pingsEnded === 0; turn++)
    await new Promise(resolve => setTimeout(resolve, 1));
  t.equal(node.pingsEnded, 1);
});

t.test('bad input gets the one error shape with a stable code', async t => {
  const { ask } = await bench(t);
  const cases: [string, string, unknown, number, string][] = [
    ['POST', '/v1/node/up', '{ not json', 400, 'API_BODY'],
    ['POST', '/v1/node/up', '[]', 400, 'API_BODY'],
    ['POST', '/v1/node/up', { name: 'n'.repeat(257) }, 400, 'API_BODY'],
    ['POST', '/v1/node/up', { unheardOf: 1 }, 400, 'API_BODY'],
    ['POST', '/v1/node/up', { invite: 'x'.repeat(70_000) }, 413, 'API_BODY_TOO_LARGE'],
    ['POST', '/v1/node/up', { invite: 'ginnel:used' }, 422, 'INVITE_USED'],
    ['POST', '/v1/node/up', { invite: 'ginnel:away' }, 503, 'SERVER_AWAY'],
    ['POST', '/v1/node/up', { invite: 'ginnel:crash' }, 500, 'API_INTERNAL'],
    ['POST', '/v1/server/up', { port: 70_000 }, 400, 'API_BODY'],
    ['POST', '/v1/node/ping', {}, 400, 'API_BODY'],
    ['POST', '/v1/node/ping', { peer: 'nobody' }, 404, 'PEER_UNKNOWN'],
    ['GET', '/v1/node/peers/nobody/why', undefined, 404, 'PEER_UNKNOWN'],
    ['GET', '/v1/nothing', undefined, 404, 'API_NOT_FOUND'],
    ['DELETE', '/v1/node/status', undefined, 404, 'API_NOT_FOUND'],
  ];
  for (const [method, path, body, status, code] of cases) {
    const answer = await ask(method, path, body);
    t.equal(answer.status, status, `${code}: ${answer.text}`);
    const error = JSON.parse(answer.text) as { code: string };
    t.equal(error.code, code);
    t.equal(problemsOf('#/components/schemas/Error', error), null);
    t.notMatch(answer.text, /secret path/);
  }
});

t.test('a read-only socket answers questions and refuses every change', async t => {
  const { ask } = await bench(t, { access: 'read-only' });
  for (const [method, path, body] of SAMPLES) {
    const answer = await ask(method, samplePath(path), body);
    if (method === 'GET') t.equal(answer.status, 200, path);
    else t.match(JSON.parse(answer.text), { code: 'API_READ_ONLY' }, path);
    t.notMatch(answer.text, /ginnel:(?!address)/, 'no invite is in it');
  }
});

t.test('a part that is not there says so; a change of roles is told once answered', async t => {
  let told = 0;
  const without = await bench(t, { node: null, server: null, onRolesChanged: () => told++ });
  t.match(JSON.parse((await without.ask('GET', '/v1/node/status')).text), { code: 'API_NO_NODE' });
  t.match(JSON.parse((await without.ask('GET', '/v1/server')).text), { code: 'API_NO_SERVER' });
  t.match(JSON.parse((await without.ask('GET', '/v1/health')).text), {
    roles: { node: 'absent', server: 'absent' },
  });
  t.equal(told, 0);
  await without.ask('POST', '/v1/node/up', { invite: 'ginnel:used' });
  t.equal(told, 1);
});
