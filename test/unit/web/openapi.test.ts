// docs/openapi.yaml and the running interface say the same: routes both ways, request schemas, and real answers.
import { readFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { openDaemonSettings } from '../../../bin/settings.ts';
import { createApi, type Api, type ApiOptions } from '../../../web/api.ts';
import { BODY_SCHEMAS } from '../../../web/schemas.ts';
import { FakeDaemon, FakeNode, FakeServer } from '../../support/fake-admins.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { repositoryRoot } from '../../support/repository.ts';

interface Operation {
  readonly requestBody?: { readonly content: Record<string, { schema: { $ref: string } }> };
  readonly responses: Record<
    string,
    { $ref?: string; content?: Record<string, { schema: { $ref: string } }> }
  >;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, Record<string, unknown>>;
    readonly responses: Record<string, Operation['responses'][string]>;
  };
}

const document = parse(readFileSync(join(repositoryRoot, 'docs/openapi.yaml'), 'utf8')) as Document;
const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.keys(operations).map(method => `${method.toUpperCase()} ${path}`),
);

const ajv = new Ajv2020({ allErrors: true, strict: false });
ajv.addSchema({ $id: 'openapi', components: document.components });

function problems(schema: string, value: unknown): string | null {
  const validate = ajv.getSchema(`openapi${schema}`) ?? ajv.compile({ $ref: `openapi${schema}` });
  return validate(value) === true ? null : ajv.errorsText(validate.errors);
}

function answerSchema(method: string, path: string, status: number): string {
  const operation = document.paths[path]?.[method.toLowerCase()];
  const named = operation?.responses[String(status)] ?? operation?.responses['default'];
  const response =
    named?.$ref === undefined ? named : document.components.responses[named.$ref.split('/').at(-1) ?? ''];
  return Object.values(response?.content ?? {})[0]?.schema.$ref ?? 'no schema';
}

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

async function bench(t: Test, changes: Partial<ApiOptions> = {}): Promise<Bench> {
  const node = new FakeNode();
  const server = new FakeServer();
  const settings = await openDaemonSettings(memoryStore());
  const daemon = new FakeDaemon();
  const around = { daemon, version: '1.2.3', pid: 42, log: silentLog, counters: new Counters(), settings };
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
  t.same([...api.routes].sort(), [...documented].sort());
  t.ok(documented.length >= 12);
});

t.test('the request bodies of docs/openapi.yaml are those that are enforced', t => {
  for (const [name, schema] of Object.entries(BODY_SCHEMAS))
    t.same(document.components.schemas[name], schema, name);
  t.end();
});

/** One good request for each route, in an order that works. */
const SAMPLES: readonly [method: string, path: string, body?: unknown][] = [
  ['GET', '/v1/health'],
  ['GET', '/v1/counters'],
  ['POST', '/v1/logs', { lines: 10 }],
  ['POST', '/v1/bugreport', { mask: true }],
  ['POST', '/v1/metrics', {}],
  ['POST', '/v1/server/up', { port: 7444, secondPort: null, networkName: 'home' }],
  ['GET', '/v1/server'],
  ['GET', '/v1/server/settings'],
  ['POST', '/v1/server/settings', { set: { 'second-port': null, advertise: ['home.example.net'] } }],
  ['POST', '/v1/server/invites', { validMs: 3_600_000, uses: null, approval: true, note: 'for Anna' }],
  ['GET', '/v1/server/invites'],
  ['POST', '/v1/server/invites/{id}/revoke', {}],
  ['POST', '/v1/server/export', { passphrase: 'correct horse', move: false }],
  ['POST', '/v1/server/import', { file: '{"ginnel":"server export"}', port: 7445 }],
  ['POST', '/v1/server/accounts', { name: 'anna', password: 'correct horse', boxes: 3 }],
  ['GET', '/v1/server/accounts'],
  ['POST', '/v1/server/accounts/{account}/password', { password: 'battery staple' }],
  ['POST', '/v1/server/accounts/{account}/remove'],
  ['POST', '/v1/server/certificates/issue', { name: 'attic', validMs: 3_600_000 }],
  ['GET', '/v1/server/certificates'],
  ['POST', '/v1/server/certificates/trust', { certificate: '-----BEGIN CERTIFICATE-----' }],
  ['POST', '/v1/server/certificates/authorities/{authority}/untrust', {}],
  ['POST', '/v1/server/certificates/{serial}/revoke', {}],
  ['POST', '/v1/node/up', { invite: 'ginnel:good', name: 'attic-nas' }],
  ['GET', '/v1/node/status'],
  ['GET', '/v1/node/counters'],
  ['GET', '/v1/node/settings'],
  ['POST', '/v1/node/settings', { set: { mtu: 1380 }, unset: ['card'] }],
  ['GET', '/v1/settings'],
  ['POST', '/v1/settings', { set: { 'log-level': 'debug' } }],
  ['GET', '/v1/node/peers/{peer}/why'],
  ['GET', '/v1/node/plugins'],
  ['GET', '/v1/node/plugins/{plugin}'],
  ['POST', '/v1/node/plugins/{plugin}/disable'],
  ['POST', '/v1/node/plugins/{plugin}/enable', {}],
  ['POST', '/v1/node/plugins/{plugin}/settings', { set: { portSamples: 4 }, unset: ['servers'] }],
  ['POST', '/v1/node/plugins/{plugin}/retry'],
  ['POST', '/v1/node/ping', { peer: 'cellar-router', count: 3 }],
  ['POST', '/v1/node/netcheck'],
  ['POST', '/v1/node/down', {}],
  ['POST', '/v1/server/down'],
];

const pathOf = (path: string): string =>
  path
    .replace('{peer}', 'cellar-router')
    .replace('{plugin}', 'nat-stun')
    .replace('{id}', '0a1b2c3d')
    .replace('{account}', 'anna');

t.test('real answers fit their schemas, on every route', async t => {
  const { ask } = await bench(t);
  t.same(
    SAMPLES.map(([method, path]) => `${method} ${path}`).sort(),
    [...documented].sort(),
    'all are asked',
  );
  for (const [method, path, body] of SAMPLES) {
    const answer = await ask(method, pathOf(path), body);
    t.equal(answer.status, 200, `${method} ${path}: ${answer.text}`);
    const values = answer.type.includes('ndjson') ? answer.text.trimEnd().split('\n') : [answer.text];
    for (const value of values)
      t.equal(problems(answerSchema(method, path, 200), JSON.parse(value)), null, `${method} ${path}`);
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
    t.equal(problems('#/components/schemas/Error', error), null);
    t.notMatch(answer.text, /secret path/);
  }
});

t.test('a read-only socket answers questions and refuses every change', async t => {
  const { ask } = await bench(t, { access: 'read-only' });
  for (const [method, path, body] of SAMPLES) {
    const answer = await ask(method, pathOf(path), body);
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
