// Joining a network over the real protocol on loopback: invites, log-in, addresses, records.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import t from 'tap';
import { ManualClock, systemClock } from '../../../base/clock.ts';
import type { Clock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { toBase64Url } from '../../../protocol/base64.ts';
import { CHANNEL_CLOSE } from '../../../protocol/location/channel.ts';
import { verifyAssignment } from '../../../protocol/location/signed.ts';
import { createServer } from '../../../server/server.ts';
import { primitives } from '../../../system/crypto.ts';
import {
  expectWelcome,
  join,
  makeIdentity,
  readInvite,
  TestConnection,
} from '../../support/location-client.ts';
import { startServer, temporaryFolder } from '../../support/location-server.ts';
import { testTcp } from '../../support/tcp-ports.ts';

/** Timers of the real clock, a wall that a test sets. */
function clockAt(wallMs: number): Clock & { setWall(wallMs: number): void } {
  return new (class extends ManualClock {
    override monotonicMs(): number {
      return performance.now();
    }
    override wallMs(): number {
      return this.#wall;
    }
    override setWall(ms: number): void {
      this.#wall = ms;
    }
    #wall = wallMs;
  })();
}

t.test('V1, V3: an invite lets a box in, and the server assigns its addresses', async t => {
  const { port, invite, server } = await startServer(t, { networkName: 'our homes' });
  const text = await invite();
  const { connection, welcome } = await join(text, port);
  t.equal(welcome.assignment.ip4, '10.77.0.1');
  t.equal(welcome.prefix4, '10.77.0.0/16');
  t.match(welcome.assignment.ip6, /^fd/);
  t.equal(welcome.networkName, 'our homes');
  t.ok(verifyAssignment(primitives, readInvite(text).serverIdentity, welcome.assignment).ok);
  t.match(server.summary(), {
    state: 'up',
    port,
    nodes: [{ ip4: '10.77.0.1', online: true, name: connection.identity.name }],
  });
  connection.close();
});

t.test(
  'V4: a known box rejoins without an invite and keeps its address, also through a restart of the server',
  async t => {
    const first = await startServer(t);
    const text = await first.invite();
    const identity = makeIdentity();
    const { welcome, connection } = await join(text, first.port, identity);
    connection.terminate();
    await first.server.down();
    t.equal(first.server.summary().state, 'down');
    const second = await startServer(t, {}, { stateDir: first.stateDir });
    const again = await TestConnection.open({ invite: readInvite(text), port: second.port, identity });
    const welcomed = expectWelcome(await again.login());
    t.same(welcomed.assignment, welcome.assignment);
    t.equal(welcomed.generation, 1);
    const other = await join(await second.invite(), second.port);
    t.not(other.welcome.assignment.ip4, welcome.assignment.ip4);
  },
);

t.test('invites: used, expired, unknown, missing; each is told and nothing is registered', async t => {
  const clock = clockAt(Date.UTC(2026, 5, 1));
  const { port, invite, server } = await startServer(t, {}, { clock });
  const used = await invite();
  await join(used, port);
  const short = await invite(1000);
  const unknown = { ...readInvite(used), token: new Uint8Array(16) };
  clock.setWall(Date.UTC(2026, 5, 1) + 5000);
  const attempt = async (read: ReturnType<typeof readInvite>, withToken: boolean): Promise<unknown> => {
    const connection = await TestConnection.open({ invite: read, port, identity: makeIdentity() });
    const answer = await connection.login(withToken ? { token: read.token } : {});
    t.equal(await connection.closed, CHANNEL_CLOSE.refused);
    return answer;
  };
  t.match(await attempt(readInvite(used), true), {
    type: 'failure',
    code: 'INVITE_USED',
    message: /ginnel invite/,
    facts: { boxes: 'one box' },
  });
  t.match(await attempt(readInvite(short), true), { code: 'INVITE_EXPIRED' });
  t.match(await attempt(unknown, true), { code: 'INVITE_UNKNOWN' });
  t.match(await attempt(unknown, false), { code: 'INVITE_NEEDED' });
  t.equal(server.summary().nodes.length, 1);
});

t.test('one invite at the same instant by two boxes lets in one', async t => {
  const { port, invite, server } = await startServer(t);
  for (let round = 0; round < 5; round++) {
    const read = readInvite(await invite());
    const connections = await Promise.all(
      [1, 2, 3].map(() => TestConnection.open({ invite: read, port, identity: makeIdentity() })),
    );
    const answers = await Promise.all(connections.map(connection => connection.login({ token: read.token })));
    t.same(answers.map(answer => (answer.type === 'failure' ? answer.code : answer.type)).sort(), [
      'INVITE_USED',
      'INVITE_USED',
      'welcome',
    ]);
  }
  const addresses = server.summary().nodes.map(({ ip4 }) => ip4);
  t.equal(new Set(addresses).size, 5);
});

t.test(
  'a clock in 1970: invites work, expire by no wrong clock, and count from when it is right',
  async t => {
    const clock = clockAt(5000);
    const { port, invite } = await startServer(t, {}, { clock });
    const early = await invite(60_000);
    const later = await invite(60_000);
    clock.setWall(400 * 86_400_000);
    t.equal((await join(early, port)).welcome.assignment.ip4, '10.77.0.1');
    clock.setWall(Date.UTC(2026, 5, 1));
    t.equal((await join(later, port)).welcome.assignment.ip4, '10.77.0.2');
  },
);

t.test('V3: who a box is must be proved: another key, another signature, another channel', async t => {
  const { port, invite } = await startServer(t);
  const text = await invite();
  const read = readInvite(text);
  const identity = makeIdentity();
  await join(text, port, identity);
  const stolen = { ...makeIdentity(), id: identity.id, wireguardKey: identity.wireguardKey };
  const open = (as: typeof identity): Promise<TestConnection> =>
    TestConnection.open({ invite: read, port, identity: as });
  t.match(await (await open(stolen)).login(), { code: 'PROOF_WRONG' });
  const elsewhere = await open({ ...stolen, control: identity.control });
  t.match(await elsewhere.login(), { code: 'PROOF_WRONG' });
  t.match(await (await open(identity)).login({ proof: toBase64Url(new Uint8Array(64)) }), {
    code: 'PROOF_WRONG',
  });
  t.match(await (await open({ ...identity, wireguardKey: makeIdentity().wireguardKey })).login(), {
    code: 'KEY_CHANGED',
  });
  t.match(await (await open({ ...identity, control: makeIdentity().control })).login(), {
    code: 'KEY_CHANGED',
  });
  t.match(await (await open(identity)).login({ network: toBase64Url(new Uint8Array(16)) }), {
    code: 'NETWORK_UNKNOWN',
  });
});

t.test('a clash of the pool with a local network is told, and the invite stays good', async t => {
  const { port, invite } = await startServer(t, { pool4: '10.99.0.0/16' });
  const read = readInvite(await invite());
  const identity = makeIdentity();
  const first = await TestConnection.open({ invite: read, port, identity });
  t.match(await first.login({ token: read.token, localNetworks: ['192.168.1.0/24', '10.99.4.0/24'] }), {
    code: 'POOL_CLASH',
    message: /10\.99\.4\.0\/24/,
  });
  const second = await TestConnection.open({ invite: read, port, identity });
  t.match(await second.login({ token: read.token, localNetworks: ['192.168.1.0/24'] }), { type: 'welcome' });
});

t.test('a name is borne by one box', async t => {
  const { port, invite } = await startServer(t);
  await join(await invite(), port, makeIdentity('attic'));
  const read = readInvite(await invite());
  const connection = await TestConnection.open({ invite: read, port, identity: makeIdentity('Attic') });
  t.match(await connection.login({ token: read.token }), { code: 'NAME_TAKEN' });
});

t.test('the pool: fixed once set up, refused when it is none, used up', async t => {
  const first = await startServer(t, { pool4: '10.5.0.0/29' });
  for (const ip4 of ['10.5.0.1', '10.5.0.2', '10.5.0.3', '10.5.0.4', '10.5.0.5']) {
    t.equal((await join(await first.invite(), first.port)).welcome.assignment.ip4, ip4);
  }
  const read = readInvite(await first.invite());
  const last = await TestConnection.open({ invite: read, port: first.port, identity: makeIdentity() });
  t.match(await last.login({ token: read.token }), { code: 'POOL_EXHAUSTED' });
  await first.server.down();
  await t.rejects(startServer(t, { pool4: '10.6.0.0/16' }, { stateDir: first.stateDir }), {
    code: 'POOL_FIXED',
  });
  for (const pool4 of ['10.5.0.0/30', '10.5.0.1/16', 'fd00::/64', 'x']) {
    await t.rejects(startServer(t, { pool4 }), { code: 'POOL_INVALID' }, pool4);
  }
  await t.rejects(startServer(t, { listen: ['home'] }), { code: 'SETTING_INVALID' });
  await t.rejects(startServer(t, { advertise: ['a b'] }), { code: 'SETTING_INVALID' });
});

t.test('records: signed by the box, in step with its assignment, growing', async t => {
  const { port, invite } = await startServer(t);
  const { connection, welcome } = await join(await invite(), port);
  const publish = (record: ReturnType<TestConnection['record']>): Promise<unknown> =>
    connection.ask({ type: 'publish', record });
  const second = connection.record(welcome, { generation: 5, prefixes: ['192.168.1.0/24'] });
  t.match(await publish(second), { type: 'done' });
  t.match(await publish(second), { type: 'done' }, 'the very same again');
  t.match(await publish(connection.record(welcome, { generation: 5 })), { code: 'RECORD_OLD' });
  t.match(await publish(connection.record(welcome, { generation: 4 })), { code: 'RECORD_OLD' });
  t.match(await publish({ ...second, generation: 6 }), { code: 'RECORD_WRONG' });
  t.match(await publish(connection.record(welcome, { generation: 6, ip4: '10.77.0.9' })), {
    code: 'RECORD_WRONG',
  });
  t.match(
    await publish(connection.record(welcome, { generation: 6, wireguardKey: makeIdentity().wireguardKey })),
    { code: 'RECORD_WRONG' },
  );
  t.match(await publish(connection.record(welcome, { generation: 6, prefixes: ['10.0.0.0/8'] })), {
    code: 'PREFIX_CLASH',
  });
});

t.test('the keys lie in a file of mode 0600, and are never made anew', async t => {
  const { server, stateDir, invite } = await startServer(t);
  const path = joinPath(stateDir, 'server-keys.json');
  t.equal(statSync(path).mode & 0o777, 0o600);
  const token = toBase64Url(readInvite(await invite()).token);
  await server.down();
  for (const name of readdirSync(joinPath(stateDir, 'registry'))) {
    t.notOk(
      readFileSync(joinPath(stateDir, 'registry', name)).includes(token),
      `${name} does not hold the token`,
    );
  }
  const text = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    text.replace(/(?<=control\W+)\w/, letter => (letter === 'A' ? 'B' : 'A')),
  );
  await t.rejects(
    startServer(t, {}, { stateDir }),
    { code: 'SERVER_KEYS_MISSING' },
    'a changed key is noticed',
  );
  writeFileSync(path, (JSON.parse(text) as { body: string }).body);
  const again = await startServer(t, {}, { stateDir });
  t.match(readFileSync(path, 'utf8'), 'sha256', 'the form of the first days gets its checksum');
  await again.server.down();
  rmSync(path);
  await t.rejects(startServer(t, {}, { stateDir }), { code: 'SERVER_KEYS_MISSING' });
});

t.test(
  'damage and doubles: a lost CURRENT, a second server on one folder, a port taken, no invite while down',
  async t => {
    const { server, stateDir, port } = await startServer(t);
    await t.rejects(startServer(t, {}, { stateDir }), { code: 'STORE_LOCKED' });
    await t.rejects(startServer(t, { port }), { code: 'SERVER_PORT_TAKEN' });
    await server.down();
    await t.rejects(server.invite({}), { code: 'SERVER_DOWN' });
    rmSync(joinPath(stateDir, 'registry', 'CURRENT'));
    await t.rejects(startServer(t, {}, { stateDir }), { code: 'STORE_DAMAGED' });
  },
);

t.test('a full disk: nobody is registered, the box is told, and later it works', async t => {
  const stateDir = temporaryFolder(t);
  const before = await startServer(t, {}, { stateDir });
  const text = await before.invite();
  await before.server.down();
  const full = await startServer(t, {}, { stateDir, keepFreeBytes: Number.MAX_SAFE_INTEGER });
  const read = readInvite(text);
  const identity = makeIdentity();
  const refused = await TestConnection.open({ invite: read, port: full.port, identity });
  t.match(await refused.login({ token: read.token }), { code: 'DISK_FULL' });
  t.equal(full.server.summary().nodes.length, 0);
  await t.rejects(full.server.invite({}), { code: 'DISK_FULL' });
  await full.server.down();
  const after = await startServer(t, {}, { stateDir });
  t.equal((await join(text, after.port, identity)).welcome.assignment.ip4, '10.77.0.1');
});

t.test('settings that cannot be kept: the server is down, and its port is free', async t => {
  const stateDir = temporaryFolder(t);
  const { port, server } = await startServer(t, {}, { stateDir });
  await server.down();
  const [counters, log, clock] = [new Counters(), silentLog, systemClock];
  const full = createServer({
    ...{ stateDir, primitives, counters, log, clock, tcp: testTcp() },
    keepFreeBytes: Number.MAX_SAFE_INTEGER,
  });
  await t.rejects(full.up({ port }), { code: 'DISK_FULL' });
  t.equal(full.summary().state, 'down');
  const again = await startServer(t, { port }, { stateDir });
  t.equal(again.port, port);
});
