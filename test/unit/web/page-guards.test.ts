// What a browser can be made to do to the page by other sites, and what a visitor without a browser can send. Each of these
// was seen to fail with its guard taken out.
import t from 'tap';
import { exchange, pageBench, PASSWORD } from '../../support/page-bench.ts';

t.test('DNS rebinding: the page answers by its addresses and its own names, and by no other', async t => {
  const { ask, port } = await pageBench(t);
  const cookie = (await ask('POST', '/v1/page/owner', { body: { password: PASSWORD } })).cookie;
  for (const host of [
    `127.0.0.1:${port}`,
    '192.168.1.2:7080',
    '[fd00::1]:7080',
    'localhost',
    'Attic.LAN:7080',
    'attic.',
  ])
    t.equal((await ask('GET', '/v1/health', { cookie, headers: { Host: host } })).status, 200, host);
  for (const host of [
    'evil.example',
    'evil.example:7080',
    'attic.evil.example',
    '127.0.0.1.evil.example',
    'a b',
  ])
    for (const path of ['/v1/health', '/', '/v1/page/session']) {
      const answer = await ask('GET', path, { cookie, headers: { Host: host } });
      t.equal(answer.status, 403, `${host} ${path}`);
      t.match(answer.text, /PAGE_HOST/);
    }
});

t.test('DNS rebinding: nor by two names, by none, or by a whole address in the request', async t => {
  const { connected } = await pageBench(t);
  const heads: [string, RegExp][] = [
    ['GET /v1/page/session HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n', /^HTTP\/1.1 403/],
    ['GET /v1/page/session HTTP/1.0\r\n', /^HTTP\/1.1 403/],
    ['GET /v1/page/session HTTP/1.1\r\n', /^HTTP\/1.1 400/],
    ['GET /v1/page/session HTTP/1.1\r\nHost: \r\n', /^HTTP\/1.1 403/],
    ['GET http://evil.example/v1/page/session HTTP/1.1\r\nHost: 127.0.0.1\r\n', /^HTTP\/1.1 403/],
  ];
  for (const [head, expected] of heads)
    t.match(await exchange(await connected(), `${head}Connection: close\r\n\r\n`), expected, head);
});

t.test('cross-site posts are refused, whatever the browser tells, and change nothing', async t => {
  const { ask, host, signedIn } = await pageBench(t);
  const cookie = await signedIn();
  const own = `http://${host}`;
  const [site, origin] = ['Sec-Fetch-Site', 'Origin'];
  const refused: Record<string, string | undefined>[] = [
    { [site]: 'cross-site' },
    { [site]: 'same-site' },
    { [site]: 'none' },
    { [site]: 'cross-site', [origin]: own },
    { [site]: 'same-origin', [origin]: 'http://evil.example' },
    { [origin]: 'http://evil.example' },
    { [origin]: 'null' },
    { [origin]: `https://${host}` },
    { [origin]: 'http://127.0.0.1:1' },
    { [origin]: `${own}.evil.example` },
    {},
  ];
  for (const headers of refused)
    for (const path of [
      '/v1/node/up',
      '/v1/page/sign-in',
      '/v1/page/owner',
      '/v1/page/sign-out',
      '/v1/nothing',
    ]) {
      const body = { password: PASSWORD };
      const answer = await ask('POST', path, { cookie, body, headers: { [origin]: undefined, ...headers } });
      t.equal(answer.status, 403, `${path} ${JSON.stringify(headers)}`);
      t.match(answer.json, { code: 'PAGE_CROSS_SITE' });
    }
  t.match((await ask('GET', '/v1/health', { cookie })).json, { roles: { node: 'down' } });
  for (const headers of [
    { [site]: 'same-origin' },
    { [origin]: own },
    { [site]: 'same-origin', [origin]: own },
  ])
    t.equal(
      (await ask('POST', '/v1/node/down', { cookie, body: {}, headers: { [origin]: undefined, ...headers } }))
        .status,
      200,
      JSON.stringify(headers),
    );
});

t.test('another site reads nothing; a link from there leads to the page', async t => {
  const { ask, signedIn } = await pageBench(t);
  const cookie = await signedIn();
  for (const from of ['cross-site', 'same-site']) {
    const headers = { 'Sec-Fetch-Site': from };
    t.match((await ask('GET', '/v1/health', { cookie, headers })).json, { code: 'PAGE_CROSS_SITE' });
    t.equal((await ask('GET', '/', { headers })).status, 200);
  }
});

t.test('what is no JSON is refused: a form can be sent from anywhere', async t => {
  const { ask, signedIn } = await pageBench(t);
  const cookie = await signedIn();
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    undefined,
  ];
  for (const type of [...types, 'application/json-patch', 'text/plain; application/json'])
    t.match(await ask('POST', '/v1/node/down', { cookie, body: '{}', headers: { 'Content-Type': type } }), {
      status: 415,
      json: { code: 'PAGE_BODY_TYPE' },
    });
  const headers = { 'Content-Type': 'application/json; charset=UTF-8' };
  t.equal((await ask('POST', '/v1/node/down', { cookie, body: {}, headers })).status, 200);
});

t.test(
  'every answer forbids frames, scripts from elsewhere and inline ones, guessing of types, and keeping',
  async t => {
    const { ask, signedIn } = await pageBench(t);
    const cookie = await signedIn();
    const answers = [
      await ask('GET', '/'),
      await ask('GET', '/main-K3XQ7ZPD.js'),
      await ask('GET', '/nothing.html'),
      await ask('GET', '/v1/health'),
      await ask('GET', '/v1/health', { cookie }),
      await ask('GET', '/v1/nothing', { cookie }),
      await ask('POST', '/v1/node/up', { cookie, body: '{ not json' }),
      await ask('POST', '/v1/node/up', { cookie, body: { invite: 'ginnel:crash' } }),
      await ask('GET', '/', { headers: { Host: 'evil.example' } }),
      await ask('POST', '/', { headers: { Origin: 'http://evil.example' } }),
    ];
    t.same(
      answers.map(({ status }) => status),
      [200, 200, 404, 401, 200, 404, 400, 500, 403, 403],
    );
    for (const { headers } of answers) {
      const policy = String(headers['content-security-policy']);
      t.match(policy, /default-src 'none'/);
      t.match(policy, /frame-ancestors 'none'/);
      t.match(policy, /base-uri 'none'.*form-action 'none'/);
      t.match(policy, /script-src 'self'(;|$)/);
      t.notMatch(policy, /unsafe|\*|https?:/);
      t.match(headers, {
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      });
      t.equal(headers['strict-transport-security'], undefined);
      t.equal(headers['access-control-allow-origin'], undefined);
    }
    const [front, hashed, ...others] = answers;
    t.match(hashed?.headers['cache-control'], /immutable/);
    for (const each of [front, ...others]) t.equal(each?.headers['cache-control'], 'no-store');
  },
);

t.test('files: those of the client, compressed where wanted, and nothing else by any spelling', async t => {
  const { ask } = await pageBench(t);
  t.match(await ask('GET', '/'), { status: 200, headers: { 'content-type': /^text\/html/ }, text: /Ginnel/ });
  t.match(await ask('GET', '/parts/logo.svg'), { status: 200, headers: { 'content-type': 'image/svg+xml' } });
  t.match(await ask('HEAD', '/'), { status: 200, text: '' });
  const packed = await ask('GET', '/main-K3XQ7ZPD.js', { headers: { 'Accept-Encoding': 'br, gzip' } });
  t.match(packed, { text: 'packed', headers: { 'content-encoding': 'gzip', 'content-type': /javascript/ } });
  const ways = [
    '/../secret.txt',
    '/./../secret.txt',
    '/parts/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..%2fsecret.txt',
    '/%252e%252e%252fsecret.txt',
    '/..%5csecret.txt',
    '/..\\secret.txt',
    '/parts/..\\..\\secret.txt',
    '/%c0%ae%c0%ae/secret.txt',
    '/index.html%00.txt',
    '/secret.txt%00.html',
    '/.hidden.txt',
    '/parts/',
    '/parts',
    '//secret.txt',
    '/parts//logo.svg',
    '//etc/hostname.txt',
    '/index.html/../../secret.txt',
    '/main-K3XQ7ZPD.js.gz',
    '/%',
  ];
  for (const way of ways) {
    const answer = await ask('GET', way);
    t.equal(answer.status, 404, way);
    t.notMatch(answer.text, /a secret/, way);
  }
});

t.test(
  'where the client was not built, a sentence says so, and the interface answers all the same',
  async t => {
    const { ask } = await pageBench(t, { folder: '/nonexistent' });
    t.match(await ask('GET', '/'), {
      status: 503,
      headers: { 'content-type': /^text\/plain/ },
      text: /\(PAGE_NOT_BUILT\)/,
    });
    t.equal((await ask('GET', '/v1/page/session')).status, 200);
  },
);

t.test('what a visitor names itself gets into no header and, as text, into no list', async t => {
  const { ask, connected, host } = await pageBench(t);
  const browser = '<script>alert(1)</script> Firefox/1 Android';
  const { cookie } = await ask('POST', '/v1/page/owner', {
    body: { password: PASSWORD },
    headers: { 'User-Agent': browser },
  });
  const list = (await ask('GET', '/v1/page/sessions', { cookie })).json;
  t.match(list, { sessions: [{ browser: 'Firefox, Android', from: '127.0.0.1', isThis: true }] });
  const head = `GET /v1/page/session?x=%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n`;
  t.notMatch(await exchange(await connected(), `${head}\r\n`), /^set-cookie/im);
  t.match(await exchange(await connected(), `${head}X: a\r\n\u0000Y: b\r\n\r\n`), /^HTTP\/1.1 400/);
  const { headers } = await ask('GET', '/%0d%0aSet-Cookie:%20a=b.html');
  t.equal(headers['set-cookie'], undefined);
});
