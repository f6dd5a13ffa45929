// The owner's password: the first visit, guessing, and what becomes of a session. Each attack was seen to succeed with its
// guard taken out.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { hashPassword } from '../../../system/passwords.ts';
import { pageBench, PASSWORD, quickHash, type Answered, type PageBench } from '../../support/page-bench.ts';

t.setTimeout(300_000);
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in use. */
function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const OTHER = 'battery staple horse';

const signIn = (
  { ask }: PageBench,
  password: string,
  from = '127.0.0.1',
  cookie?: string,
): Promise<Answered> =>
  ask('POST', '/v1/page/sign-in', { body: { password }, from, ...(cookie === undefined ? {} : { cookie }) });

/** All over one connection, one behind the other; answers how often which code came. */
async function guesses({ connected, host }: PageBench, count: number): Promise<Map<string, number>> {
  const socket = await connected('127.0.0.66');
  const asked = (n: number): string => {
    const body = JSON.stringify({ password: `wrong ${n}` });
    const last = n === count - 1 ? 'Connection: close\r\n' : '';
    return `POST /v1/page/sign-in HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\n${last}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
  const codes = new Map<string, number>();
  let rest = '';
  socket.setEncoding('latin1');
  socket.on('data', part => {
    const lines = (rest + String(part)).split('"code":"');
    // What is not whole yet comes again with the next part.
    rest = lines.pop() ?? '';
    for (const line of lines.slice(1)) countCode(codes, line);
    rest = lines.length === 0 ? rest : `"code":"${rest}`;
  });
  socket.write(Array.from({ length: count }, (_, n) => asked(n)).join(''));
  await new Promise(resolve => socket.once('close', resolve));
  countCode(codes, rest.slice('"code":"'.length));
  return codes;
}

function countCode(codes: Map<string, number>, line: string): void {
  const code = /^[A-Z_]+/.exec(line)?.[0] ?? '';
  codes.set(code, (codes.get(code) ?? 0) + 1);
}

const tokenIn = (cookie: string): string => cookie.split('=')[1] ?? '';

const isIn = async ({ ask }: PageBench, cookie: string): Promise<boolean> =>
  (await ask('GET', '/v1/health', { cookie })).status === 200;

t.test('the first visit from the home sets the password, once; no password is too short', async t => {
  // Long enough for two visitors to come at once.
  const slowHash: typeof quickHash = async (password, salt, cost) => {
    await new Promise(resolve => setTimeout(resolve, 200));
    return quickHash(password, salt, cost);
  };
  const bench = await pageBench(t, { hashPassword: slowHash });
  const { ask } = bench;
  t.match((await ask('GET', '/v1/page/session')).json, {
    owner: 'none',
    needsCode: false,
    signedIn: false,
    isNew: true,
  });
  t.match(await signIn(bench, PASSWORD), { status: 409, json: { code: 'PAGE_OWNER_NONE' } });
  const short = await ask('POST', '/v1/page/owner', { body: { password: '1234567' } });
  t.match(short, { status: 422, json: { code: 'PAGE_PASSWORD_SHORT' }, cookie: '' });
  const both = await Promise.all(
    [PASSWORD, OTHER].map(password => ask('POST', '/v1/page/owner', { body: { password } })),
  );
  t.same(both.map(({ status }) => status).sort(), [200, 409], 'of two at once one is first');
  const [cookie = ''] = both.map(answer => answer.cookie).filter(each => each !== '');
  t.ok(await isIn(bench, cookie));
  t.match((await ask('GET', '/v1/page/session', { cookie })).json, {
    ...{ owner: 'set', needsCode: false, signedIn: true, name: 'attic-nas', version: '1.2.3' },
  });
  t.match(await ask('POST', '/v1/page/owner', { body: { password: 'mine from now on' } }), {
    status: 409,
    json: { code: 'PAGE_OWNER_SET' },
  });
});

t.test('from elsewhere the first visit takes the code, which is not to be guessed', async t => {
  const bench = await pageBench(t, { isNear: address => address === '127.0.0.1' });
  const { ask, page } = bench;
  const elsewhere = { from: '127.0.0.2' };
  t.match((await ask('GET', '/v1/page/session', elsewhere)).json, { needsCode: true });
  t.match((await ask('GET', '/v1/page/session')).json, { needsCode: false });
  const set = (code?: string, from = '127.0.0.2'): Promise<Answered> =>
    ask('POST', '/v1/page/owner', {
      from,
      body: { password: PASSWORD, ...(code === undefined ? {} : { code }) },
    });
  const codes = [undefined, '', 'aaaaa-aaaaa', 'aaaaa-bbbbb', 'aaaaa-ccccc', 'aaaaa-ddddd', 'aaaaa-eeeee'];
  const answers = [];
  for (const code of codes) answers.push((await set(code)).json['code']);
  t.same(answers, [...Array<string>(5).fill('PAGE_CODE'), 'PAGE_TRIES', 'PAGE_TRIES']);
  t.match((await set(page.owner.code ?? '')).json, { code: 'PAGE_TRIES' }, 'whoever guesses waits');
  const typed = (page.owner.code ?? '').toUpperCase().replace('-', ' ');
  t.equal((await set(typed, '127.0.0.3')).status, 200, 'the owner, from another address, typed by hand');
});

t.test(
  'behind a proxy of this box everybody seems near: a name or a mark of one makes it elsewhere',
  async t => {
    const { ask, connected, host } = await pageBench(t);
    const needsCode = async (headers: Record<string, string>): Promise<unknown> =>
      (await ask('GET', '/v1/page/session', { headers })).json['needsCode'];
    t.equal(await needsCode({}), false);
    t.equal(await needsCode({ Host: 'localhost:7080' }), false);
    t.equal(await needsCode({ Host: 'attic.lan' }), true);
    for (const mark of ['X-Forwarded-For', 'X-Forwarded-Proto', 'Forwarded', 'Via', 'X-Real-IP'])
      t.equal(await needsCode({ [mark]: '203.0.113.9' }), true, mark);
    // As nginx asks where nobody told it otherwise: by the page's own address, without a mark.
    const socket = await connected();
    socket.end(`GET /v1/page/session HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
    let answer = '';
    for await (const part of socket) answer += String(part);
    t.match(answer, /"needsCode":true/);
  },
);

t.test(
  '10,000 wrong passwords: few are computed, one at a time, and the owner gets in from elsewhere',
  async t => {
    const computed = { all: 0, now: 0, most: 0 };
    const counted: typeof quickHash = async (password, salt, cost) => {
      computed.all++;
      computed.most = Math.max(computed.most, ++computed.now);
      try {
        return await hashPassword(password, salt, { ...cost, N: 2 ** 10 });
      } finally {
        computed.now--;
      }
    };
    const bench = await pageBench(t, { hashPassword: counted, limits: { mostConnections: 1000 } });
    await bench.signedIn();
    await guesses(bench, 1_000);
    const before = heap();
    const codes = await guesses(bench, 10_000);
    t.same([...codes.keys()].sort(), ['PAGE_PASSWORD_WRONG', 'PAGE_TRIES']);
    t.equal(
      [...codes.values()].reduce((sum, count) => sum + count),
      10_000,
    );
    t.ok((codes.get('PAGE_PASSWORD_WRONG') ?? 0) <= 6, 'five, and one for each minute that passed');
    t.ok(computed.all <= 8, `${computed.all} were computed`);
    t.equal(computed.most, 1);
    t.ok(heap() - before < 8_000_000, `memory stays bounded: ${heap() - before} bytes more`);
    t.equal(
      (await signIn(bench, PASSWORD, '127.0.0.66')).status,
      429,
      'right, but from where it was guessed',
    );
    const refused = await signIn(bench, PASSWORD, '127.0.0.66');
    t.match(refused.json, { code: 'PAGE_TRIES', retry: true, details: { seconds: /^\d+$/ } });
    t.equal((await signIn(bench, PASSWORD, '127.0.0.2')).status, 200);
  },
);

t.test(
  'guessing from many addresses at once: one hash at a time, and the owner is not locked out',
  async t => {
    const computed = { now: 0, most: 0 };
    const counted: typeof quickHash = async (password, salt, cost) => {
      computed.most = Math.max(computed.most, ++computed.now);
      await new Promise(resolve => setImmediate(resolve));
      computed.now--;
      return quickHash(password, salt, cost);
    };
    const bench = await pageBench(t, { hashPassword: counted, limits: { mostConnections: 1000 } });
    await bench.signedIn();
    const guesses = Array.from({ length: 200 }, (_, n) => signIn(bench, `wrong ${n}`, `127.0.1.${n + 1}`));
    const outcomes = await Promise.all(guesses);
    t.ok(
      outcomes.some(({ json }) => json['code'] === 'PAGE_TRIES'),
      'what comes on top of the queue is refused',
    );
    t.equal(computed.most, 1);
    t.equal((await signIn(bench, PASSWORD, '127.0.2.1')).status, 200);
  },
);

t.test('a stolen cookie is worth nothing after signing out, nor after the password was changed', async t => {
  const bench = await pageBench(t);
  const { ask } = bench;
  const stolen = await bench.signedIn();
  t.equal(
    (await ask('POST', '/v1/page/sign-out', { cookie: stolen, body: {} })).cookie,
    `${bench.cookieName}=`,
  );
  t.notOk(await isIn(bench, stolen));
  const [mine, theirs] = [(await signIn(bench, PASSWORD)).cookie, (await signIn(bench, PASSWORD)).cookie];
  const wrong = await ask('POST', '/v1/page/password', {
    cookie: theirs,
    body: { old: 'no idea at all', new: OTHER },
  });
  t.match(wrong, { status: 403, json: { code: 'PAGE_PASSWORD_WRONG' } });
  const changed = await ask('POST', '/v1/page/password', {
    cookie: mine,
    body: { old: PASSWORD, new: OTHER },
  });
  t.equal(changed.status, 200);
  t.notOk(await isIn(bench, theirs), 'others are out');
  t.notOk(await isIn(bench, mine), 'so is a copy of the own one');
  t.ok(await isIn(bench, changed.cookie));
  t.equal((await signIn(bench, PASSWORD)).status, 403);
  t.equal((await signIn(bench, OTHER)).status, 200);
});

t.test('a session that somebody else ends is over, and each is ended by its id', async t => {
  const bench = await pageBench(t);
  const mine = await bench.signedIn();
  const lost = (await signIn(bench, PASSWORD, '127.0.0.5')).cookie;
  const { sessions } = (await bench.ask('GET', '/v1/page/sessions', { cookie: mine })).json as {
    sessions: { id: string; from: string; isThis: boolean }[];
  };
  t.match(sessions, [
    { from: '127.0.0.1', isThis: true },
    { from: '127.0.0.5', isThis: false },
  ]);
  t.notMatch(JSON.stringify(sessions), new RegExp(tokenIn(lost)), 'no token is told');
  const path = `/v1/page/sessions/${sessions[1]?.id ?? ''}/end`;
  t.equal((await bench.ask('POST', path, { cookie: mine, body: {} })).status, 200);
  t.notOk(await isIn(bench, lost));
  t.ok(await isIn(bench, mine));
  t.equal((await bench.ask('POST', path, { cookie: mine, body: {} })).status, 404);
});

t.test('session fixation: a token that a visitor brings is never the one that gets signed in', async t => {
  const bench = await pageBench(t);
  const planted = `${bench.cookieName}=${'A'.repeat(43)}`;
  const first = await bench.ask('POST', '/v1/page/owner', { body: { password: PASSWORD }, cookie: planted });
  t.not(first.cookie, planted);
  const second = await signIn(bench, PASSWORD, '127.0.0.1', `${planted}; ${first.cookie}`);
  t.not(second.cookie, first.cookie);
  t.notOk(await isIn(bench, planted));
  t.notOk(await isIn(bench, first.cookie), 'the session of before ended');
  t.ok(await isIn(bench, second.cookie));
  t.ok(await isIn(bench, `${planted}; ${second.cookie}`), 'a cookie planted beside it locks nobody out');
});

t.test(
  'the cookie is out of reach of scripts and other sites; the store has neither token nor password',
  async t => {
    const bench = await pageBench(t);
    const { headers, cookie } = await bench.ask('POST', '/v1/page/owner', { body: { password: PASSWORD } });
    t.match(headers['set-cookie'], [
      /^ginnel-[a-z]{8}=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800$/,
    ]);
    const kept = JSON.stringify(await bench.store.entries(''));
    t.match(kept, /"owner"/);
    t.notMatch(kept, new RegExp(tokenIn(cookie)));
    t.notMatch(kept, new RegExp(PASSWORD));
  },
);

t.test(
  'a password that is taken away: all sessions end, and the first visit comes again with a new code',
  async t => {
    const bench = await pageBench(t);
    const cookie = await bench.signedIn();
    t.equal(bench.page.owner.code, null);
    await bench.page.owner.reset();
    await bench.page.sessions.endAll(null);
    t.notOk(await isIn(bench, cookie));
    t.match(bench.page.owner.code, /^[a-z2-9]{5}-[a-z2-9]{5}$/);
    t.match((await bench.ask('GET', '/v1/page/session')).json, { owner: 'none' });
  },
);

t.test('an owner of a later version is not overwritten by whoever comes', async t => {
  const { store } = await pageBench(t);
  await store.put('owner', { v: 2, something: 'else' });
  const later = await pageBench(t, { store });
  t.match((await later.ask('GET', '/v1/page/session')).json, { owner: 'set' });
  t.equal((await later.ask('POST', '/v1/page/owner', { body: { password: PASSWORD } })).status, 409);
  t.equal((await signIn(later, PASSWORD)).status, 403);
});

t.test('what is known to be wrong waits longer and longer, with an end', async t => {
  const clock = new ManualClock();
  const bench = await pageBench(t, { clock });
  await bench.signedIn();
  for (let n = 0; n < 5; n++) await signIn(bench, 'wrong password', `127.0.3.${n + 1}`);
  let isDone = false;
  const waiting = signIn(bench, PASSWORD, '127.0.4.1').then(answer => {
    isDone = true;
    return answer;
  });
  await new Promise(resolve => setTimeout(resolve, 100));
  t.notOk(isDone, 'it waits');
  clock.advance(4_000);
  t.equal((await waiting).status, 200);
});
