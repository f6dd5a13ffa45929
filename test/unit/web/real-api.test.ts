// Every route of the interface on the real daemon, node and server: each answer fits docs/openapi.yaml, errors too.
// A new route needs a sample in test/support/api-samples.ts, and, where made-up names won't do, an entry in REAL here.
import { request } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { makeCertificate } from '../../../protocol/x509/make.ts';
import { pemOf } from '../../../system/certificates.ts';
import { primitives } from '../../../system/crypto.ts';
import { SAMPLES } from '../../support/api-samples.ts';
import { join, makeIdentity } from '../../support/location-client.ts';
import { socketRoutes, problemsOfAnswer, type Said } from '../../support/openapi.ts';
import { realDaemon, type RealDaemon } from '../../support/real-daemon.ts';

/** What earlier answers told. */
interface World extends RealDaemon {
  readonly port: number;
  invite: string;
  inviteId: string;
  authorityId: string;
}

interface Real {
  /** Before it is asked. */
  readonly first?: (world: World) => Promise<unknown>;
  readonly body?: (world: World) => unknown;
  readonly path?: (world: World) => string;
  /** An error answer that is the right one here. */
  readonly code?: string;
  readonly then?: (world: World, answer: Said) => Promise<unknown>;
}

const REAL: Readonly<Record<string, Real>> = {
  'POST /v1/server/up': {
    body: ({ port }) => ({ port, secondPort: null, listen: ['127.0.0.1'], networkName: 'home' }),
  },
  'POST /v1/server/settings': { body: () => ({ set: { advertise: ['127.0.0.1'] } }) },
  'POST /v1/server/invites': {
    then: async (world, { text }) => {
      const { invite, id } = JSON.parse(text) as { invite: string; id: string };
      await Promise.resolve(Object.assign(world, { invite, inviteId: id }));
    },
  },
  'POST /v1/server/invites/{id}/revoke': {
    first: async world => Object.assign(world, await inviteForOne(world)),
    path: ({ inviteId }) => `/v1/server/invites/${inviteId}/revoke`,
  },
  // A daemon inside a test has no process that could take over: test/unit/cli/restart.test.ts has.
  'POST /v1/restart': { code: 'RESTART_BY_MANAGER' },
  // On a machine that has a server: importing is tried below, on one that has none.
  'POST /v1/server/import': { code: 'SERVER_EXISTS' },
  // On a box that is none: restoring is test/e2e/backup.test.ts's.
  'POST /v1/restore': { code: 'BACKUP_NOT_EMPTY' },
  'POST /v1/server/certificates/trust': {
    body: () => ({ certificate: someAuthority() }),
    then: async (world, { text }) =>
      Promise.resolve(Object.assign(world, { authorityId: (JSON.parse(text) as { id: string }).id })),
  },
  'POST /v1/server/certificates/authorities/{authority}/untrust': {
    path: ({ authorityId }) => `/v1/server/certificates/authorities/${authorityId}/untrust`,
  },
  'POST /v1/node/up': {
    first: async world => Object.assign(world, await inviteForOne(world)),
    body: ({ invite }) => ({ invite, name: 'attic-nas' }),
    then: async ({ client, port }) => {
      const { invite } = await client.post<{ invite: string }>('/v1/server/invites', {});
      await join(invite, port, makeIdentity('cellar-router'));
    },
  },
  // It is met by being pinged.
  'GET /v1/node/peers/{peer}/why': {
    first: world => ask(world, 'POST', '/v1/node/ping', { peer: 'cellar-router', count: 1, timeoutMs: 100 }),
  },
  // The made-up card carries nothing: test/lab has a true one.
  'POST /v1/page/peers/{peer}/speed': { code: 'SPEED_UNREACHABLE' },
  'POST /v1/node/ping': { body: () => ({ peer: 'cellar-router', count: 1, timeoutMs: 100 }) },
};

/** A certificate authority of somebody else, PEM. */
function someAuthority(): string {
  const seed = primitives.randomBytes(32);
  const names = { issuer: 'Somebody else', subject: 'Somebody else', isAuthority: true };
  const valid = { from: Date.now() - 60_000, until: Date.now() + 3_600_000 };
  const publicKey = primitives.signingPublicKey(seed);
  const serial = Uint8Array.from([1, 2, 3, 4]);
  return pemOf('CERTIFICATE', makeCertificate(primitives, seed, { serial, ...names, ...valid, publicKey }));
}

const inviteForOne = async ({ client }: World): Promise<Partial<World>> => {
  const { invite, id } = await client.post<{ invite: string; id: string }>('/v1/server/invites', {});
  return { invite, inviteId: id };
};

function ask({ places }: World, method: string, path: string, body?: unknown): Promise<Said> {
  return new Promise((resolve, reject) => {
    const socketPath = places.controlSocket;
    const asking = request({ socketPath, method, path, agent: false }, answer => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', part => (text += String(part)));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, type: answer.headers['content-type'] ?? '', text }),
      );
    });
    asking.on('error', reject);
    asking.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

const NAMES: Readonly<Record<string, string>> = {
  peer: 'cellar-router',
  plugin: 'nat-stun',
  id: 'no-such-id',
  node: 'cellar-router',
  account: 'anna',
  authority: 'no-such-authority',
  serial: '00ff',
};

/** A parameter that nobody has a name for fails the test. */
const named = (path: string): string =>
  path.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const value = NAMES[name];
    if (value === undefined) throw new Error(`${path}: no sample of ${whole}; add one to NAMES`);
    return value;
  });

async function world(t: Test): Promise<World> {
  return { ...(await realDaemon(t)), port: await freePort(), invite: '', inviteId: '', authorityId: '' };
}

const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const isChangeOfRoles = (route: string): boolean => /\/(up|down)$/.test(route);

t.test('every route answers as it is written, on a box that was set up', async t => {
  const one = await world(t);
  t.same(
    SAMPLES.map(([method, path]) => `${method} ${path}`).sort(),
    [...socketRoutes].sort(),
    'all are asked: test/support/api-samples.ts',
  );
  for (const [method, path, body] of SAMPLES) {
    const route = `${method} ${path}`;
    const real = REAL[route] ?? {};
    await real.first?.(one);
    const answer = await ask(one, method, real.path?.(one) ?? named(path), real.body?.(one) ?? body);
    const { code } = (real.code === undefined ? {} : JSON.parse(answer.text)) as { code?: string };
    t.equal(code, real.code, `${route}: ${answer.text.slice(0, 300)}`);
    if (real.code === undefined) t.equal(answer.status, 200, `${route}: ${answer.text.slice(0, 300)}`);
    t.equal(problemsOfAnswer(route, answer), null, `${route}: ${answer.text.slice(0, 300)}`);
    await real.then?.(one, answer);
  }
});

t.test('every route answers as it is written, on a box with nothing on it', async t => {
  const one = await world(t);
  for (const [method, path, body] of SAMPLES) {
    const route = `${method} ${path}`;
    if (isChangeOfRoles(route)) continue;
    const answer = await ask(one, method, named(path), body);
    t.equal(problemsOfAnswer(route, answer), null, `${route}: ${answer.status} ${answer.text.slice(0, 300)}`);
    t.notMatch(answer.text, /"code":"API_INTERNAL"/, route);
  }
});

t.test('what one server exports, another machine imports', async t => {
  const [one, other] = [await world(t), await world(t)];
  await ask(one, 'POST', '/v1/server/up', { port: one.port, secondPort: null, listen: ['127.0.0.1'] });
  const exported = await ask(one, 'POST', '/v1/server/export', { move: true });
  t.equal(problemsOfAnswer('POST /v1/server/export', exported), null, exported.text);
  const { file } = JSON.parse(exported.text) as { file: string };
  const imported = await ask(other, 'POST', '/v1/server/import', { file, port: other.port });
  t.equal(imported.status, 200, imported.text);
  t.equal(problemsOfAnswer('POST /v1/server/import', imported), null, imported.text);
});

t.test('every change refuses what it does not know, in the shape of an error', async t => {
  const one = await world(t);
  for (const route of socketRoutes) {
    const [method = '', path = ''] = route.split(' ');
    if (method !== 'POST') continue;
    for (const body of ['{ not json', { unheardOf: 1 }, []]) {
      const answer = await ask(one, method, named(path), body);
      t.equal(answer.status, 400, `${route}: ${answer.text.slice(0, 300)}`);
      t.match(answer.text, /API_BODY/, route);
      t.equal(problemsOfAnswer(route, answer), null, route);
    }
  }
});
