// Where the page of a real daemon listens as things change around it: a port that is taken, a card that comes later, TLS that is
// turned on, another process that takes over.
import { execFile, execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import t, { type Test } from 'tap';
import type { PageShown } from '../../../web/daemon-admin.ts';
import { shell, type Shell } from './shell.ts';

t.setTimeout(240_000);

/** On a machine that is busy with other things. */
const SLOW_MS = 60_000;

const shown = ({ client }: Shell): Promise<PageShown> => client.post<PageShown>('/v1/owner', {});

function taken(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

const freed = (server: Server): Promise<void> => new Promise(resolve => server.close(() => resolve()));
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const answers = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/v1/page/session`).then(
    ({ status }) => status === 200,
    () => false,
  );

/** Started, with its page there, and answering. */
async function withPage(t: Test, page: string): Promise<Shell> {
  const s = shell(t);
  s.start(['run'], { GINNEL_PAGE: page });
  await s.until('it answers', async () => (await s.health()) !== null, SLOW_MS);
  return s;
}

t.test('a port that another program has is told, and taken once it is free', async t => {
  const other = await taken(0);
  const port = portOf(other);
  const s = await withPage(t, `127.0.0.1:${port}`);
  t.match(await s.client.get('/v1/health'), { health: [{ code: 'PAGE_NOT_SERVED' }] });
  t.match(await shown(s), { addresses: [], problems: [/another program has that port/] });
  await freed(other);
  await s.until('the page is served', () => answers(port), SLOW_MS);
  t.match(await shown(s), { addresses: [`http://127.0.0.1:${port}/`], problems: [] });
});

t.test('another process that takes over takes the page with it, and who is signed in stays so', async t => {
  const free = await taken(0);
  const port = portOf(free);
  await freed(free);
  const s = await withPage(t, `127.0.0.1:${port}`);
  await s.until('the page is served', () => answers(port), SLOW_MS);
  const own = `http://127.0.0.1:${port}`;
  const first = await fetch(`${own}/v1/page/owner`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: own },
    body: JSON.stringify({ password: 'correct horse battery' }),
  });
  const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const { pid } = await s.client.post<{ pid: number }>('/v1/restart', {});
  const answeredBy = async (): Promise<unknown> => {
    const answer = await fetch(`${own}/v1/health`, { headers: { Cookie: cookie } }).catch(() => null);
    return answer?.status === 200 ? ((await answer.json()) as { pid: number }).pid : null;
  };
  await s.until('the page is served by the other', async () => (await answeredBy()) === pid, SLOW_MS);
  t.match(await shown(s), { addresses: [`${own}/`], problems: [], owner: 'set' });
});

const mayMakeNetworks = (() => {
  try {
    execFileSync('unshare', ['--net', 'ip', 'link', 'add', 'lan0', 'type', 'veth', 'peer', 'far0'], {
      stdio: 'pipe',
    });
    return true;
  } catch {
    return false;
  }
})();

/** Asks from within the network of that process; status and where it leads. */
function askedWithin(pid: number, address: string): Promise<string> {
  const ask = `
    const { request } = require(new URL(process.argv[1]).protocol.slice(0, -1).replace(/^/, 'node:'));
    request(process.argv[1], { rejectUnauthorized: false, agent: false }, answer => {
      console.log(answer.statusCode, answer.headers.location ?? '');
      process.exit();
    }).on('error', error => console.log(error.code)).end();`;
  const args = ['-t', String(pid), '-n', process.execPath, '-e', ask, address];
  return new Promise(resolve =>
    execFile('nsenter', args, { timeout: 20_000 }, (_error, out) => resolve(out.trim())),
  );
}

t.test(
  'a card that comes later gets the page; TLS is turned on and off while it runs',
  { skip: !mayMakeNetworks && 'networks can be made by root alone' },
  async t => {
    const s = shell(t);
    const inside = ['--net', 'sh', '-c', 'ip link set lo up; exec "$0" "$@"'];
    const child = s.startBy('unshare', inside, ['run'], { GINNEL_PAGE: 'lan' });
    await s.until('it answers', async () => (await s.health()) !== null, SLOW_MS);
    t.match((await shown(s)).addresses, ['http://127.0.0.1:7080/', 'http://[::1]:7080/']);
    const pid = child.pid ?? 0;
    const within = (...args: string[]): void =>
      void execFileSync('nsenter', ['-t', String(pid), '-n', 'ip', ...args], { stdio: 'pipe' });
    within('link', 'add', 'lan0', 'type', 'veth', 'peer', 'far0');
    within('address', 'add', '192.168.77.1/24', 'dev', 'lan0');
    within('link', 'set', 'lan0', 'up');
    within('link', 'set', 'far0', 'up');
    await s.until('the page is there', async () => (await shown(s)).addresses.length === 3, SLOW_MS);
    const plain = 'http://192.168.77.1:7080/';
    t.equal((await shown(s)).addresses[0], plain);
    t.equal(await askedWithin(pid, `${plain}v1/page/session`), '200');
    await s.client.post('/v1/settings', { set: { 'page-tls': true } });
    const secure = 'https://192.168.77.1:7080/';
    await s.until('it is served by TLS', async () => (await shown(s)).addresses[0] === secure, SLOW_MS);
    const { certificate, addresses } = await shown(s);
    t.match(certificate, { fingerprint: /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/, until: Number });
    t.match(addresses, [secure, 'http://127.0.0.1:7080/'], 'loopback stays plain');
    t.equal(await askedWithin(pid, `${secure}v1/page/session`), '200');
    t.equal(await askedWithin(pid, plain), `308 ${secure}`);
    t.equal(await askedWithin(pid, 'http://127.0.0.1:7080/v1/page/session'), '200');
    const report = JSON.stringify(await s.client.post('/v1/bugreport', { mask: false }));
    t.notMatch(report, /PRIVATE KEY|"secret"/);
    const words = await s.ginnel(['page']);
    t.match(words.out, /SHA-256 fingerprint:\n( {2}([0-9A-F]{2}:?)+\n){2}/);
    await s.client.post('/v1/settings', { set: { 'page-tls': false } });
    await s.until('it is plain again', async () => (await shown(s)).addresses[0] === plain, SLOW_MS);
    t.match(await shown(s), { certificate: null });
    t.equal(await askedWithin(pid, `${plain}v1/page/session`), '200');
  },
);
