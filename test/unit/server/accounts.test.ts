// Accounts over the real protocol on loopback: name and password let boxes in; who guesses is slowed down, the owner is not.
import t from 'tap';
import { ManualClock, systemClock } from '../../../base/clock.ts';
import type { ServerMessage } from '../../../protocol/location/messages.ts';
import { FailureCounts } from '../../../base/failure-counts.ts';
import { delayFor, PasswordChecks } from '../../../server/password-checks.ts';
import { primitives } from '../../../system/crypto.ts';
import { makeIdentity, readInvite, TestConnection } from '../../support/location-client.ts';
import type { TestIdentity } from '../../support/location-client.ts';
import { startServer } from '../../support/location-server.ts';
import type { TestServer } from '../../support/location-server.ts';

const RIGHT = 'correct horse battery';
const codeOf = (answer: ServerMessage): string => (answer.type === 'failure' ? answer.code : answer.type);

interface Knock {
  readonly account?: string;
  readonly password?: string;
  readonly identity?: TestIdentity;
  readonly from?: string;
}

async function connect({ server, port }: TestServer, { identity, from }: Knock): Promise<TestConnection> {
  const invite = readInvite(server.summary().networkAddress);
  const base = { invite, port, identity: identity ?? makeIdentity() };
  return TestConnection.open(from === undefined ? base : { ...base, from });
}

const logIn = (
  connection: TestConnection,
  { account = 'anna', password = RIGHT }: Knock,
): Promise<ServerMessage> => connection.login({ credential: () => ({ kind: 'account', account, password }) });

const knock = async (home: TestServer, how: Knock): Promise<ServerMessage> =>
  logIn(await connect(home, how), how);

t.test('V3: account and password let a box in, and two at the same instant no more than allowed', async t => {
  const home = await startServer(t);
  await home.server.accounts.add({ name: 'Anna', password: RIGHT, boxes: 1 });
  const connections = await Promise.all([connect(home, {}), connect(home, {})]);
  const answers = await Promise.all(connections.map(connection => logIn(connection, { account: 'ANNA' })));
  t.same(answers.map(codeOf).sort(), ['ACCOUNT_FULL', 'welcome']);
  t.match(home.server.accounts.list(), [{ name: 'Anna', boxes: 1, used: [/^node-/] }]);
  t.equal(home.server.summary().nodes.length, 1);
});

t.test('V3: a wrong password and an unknown account get the same answer, after the same work', async t => {
  const home = await startServer(t);
  await home.server.accounts.add({ name: 'anna', password: RIGHT });
  const timed = async (how: Knock): Promise<[ServerMessage, number]> => {
    const connection = await connect(home, how);
    const before = performance.now();
    const answer = await logIn(connection, how);
    return [answer, performance.now() - before];
  };
  const wrong = await timed({ password: 'correct horse' });
  const unknown = await timed({ account: 'bert' });
  const same = ([answer]: [ServerMessage, number]): object => ({ ...answer, re: 0 });
  t.match(wrong[0], { code: 'ACCOUNT_REFUSED' });
  t.same(same(wrong), same(unknown), 'to the letter');
  const hashing = performance.now();
  await new PasswordChecks({ clock: systemClock, primitives }).make(RIGHT);
  const least = (performance.now() - hashing) / 4;
  t.ok(wrong[1] > least && unknown[1] > least, `both were hashed: ${wrong[1]} and ${unknown[1]} ms`);
  t.equal(home.server.summary().nodes.length, 0);
});

t.test('V3: a new password, or an account removed: the old one lets nobody in, boxes stay in', async t => {
  const home = await startServer(t);
  await home.server.accounts.add({ name: 'anna', password: RIGHT });
  const identity = makeIdentity('attic');
  t.equal(codeOf(await knock(home, { identity })), 'welcome');
  t.match(await home.server.accounts.setPassword('ANNA', 'another long one'), { used: ['attic'] });
  t.match(await knock(home, {}), { code: 'ACCOUNT_REFUSED' });
  t.equal(codeOf(await knock(home, { password: 'another long one' })), 'welcome');
  t.match(await home.server.accounts.remove('anna'), { used: ['attic', /^node-/] });
  t.match(await knock(home, { password: 'another long one' }), { code: 'ACCOUNT_REFUSED' });
  t.equal(codeOf(await knock(home, { identity })), 'welcome', 'known by its key');
  await t.rejects(home.server.accounts.remove('anna'), { code: 'ACCOUNT_UNKNOWN' });
});

t.test('V3: who guesses has to wait; the owner gets in from another address meanwhile', async t => {
  const home = await startServer(t);
  await home.server.accounts.add({ name: 'anna', password: RIGHT });
  const guesses = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7].map(each => knock(home, { password: `guess number ${each}` })),
  );
  t.same(guesses.map(codeOf).sort(), [
    ...Array<string>(5).fill('ACCOUNT_REFUSED'),
    ...Array<string>(2).fill('LOGIN_RATE_LIMITED'),
  ]);
  const right = await knock(home, {});
  t.match(right, { code: 'LOGIN_RATE_LIMITED', message: /Try again in [1-5]?\d seconds|in 60 seconds/ });
  t.equal(codeOf(await knock(home, { from: '127.0.0.2' })), 'welcome');
});

t.test(
  'an account needs a name that fits and a password that is not short; none of them is stored',
  async t => {
    const { server } = await startServer(t);
    const { accounts } = server;
    await t.rejects(accounts.add({ name: 'anna', password: 'too short' }), { code: 'PASSWORD_SHORT' });
    await t.rejects(accounts.add({ name: '-anna', password: RIGHT }), { code: 'ACCOUNT_NAME_WRONG' });
    await t.rejects(accounts.add({ name: 'anna', password: RIGHT, boxes: 0 }), { code: 'SERVER_OPTIONS' });
    const made = await accounts.add({ name: 'anna@example.org', password: RIGHT });
    t.notMatch(JSON.stringify([made, accounts.list(), server.summary()]), /correct|hash|salt/);
    await t.rejects(accounts.add({ name: 'ANNA@example.org', password: RIGHT }), { code: 'ACCOUNT_EXISTS' });
    await server.down();
    await t.rejects(accounts.add({ name: 'bert', password: RIGHT }), { code: 'SERVER_DOWN' });
    t.throws(() => accounts.list(), { code: 'SERVER_DOWN' });
  },
);

t.test('while a password is hashed, everything else goes on', async t => {
  const checks = new PasswordChecks({ clock: systemClock, primitives });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await Promise.all([checks.make(RIGHT), checks.make(RIGHT), checks.make(RIGHT)]);
  clearInterval(timer);
  t.ok(turns >= 5, `${turns} turns of the event loop meanwhile`);
});

t.test('V3: the delay of an account grows and has an end, and the right password waits as well', async t => {
  t.same([0, 2, 3, 4, 6, 7, 100].map(delayFor), [0, 0, 250, 500, 2000, 4000, 4000]);
  const clock = new ManualClock();
  const checks = new PasswordChecks({ clock, primitives });
  const known = await checks.make(RIGHT);
  for (const source of ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    t.equal(await checks.check(source, 'anna', known, 'wrong'), false);
  let isOver = false;
  const right = checks.check('10.0.0.4', 'anna', known, RIGHT).finally(() => (isOver = true));
  // As much work as it would take: by then it would have ended, did it not wait.
  await checks.check('10.0.0.5', 'bert', null, RIGHT);
  t.equal(isOver, false);
  clock.advance(250);
  t.equal(await right, true);
});

t.test('failures are counted within bounds', t => {
  const failures = new FailureCounts(new ManualClock(), 5);
  for (let source = 0; source < 25_000; source++) failures.change(`source ${source}`, 1);
  t.equal(failures.size, 10_000);
  t.equal(failures.of('source 24999'), 1);
  t.equal(failures.untilBelow('source 24999', 1), 60_000);
  failures.change('source 24999', -1);
  t.equal(failures.size, 9_999);
  t.end();
});
