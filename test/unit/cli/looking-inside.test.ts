// `ginnel logs`, `metrics`, `bugreport` and `status --json` against a running daemon: what they show, and what never.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { parseExposition } from '../../support/exposition.ts';
import { ran, shell, type Shell } from './shell.ts';

const set = ({ client }: Shell, key: string, value: unknown): Promise<unknown> =>
  client.post('/v1/settings', { set: { [key]: value } });

t.test('logs: from memory, by level and part, following; levels are changed while it runs', async t => {
  const s = shell(t);
  await s.ginnel(['up'], { input: 'ginnel:good' });
  const all = await s.ginnel(['logs']);
  t.match(all.out, /^\d{4}-\d\d-\d\d [\d:.]+ info {2}ready {2}pid=\d+/);
  t.equal((await s.ginnel(['logs', '--level', 'error'])).out, '');
  const [line] = (await s.ginnel(['logs', '--json', '-n', '1'])).out.split('\n');
  t.match(JSON.parse(line ?? ''), { level: 'info', message: 'ready', part: '', facts: { pid: Number } });

  const follower = s.start(['logs', '--follow', '--level', 'debug']);
  let followed = '';
  follower.stdout?.on('data', part => (followed += String(part)));
  const ended = ran(follower);
  await s.until('it shows the past', () => followed.includes('ready'));
  await set(s, 'metrics', '203.0.113.1:9477');
  await set(s, 'metrics', null);
  t.notMatch((await s.ginnel(['logs'])).out, /not served/, 'debug lines are not kept');
  await set(s, 'log-level', 'info,metrics=debug');
  await set(s, 'metrics', '203.0.113.1:9477');
  await s.until('a debug line of that part comes', () =>
    /debug metrics: metrics are not served/.test(followed),
  );
  t.match((await s.ginnel(['status'])).out, /Warning: Metrics are not served\. .*\(METRICS_OFF\)/);
  follower.kill('SIGINT');
  await ended;
  t.match((await s.ginnel(['logs', '--part', 'metrics'])).out, /^[^\n]* debug metrics: [^\n]*\n$/);
  t.match(await set(s, 'log-level', 'loud').catch((error: unknown) => error), { code: 'SETTING_INVALID' });
});

async function freePort(): Promise<number> {
  const taken = createServer();
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  await new Promise(resolve => taken.close(resolve));
  return port;
}

interface Scraped {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const scrape = (
  port: number,
  headers: Record<string, string>,
  path = '/metrics',
  method = 'GET',
): Promise<Scraped> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, answer => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, type: answer.headers['content-type'] ?? '', text }),
      );
    });
    asked.on('error', reject).end();
  });

t.test('metrics: off by default; on for who shows the token, under a name of this box', async t => {
  const s = shell(t);
  await s.ginnel(['server']);
  await s.ginnel(['up'], { input: 'ginnel:good' });
  const port = await freePort();
  t.match((await s.ginnel(['metrics'])).out, /^Metrics are off\./);
  await t.rejects(scrape(port, {}), { code: 'ECONNREFUSED' });
  await set(s, 'metrics', `127.0.0.1:${port}`);
  await s.until('it listens', () =>
    scrape(port, {}).then(
      () => true,
      () => false,
    ),
  );
  const shown = await s.ginnel(['metrics', '--json']);
  t.match(JSON.parse(shown.out), { address: `127.0.0.1:${port}`, problem: '' });
  const token = (await s.ginnel(['metrics', '--token'])).out.trim();
  t.match(token, /^[A-Za-z0-9_-]{43}$/);
  t.notOk(shown.out.includes(token), 'the token is shown only where it is asked for');
  const file = join(s.places.state, 'metrics.token');
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(readFileSync(file, 'utf8'), token);

  const good = { Authorization: `Bearer ${token}` };
  const answer = await scrape(port, good);
  t.equal(answer.status, 200);
  t.equal(answer.type, 'text/plain; version=0.0.4; charset=utf-8');
  const families = parseExposition(answer.text);
  t.match(families.get('ginnel_node_peers')?.samples, [{ labels: { state: 'direct' }, value: 1 }]);
  t.match(families.get('ginnel_server_up')?.samples, [{ value: 1 }]);
  t.ok((families.get('ginnel_process_memory_rss_bytes')?.samples[0]?.value ?? 0) > 1e7);
  const refusals: [Record<string, string>, number, string?, string?][] = [
    [{}, 401],
    [{ Authorization: `Bearer ${token.slice(1)}` }, 401],
    [{ Authorization: `Basic ${token}` }, 401],
    [{ ...good, Host: 'evil.example:9477' }, 403],
    [good, 404, '/'],
    [good, 405, '/metrics', 'POST'],
  ];
  for (const [headers, status, path, method] of refusals)
    t.equal(
      (await scrape(port, headers, path, method)).status,
      status,
      JSON.stringify([headers, path, method]),
    );
  t.equal((await scrape(port, { ...good, Host: `localhost:${port}` })).status, 200);
  t.match(parseExposition((await scrape(port, good)).text).get('ginnel_metrics_refused_total')?.samples, [
    { labels: { reason: 'host' }, value: 1 },
    { labels: { reason: 'method' }, value: 1 },
    { labels: { reason: 'path' }, value: 1 },
    { labels: { reason: 'token' }, value: 4 },
  ]);
  await set(s, 'metrics', null);
  await t.rejects(scrape(port, good), { code: 'ECONNREFUSED' });
});

t.test('status --json has all figures, each with its words', async t => {
  const s = shell(t);
  await s.ginnel(['up'], { input: 'ginnel:good' });
  const { figures } = JSON.parse((await s.ginnel(['status', '--json'])).out) as {
    figures: {
      counters: Record<string, number>;
      gauges: Record<string, number>;
      words: Record<string, string>;
    };
  };
  const names = [...Object.keys(figures.counters), ...Object.keys(figures.gauges)];
  t.match(figures.gauges, {
    'node.up': 1,
    'node.peers.direct': 1,
    'node.peers.relayed': 1,
    'node.sessions': 2,
  });
  t.same(
    names.filter(name => figures.words[name] === undefined),
    [],
  );
});

t.test('bugreport: one file, 0600, nothing overwritten, masked where wanted', async t => {
  const s = shell(t);
  await s.ginnel(['up', '--name', 'attic-nas'], { input: 'ginnel:good' });
  const file = join(s.places.state, 'report.json');
  const written = await s.ginnel(['bugreport', file]);
  t.equal(written.code, 0, written.err);
  t.match(written.out, /Written to .*report\.json .*\nIn it: .*\n(.*\n)*Not in it: +keys, invites/);
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.match(JSON.parse(readFileSync(file, 'utf8')), {
    about: { version: '1.2.3', masked: false },
    machine: { node: process.version },
    doors: { door: 'koffi' },
    node: { peers: [{ name: 'cellar-router', ip4: '10.77.0.3' }, {}] },
    settings: { daemon: { 'log-level': 'info' } },
    log: [{ message: 'ready' }],
  });
  t.match(
    await s.ginnel(['bugreport', file]),
    { code: 1, err: /\(REPORT_FILE\)/ },
    'a file that is there stays',
  );
  const masked = (await s.ginnel(['bugreport', '-', '--mask'])).out;
  t.notMatch(masked, /cellar-router|shop-till|attic-nas|10\.77\.0|198\.51\.100\.7|203\.0\.113\.5|fd6a:/);
  t.match(JSON.parse(masked), {
    about: { masked: true },
    node: { peers: [{ name: /^box-/, ip4: /^ip4-\d+$/ }, {}] },
  });
  t.ok(existsSync(file));
});
