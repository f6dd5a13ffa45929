// Every route of the page without a session, with a dead one, and with a good one; and that docs/openapi.yaml has them all.
import t from 'tap';
import { PAGE_SAMPLES, SAMPLES, samplePath } from '../../support/api-samples.ts';
import { pageRoutes, problemsOf, problemsOfAnswer } from '../../support/openapi.ts';
import { pageBench, PASSWORD } from '../../support/page-bench.ts';

const OPEN = ['GET /v1/page/session', 'POST /v1/page/owner', 'POST /v1/page/sign-in'];

t.test('the page has the routes that docs/openapi.yaml says, and three of them are open', async t => {
  const { page } = await pageBench(t);
  t.same([...page.routes].sort(), [...pageRoutes].sort());
  t.same([...page.openRoutes].sort(), [...OPEN].sort());
  t.notOk(
    page.routes.some(route => route.includes('/v1/owner')),
    'whoever is signed in cannot take the password away',
  );
});

t.test('no route but those three answers without a session, however it is spelt or asked', async t => {
  const { page, ask, signedIn, node, cookieName } = await pageBench(t);
  await signedIn();
  const closed = page.routes.filter(route => !OPEN.includes(route));
  t.ok(closed.length > 50, 'all routes are walked');
  for (const route of closed) {
    const [method = '', path = ''] = route.split(' ');
    const plain = samplePath(path);
    const body = method === 'GET' ? undefined : '{}';
    const spellings = [plain, plain.toUpperCase(), plain.replace('/v1', '/V1'), `${plain}/`, `${plain}?a=b`];
    for (const each of spellings)
      t.equal((await ask(method, each, { body })).status, 401, `${method} ${each}`);
    if (method === 'GET') t.equal((await ask('HEAD', plain)).status, 401, `HEAD ${plain}`);
    const dead = `${cookieName}=${'A'.repeat(43)}; ${cookieName}=; ${cookieName}=undefined`;
    t.equal((await ask(method, plain, { body, cookie: dead })).status, 401, `${route} with a dead cookie`);
  }
  for (const [method, path] of [
    ['POST', '/v1'],
    ['GET', '/v1/'],
    ['DELETE', '/v1/health'],
    ['PUT', '/'],
    ['OPTIONS', '/v1/health'],
  ] as const)
    t.equal((await ask(method, path)).status, 401, `${method} ${path}`);
  t.equal(node.status().state, 'down');
});

t.test('with a session each answers as it is written', async t => {
  const { ask, signedIn } = await pageBench(t);
  const cookie = await signedIn();
  for (const [method, path, body] of SAMPLES) {
    if (path.startsWith('/v1/owner')) continue;
    const { status, text, headers } = await ask(method, samplePath(path), { cookie, body });
    t.equal(status, 200, `${method} ${path}: ${text.slice(0, 200)}`);
    const said = { status, type: headers['content-type'] ?? '', text };
    t.equal(problemsOfAnswer(`${method} ${path}`, said), null, `${method} ${path}`);
  }
});

t.test('so do those of the page itself', async t => {
  const { ask, page } = await pageBench(t);
  let cookie = '';
  for (const [method, path, body] of PAGE_SAMPLES) {
    if (path === '/v1/page/live') continue;
    const other = await page.sessions.begin('192.168.1.9', 'Safari, iPhone');
    const real = path.replace('{id}', other.session.id);
    const asked = path === '/v1/page/sign-in' && cookie !== '' ? { body } : { cookie, body };
    const answer = await ask(method, real, asked);
    t.equal(answer.status, 200, `${method} ${path}: ${answer.text}`);
    const said = { ...answer, type: answer.headers['content-type'] ?? '' };
    t.equal(problemsOfAnswer(`${method} ${path}`, said), null, `${method} ${path}`);
    cookie = answer.cookie === '' ? cookie : answer.cookie;
  }
});

t.test('refusals have the one shape', async t => {
  const { ask } = await pageBench(t);
  for (const [path, body] of [
    ['/v1/page/sign-in', { password: PASSWORD }],
    ['/v1/page/sign-in', {}],
    ['/v1/node/up', {}],
  ] as const) {
    const { json } = await ask('POST', path, { body });
    t.equal(problemsOf('#/components/schemas/Error', json), null, path);
  }
});
