// Invites over the real protocol on loopback: for several boxes, revoked, and such that ask for approval.
import t from 'tap';
import type { Test } from 'tap';
import { toBase64Url } from '../../../protocol/base64.ts';
import { CHANNEL_CLOSE } from '../../../protocol/location/channel.ts';
import type { ServerMessage } from '../../../protocol/location/messages.ts';
import type { InviteOptions } from '../../../server/admin.ts';
import {
  expectWelcome,
  join,
  makeIdentity,
  readInvite,
  TestConnection,
} from '../../support/location-client.ts';
import type { TestIdentity } from '../../support/location-client.ts';
import { startServer } from '../../support/location-server.ts';
import type { TestServer } from '../../support/location-server.ts';

const codeOf = (answer: ServerMessage): string => (answer.type === 'failure' ? answer.code : answer.type);

async function knock(
  { port }: TestServer,
  text: string,
  identity: TestIdentity = makeIdentity(),
): Promise<{ connection: TestConnection; answer: ServerMessage }> {
  const invite = readInvite(text);
  const connection = await TestConnection.open({ invite, port, identity });
  return { connection, answer: await connection.login({ token: invite.token }) };
}

async function served(t: Test, options: Partial<InviteOptions>): Promise<[TestServer, string, string]> {
  const home = await startServer(t);
  const { invite, id } = await home.server.invite(options);
  return [home, invite, id];
}

t.test('V3: an invite for two boxes lets in two, however many come at once', async t => {
  const [home, text, id] = await served(t, { uses: 2 });
  const tries = await Promise.all([1, 2, 3, 4, 5].map(() => knock(home, text)));
  t.same(tries.map(({ answer }) => codeOf(answer)).sort(), [
    ...['INVITE_USED', 'INVITE_USED', 'INVITE_USED'],
    ...['welcome', 'welcome'],
  ]);
  t.equal(home.server.summary().nodes.length, 2);
  t.match(home.server.invites(), [{ id, state: 'used', uses: 2, usesLeft: 0 }]);
  const refused = tries.find(({ answer }) => answer.type === 'failure');
  t.match(refused?.answer, { message: /lets in 2 boxes/ });
});

t.test('V3: an invite without a limit lets in many; a box that comes back uses none', async t => {
  const [home, text] = await served(t, { uses: null, note: 'everybody' });
  const identity = makeIdentity();
  for (const each of [identity, makeIdentity(), identity]) {
    const { answer, connection } = await knock(home, text, each);
    t.equal(codeOf(answer), 'welcome');
    connection.close();
  }
  t.match(home.server.invites(), [{ note: 'everybody', state: 'open', uses: null, usesLeft: null }]);
  t.equal(home.server.summary().nodes.length, 2);
});

t.test(
  'V3: a revoked invite lets nobody in any more, through a restart too; whom it let in stays',
  async t => {
    const [home, text, id] = await served(t, { uses: null });
    const before = makeIdentity();
    await join(text, home.port, before);
    t.match(await home.server.revokeInvite(id.toUpperCase()), { id, state: 'revoked' });
    await t.rejects(home.server.revokeInvite('00000000'), { code: 'INVITE_UNKNOWN' });
    t.match((await knock(home, text)).answer, { code: 'INVITE_REVOKED', message: /ginnel invite/ });
    await home.server.down();
    const again = await startServer(t, {}, { stateDir: home.stateDir });
    t.match((await knock(again, text)).answer, { code: 'INVITE_REVOKED' });
    t.equal(codeOf((await knock(again, text, before)).answer), 'welcome');
    t.match(again.server.invites(), [{ id, state: 'revoked' }]);
  },
);

t.test('the list of invites names them and holds nothing that lets anybody in', async t => {
  const [home, text, id] = await served(t, { note: 'cellar', validMs: 3_600_000 });
  const [shown] = home.server.invites();
  t.match(shown, { id, note: 'cellar', state: 'open', uses: 1, usesLeft: 1, approval: false });
  t.equal(shown!.expires - shown!.issued, 3_600_000);
  t.match(id, /^[0-9a-f]{8}$/);
  t.notOk(JSON.stringify(shown).includes(toBase64Url(readInvite(text).token)));
  for (const wrong of [{ uses: 0 }, { validMs: 1 }, { note: 'n'.repeat(101) }, { uses: 1.5 }])
    await t.rejects(home.server.invite(wrong), { code: 'SERVER_OPTIONS' });
});

t.test("the network's address: an invite without a token, which lets nobody in", async t => {
  const [home] = await served(t, {});
  const address = readInvite(home.server.summary().networkAddress);
  t.equal(address.token.length, 0);
  const connection = await TestConnection.open({
    ...{ invite: address, port: home.port, identity: makeIdentity() },
  });
  t.match(await connection.login(), { code: 'INVITE_NEEDED' });
});

t.test(
  'V3: a box that waits for approval is registered, and nothing else, until somebody approves',
  async t => {
    const [home, text] = await served(t, { approval: true });
    const { connection: member, welcome } = await join(await home.invite(), home.port);
    const identity = makeIdentity('cellar');
    const { connection, answer } = await knock(home, text, identity);
    t.match(answer, { type: 'failure', code: 'PENDING_APPROVAL', message: /ginnel nodes approve cellar/ });
    const pending = home.server.summary().nodes.find(({ name }) => name === 'cellar');
    t.match(pending, { standing: 'pending', online: false });
    for (const by of [{ address: pending!.ip4 }, { node: identity.id }, { name: 'cellar' }])
      t.match(await member.ask({ type: 'lookup', ...by }), { code: 'NODE_UNKNOWN' });
    t.match(await member.ask({ type: 'signal', to: identity.id, sealed: 'c2VhbGVk' }), {
      code: 'NODE_UNKNOWN',
    });

    t.match(await home.server.approveNode('CELLAR'), { standing: 'member' });
    t.equal(await connection.closed, CHANNEL_CLOSE.again, 'it is told at once');
    const back = await TestConnection.open({
      ...{ invite: readInvite(text), port: home.port, identity },
    });
    const inside = expectWelcome(await back.login());
    t.equal(inside.assignment.ip4, pending!.ip4);
    t.match(await back.ask({ type: 'publish', record: back.record(inside) }), { type: 'done' });
    t.match(await member.ask({ type: 'lookup', name: 'cellar' }), { type: 'route', online: true });
    t.not(inside.assignment.ip4, welcome.assignment.ip4);
    await t.rejects(home.server.approveNode('nobody'), { code: 'NODE_UNKNOWN' });
  },
);

t.test(
  'V3: a pending box that asks for anything is refused and cut off; it still waits after a restart',
  async t => {
    const [home, text] = await served(t, { approval: true });
    const identity = makeIdentity();
    const { connection } = await knock(home, text, identity);
    connection.sendText(JSON.stringify({ type: 'lookup', id: 9, name: 'cellar' }));
    t.match(await connection.next('failure'), { code: 'LOGIN_FIRST' });
    t.equal(await connection.closed, CHANNEL_CLOSE.refused);
    await home.server.down();
    const again = await startServer(t, {}, { stateDir: home.stateDir });
    t.match((await knock(again, text, identity)).answer, { code: 'PENDING_APPROVAL' });
    t.match((await knock(again, text)).answer, { code: 'INVITE_USED' });
  },
);
