// What the owner does to those in the network, over the real protocol: names, shutting out, removal, and an old back-up.
import { cpSync, rmSync } from 'node:fs';
import t from 'tap';
import type { Test } from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import type { ServerMessage, Standing } from '../../../protocol/location/messages.ts';
import { signStanding, verifyStanding } from '../../../protocol/location/signed.ts';
import { StandingList } from '../../../protocol/location/standings.ts';
import { primitives } from '../../../system/crypto.ts';
import {
  expectWelcome,
  join,
  makeIdentity,
  readInvite,
  TestConnection,
} from '../../support/location-client.ts';
import type { TestIdentity } from '../../support/location-client.ts';
import { startServer, temporaryFolder } from '../../support/location-server.ts';
import type { TestServer } from '../../support/location-server.ts';

type Joined = Awaited<ReturnType<typeof join>> & { readonly identity: TestIdentity; readonly invite: string };

async function joined(server: TestServer, name: string): Promise<Joined> {
  const identity = makeIdentity(name);
  const invite = await server.invite();
  return { ...(await join(invite, server.port, identity)), identity, invite };
}

/** Logs in once more, without anything new. */
async function again({ identity, invite }: Joined, port: number, token = false): Promise<ServerMessage> {
  const read = readInvite(invite);
  const connection = await TestConnection.open({ invite: read, port, identity });
  return connection.login(token ? { token: read.token } : {});
}

const codeOf = (message: ServerMessage): string => (message.type === 'failure' ? message.code : message.type);
const members = ({ server }: TestServer): TestServer['server']['members'] => server.members;

t.test('V3: a removed box is ended with a reason, everyone connected hears it, and it stays out', async t => {
  const server = await startServer(t);
  const [attic, cellar] = [await joined(server, 'attic'), await joined(server, 'cellar')];
  const node = await members(server).removeNode('Attic');
  t.match(node, { name: 'attic', ip4: attic.welcome.assignment.ip4, online: false });
  const { standing } = await cellar.connection.next('standing');
  t.match(standing, { state: 'removed', id: attic.identity.id });
  const { serverIdentity } = readInvite(attic.invite);
  t.ok(verifyStanding(primitives, serverIdentity, standing).ok);
  t.ok(standing.at > attic.welcome.assignment.issued);
  t.match(await attic.connection.next('failure'), { re: 0, code: 'NODE_REMOVED' });
  t.equal(await attic.connection.closed, 4003);
  t.equal(codeOf(await again(attic, server.port)), 'NODE_REMOVED');
  t.equal(codeOf(await again(attic, server.port, true)), 'INVITE_USED', 'an old invite does not help');
  const found = await cellar.connection.ask({ type: 'lookup', node: attic.identity.id });
  t.equal(codeOf(found), 'NODE_UNKNOWN');
  t.match(members(server).nodes(), { nodes: [{ name: 'cellar' }], removed: [{ name: 'attic' }] });
  await t.rejects(members(server).removeNode('attic'), { code: 'NODE_UNKNOWN' });
});

t.test('V3: let in anew it has a later assignment, another address, and the name is free', async t => {
  const clock = new ManualClock(Date.UTC(2026, 10, 1));
  const server = await startServer(t, {}, { clock });
  const attic = await joined(server, 'attic');
  await members(server).removeNode('attic');
  clock.setWall(Date.UTC(1970, 0, 1));
  const invite = await server.invite();
  const { welcome } = await join(invite, server.port, attic.identity);
  const list = members(server).nodes();
  t.same([list.nodes.length, list.removed.length], [1, 0]);
  t.not(welcome.assignment.ip4, attic.welcome.assignment.ip4, 'the old address rests');
  t.equal(welcome.assignment.issued > attic.welcome.assignment.issued + 1, true, 'whatever the clock says');
});

t.test('V3: the address of a removed box is given out only when there is no other', async t => {
  const server = await startServer(t, { pool4: '10.77.0.0/29' });
  const boxes = [];
  for (const name of ['a', 'b', 'c', 'd']) boxes.push(await joined(server, name));
  const before = boxes[1]!.welcome.assignment.ip4;
  await members(server).removeNode('b');
  t.not((await joined(server, 'e')).welcome.assignment.ip4, before);
  t.equal((await joined(server, 'f')).welcome.assignment.ip4, before);
  const refused = await join(await server.invite(), server.port).catch((error: unknown) => String(error));
  t.match(refused, /POOL_EXHAUSTED/);
});

t.test('V3: an invite from before its removal brings a box back only with approval', async t => {
  const server = await startServer(t);
  const { invite } = await server.server.invite({ uses: null });
  const attic = { ...(await join(invite, server.port, makeIdentity('attic'))), invite };
  const { identity } = attic.connection;
  await members(server).removeNode('attic');
  const read = readInvite(invite);
  const knock = async (): Promise<string> => {
    const connection = await TestConnection.open({ invite: read, port: server.port, identity });
    return codeOf(await connection.login({ token: read.token }));
  };
  t.equal(await knock(), 'PENDING_APPROVAL');
  t.match(members(server).nodes().nodes, [{ name: 'attic', standing: 'pending' }]);
  await members(server).approveNode('attic');
  t.equal(await knock(), 'welcome');
});

t.test('V3: by the invite or account of a removed box another one waits for approval', async t => {
  const server = await startServer(t);
  await server.server.accounts.add({ name: 'ann', password: 'a long enough one' });
  const { invite } = await server.server.invite({ uses: null });
  const read = readInvite(invite);
  const byAccount = async (name: string): Promise<string> => {
    const identity = makeIdentity(name);
    const connection = await TestConnection.open({ invite: read, port: server.port, identity });
    const credential = { kind: 'account', account: 'Ann', password: 'a long enough one' } as const;
    return codeOf(await connection.login({ credential: () => credential }));
  };
  const byInvite = async (name: string): Promise<string> => {
    const identity = makeIdentity(name);
    const connection = await TestConnection.open({ invite: read, port: server.port, identity });
    return codeOf(await connection.login({ token: read.token }));
  };
  t.same([await byAccount('attic'), await byInvite('cellar')], ['welcome', 'welcome']);
  t.same([await byAccount('loft'), await byInvite('shed')], ['welcome', 'welcome']);
  t.match((await members(server).removeNode('attic')).cameBy, { by: 'account', id: 'ann' }, 'is told');
  t.same([await byAccount('barn'), await byInvite('roof')], ['PENDING_APPROVAL', 'welcome']);
  t.match((await members(server).removeNode('cellar')).cameBy, { by: 'invite', id: /./ });
  t.same([await byAccount('mill'), await byInvite('yard')], ['PENDING_APPROVAL', 'PENDING_APPROVAL']);
});

t.test('V3: a refused log-in is in the audit log, with where it came from', async t => {
  const server = await startServer(t);
  const attic = await joined(server, 'attic');
  await members(server).removeNode('attic');
  await again(attic, server.port, true);
  await server.invite(); // behind it
  t.match(members(server).audit(null, 2).entries[0], {
    ...{ what: 'login-refused', subject: 'attic', facts: { code: 'INVITE_USED', from: '127.0.0.1' } },
  });
});

t.test('V3: a disabled box is refused and waits; enabled, it is let in on that very connection', async t => {
  const server = await startServer(t);
  const [attic, cellar] = [await joined(server, 'attic'), await joined(server, 'cellar')];
  t.match(await members(server).disableNode('attic'), { standing: 'disabled' });
  t.match(await attic.connection.next('failure'), { re: 0, code: 'NODE_DISABLED' });
  t.match((await cellar.connection.next('standing')).standing, { state: 'disabled' });
  const found = await cellar.connection.ask({ type: 'lookup', node: attic.identity.id });
  t.equal(codeOf(found), 'NODE_UNKNOWN');

  const read = readInvite(attic.invite);
  const waiting = await TestConnection.open({ invite: read, port: server.port, identity: attic.identity });
  t.equal(codeOf(await waiting.login()), 'NODE_DISABLED');
  await members(server).disableNode('attic');
  t.same(cellar.connection.cameOf('standing'), [], 'what it is already is not told again');
  t.match(await members(server).enableNode('attic'), { standing: 'member' });
  t.equal(await waiting.closed, 4007);
  t.match((await cellar.connection.next('standing')).standing, { state: 'member' });
  expectWelcome(await again(attic, server.port));
  t.match(await cellar.connection.ask({ type: 'lookup', node: attic.identity.id }), { type: 'route' });
});

t.test('V3: a new name is shown at once, told to the box, and taken on with its next record', async t => {
  const server = await startServer(t);
  const [attic, cellar] = [await joined(server, 'attic'), await joined(server, 'cellar')];
  await t.rejects(members(server).renameNode('attic', 'no name'), { code: 'NODE_NAME' });
  await t.rejects(members(server).renameNode('attic', 'CELLAR'), { code: 'NAME_TAKEN' });
  t.match(await members(server).renameNode('attic', 'loft'), { name: 'loft' });
  t.match(await attic.connection.next('renamed'), { name: 'loft' });
  t.match(await cellar.connection.ask({ type: 'lookup', name: 'loft' }), {
    node: { record: { name: 'attic' } },
  });
  await t.rejects(
    members(server).renameNode('cellar', 'attic'),
    { code: 'NAME_TAKEN' },
    'until it is taken on',
  );

  const welcome = expectWelcome(await again(attic, server.port));
  t.equal(welcome.name, 'loft', 'a box that was offline hears it at its log-in');
  const read = readInvite(attic.invite);
  const connection = await TestConnection.open({ invite: read, port: server.port, identity: attic.identity });
  const now = expectWelcome(await connection.login());
  const record = connection.record(now, { name: 'loft' });
  t.equal(codeOf(await connection.ask({ type: 'publish', record })), 'done');
  t.equal(expectWelcome(await again(attic, server.port)).name, null);
  t.match(await members(server).renameNode('cellar', 'attic'), { name: 'attic' }, 'the old name is free');
});

t.test('V3: after a restart all stands as it stood', async t => {
  const server = await startServer(t);
  const boxes = [await joined(server, 'a'), await joined(server, 'b'), await joined(server, 'c')];
  await members(server).removeNode('a');
  await members(server).disableNode('b');
  await members(server).renameNode('c', 'd');
  const before = members(server).nodes();
  await server.server.down();
  await server.server.up({});
  const after = members(server).nodes();
  t.same(after.removed, before.removed);
  t.same(after.nodes.map(({ name, standing }) => [name, standing]).sort(), [
    ['b', 'disabled'],
    ['d', 'member'],
  ]);
  const port = server.server.summary().port;
  t.equal(codeOf(await again(boxes[0]!, port)), 'NODE_REMOVED');
  t.equal(codeOf(await again(boxes[1]!, port)), 'NODE_DISABLED');
});

/** The server's folder as it was before `work`, put back after it. */
async function fromBackUp(t: Test, server: TestServer, work: () => Promise<void>): Promise<number> {
  const backUp = temporaryFolder(t);
  await server.server.down();
  cpSync(server.stateDir, backUp, { recursive: true });
  await server.server.up({});
  await work();
  await server.server.down();
  rmSync(server.stateDir, { recursive: true });
  cpSync(backUp, server.stateDir, { recursive: true });
  return (await server.server.up({})).port;
}

t.test(
  'V3: a server restored from an old back-up learns a removal again from a node that knows it',
  async t => {
    const server = await startServer(t);
    const [attic, cellar] = [await joined(server, 'attic'), await joined(server, 'cellar')];
    let kept: readonly Standing[] = [];
    const port = await fromBackUp(t, server, async () => {
      await members(server).removeNode('attic');
      const now = server.server.summary().port;
      const read = readInvite(cellar.invite);
      const connection = await TestConnection.open({ invite: read, port: now, identity: cellar.identity });
      expectWelcome(await connection.login());
      const digest = 'A'.repeat(64);
      const answer = await connection.ask({ type: 'standings', digest, skip: 0 });
      if (answer.type === 'standings') kept = answer.standings;
    });
    t.equal(kept.length, 1);
    t.equal(members(server).nodes().nodes.length, 2, 'the removed one is back');
    const [lost] = kept as readonly [Standing];

    const read = readInvite(cellar.invite);
    const removed = await TestConnection.open({ invite: read, port, identity: attic.identity });
    expectWelcome(await removed.login());
    const other = await joined({ ...server, port }, 'other');
    const connection = await TestConnection.open({ invite: read, port, identity: cellar.identity });
    const welcome = expectWelcome(await connection.login());
    const list = new StandingList(primitives);
    list.take(lost);
    t.not(welcome.standings, list.digest(), 'the digest shows that it lost something');
    const forged = signStanding(primitives, primitives.randomBytes(32), {
      ...{ v: 1, network: lost.network, id: other.identity.id },
      ...{ state: 'removed', at: lost.at + 1000 },
    });
    t.equal(codeOf(await connection.ask({ type: 'bring', standings: [forged, lost] })), 'done');
    t.match(await removed.next('failure'), { code: 'NODE_REMOVED' });
    t.match((await other.connection.next('standing')).standing, lost);
    t.match(members(server).nodes(), {
      nodes: [{ name: 'cellar' }, { name: 'other' }],
      removed: [{ name: 'attic' }],
    });
    t.equal(codeOf(await again(attic, port)), 'NODE_REMOVED');
    const told = members(server).audit(null, 10).entries;
    t.match(told.at(-1), { what: 'standing-learnt', by: 'cellar', subject: 'attic' });
    t.equal(
      server.counters.snapshot()['standings.unbelieved'],
      1,
      'what is not its own word is not believed',
    );

    const anew = await join(await server.invite(), port, attic.identity);
    t.ok(anew.welcome.assignment.issued > lost.at, 'let in anew after that word, too');
    connection.sendText(JSON.stringify({ type: 'bring', id: 99, standings: [lost] }));
    await connection.ask({ type: 'ping' });
    t.equal(members(server).nodes().nodes.length, 3, 'an old word does not put out who came back');
  },
);

/** What a server that was asked anew says to one that knows nothing. */
async function wordsFor({ identity, invite }: Joined, port: number): Promise<readonly Standing[]> {
  const connection = await TestConnection.open({ invite: readInvite(invite), port, identity });
  expectWelcome(await connection.login());
  const answer = await connection.ask({ type: 'standings', digest: 'A'.repeat(64), skip: 0 });
  return answer.type === 'standings' ? answer.standings : [];
}

t.test(
  'V3: a removed box that a restored server let in anew is disabled once the lost removal is brought',
  async t => {
    const server = await startServer(t);
    const cellar = await joined(server, 'cellar');
    const { invite } = await server.server.invite({ uses: null });
    const identity = makeIdentity('attic');
    let lost: readonly Standing[] = [];
    const port = await fromBackUp(t, server, async () => {
      const now = server.server.summary().port;
      await join(invite, now, identity);
      await members(server).removeNode('attic');
      lost = await wordsFor(cellar, now);
    });
    t.match(lost, [{ state: 'removed' }]);
    const back = await join(invite, port, identity);
    t.ok(back.welcome.assignment.issued > lost[0]!.at, 'it came back before anybody told of its removal');
    const read = readInvite(cellar.invite);
    const connection = await TestConnection.open({ invite: read, port, identity: cellar.identity });
    expectWelcome(await connection.login());
    t.equal(codeOf(await connection.ask({ type: 'bring', standings: lost })), 'done');
    const { standing } = await connection.next('standing');
    t.match(standing, { state: 'disabled', id: identity.id }, 'a new word, which all others go by');
    t.ok(standing.at > back.welcome.assignment.issued);
    t.match(await back.connection.next('failure'), { code: 'NODE_DISABLED' });
    t.match(members(server).nodes(), {
      nodes: [{ name: 'cellar' }, { name: 'attic', standing: 'disabled' }],
    });
    const told = members(server).audit(null, 2).entries;
    t.match(told, [
      { what: 'standing-learnt', by: 'cellar', subject: 'attic', facts: { state: 'removed' } },
      { what: 'removal-doubted', by: 'cellar', subject: 'attic' },
    ]);
    t.same(await wordsFor(cellar, port), [standing], 'and it is kept');
    await members(server).enableNode('attic');
    t.equal(codeOf(await again({ ...back, identity, invite }, port)), 'welcome', 'the owner decides');
  },
);

t.test(
  'V3: a disabled box that a restored server does not know comes back by an invite and an approval',
  async t => {
    const server = await startServer(t);
    const cellar = await joined(server, 'cellar');
    const identity = makeIdentity('attic');
    let lost: readonly Standing[] = [];
    const port = await fromBackUp(t, server, async () => {
      const now = server.server.summary().port;
      await join(await server.invite(), now, identity);
      await members(server).disableNode('attic');
      lost = await wordsFor(cellar, now);
    });
    const read = readInvite(cellar.invite);
    const connection = await TestConnection.open({ invite: read, port, identity: cellar.identity });
    expectWelcome(await connection.login());
    await connection.ask({ type: 'bring', standings: lost });
    const attic = { ...cellar, identity, invite: await server.invite() };
    t.equal(codeOf(await again(attic, port)), 'INVITE_NEEDED', 'what it lacks is told');
    t.equal(codeOf(await again(attic, port, true)), 'PENDING_APPROVAL');
    t.match(await members(server).enableNode('attic'), { standing: 'pending' }, 'approval is asked for');
    await connection.next('standing');
    t.match(await members(server).approveNode('attic'), { standing: 'member' });
    const { standing } = await connection.next('standing');
    t.match(standing, { state: 'member', id: identity.id }, 'everybody hears that it is in again');
    t.ok(standing.at > lost[0]!.at);
    t.equal(codeOf(await again(attic, port)), 'welcome');
    t.same(await wordsFor(cellar, port), [standing]);
  },
);

t.test('V3: an older word is never taken over a newer one, and times go on growing after it', async t => {
  const clock = new ManualClock(Date.UTC(2026, 10, 1));
  const server = await startServer(t, {}, { clock });
  const [attic, cellar] = [await joined(server, 'attic'), await joined(server, 'cellar')];
  const words: Standing[] = [];
  for (const act of ['disableNode', 'enableNode', 'disableNode'] as const) {
    await members(server)[act]('attic');
    words.push((await cellar.connection.next('standing')).standing);
  }
  const times = words.map(({ at }) => at);
  t.same(
    times,
    [...times].sort((a, b) => a - b),
  );
  t.equal(new Set(times).size, 3, 'though the clock stands still');
  await cellar.connection.ask({ type: 'bring', standings: [words[1]!] });
  t.match(members(server).nodes().nodes[0], { standing: 'disabled' });
  t.equal(codeOf(await again(attic, server.port)), 'NODE_DISABLED');
});

t.test('V3: what was done is in the audit log, by name and without secrets', async t => {
  const server = await startServer(t);
  await joined(server, 'attic');
  await members(server).renameNode('attic', 'loft');
  await members(server).disableNode('loft');
  await members(server).enableNode('loft');
  await members(server).removeNode('loft');
  await members(server).setRule({ prefix: '198.18.0.0/15', scope: 'public' });
  const { entries } = members(server).audit(null, 100);
  const words = entries.map(entry => entry.words);
  t.match(words.slice(-5), [
    'attic was given the name loft',
    'loft was disabled',
    'loft was enabled again',
    'loft was removed',
    'the rule for 198.18.0.0/15 was set to public',
  ]);
  t.same(members(server).audit(entries.at(-2)!.seq, 10).entries, entries.slice(-1));
  t.notMatch(JSON.stringify(entries), /ginnel:|token|secret/);
});

t.test('V3: while the server is down, nobody pretends', async t => {
  const server = await startServer(t);
  await server.server.down();
  t.throws(() => members(server).nodes(), { code: 'SERVER_DOWN' });
  await t.rejects(members(server).removeNode('attic'), { code: 'SERVER_DOWN' });
});
