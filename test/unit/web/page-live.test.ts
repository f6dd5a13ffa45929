// The stream of what changes: one look for all, nothing where nothing happened, and an end with the session.
import type { Socket } from 'node:net';
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { MOST_WATCHERS } from '../../../web/page/live.ts';
import { cellar } from '../../support/fake-admins.ts';
import { problemsOf } from '../../support/openapi.ts';
import { pageBench, type PageBench } from '../../support/page-bench.ts';

interface Window {
  readonly socket: Socket;
  readonly events: () => Record<string, unknown>[];
  readonly isClosed: () => boolean;
}

/** The first event begins, or a refusal does. */
const ANSWERED = /^event: state\n|^HTTP\/1\.1 [45]/m;

/** A page that is open. */
async function watching({ connected, host }: PageBench, cookie: string): Promise<Window> {
  const socket = await connected();
  let text = '';
  let isClosed = false;
  socket.setEncoding('utf8');
  socket.on('data', part => (text += String(part)));
  socket.once('close', () => (isClosed = true));
  socket.on('error', () => undefined);
  socket.write(`GET /v1/page/live HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\n\r\n`);
  const isAnswered = (): boolean => isClosed || ANSWERED.test(text);
  do await settled();
  while (!isAnswered());
  const events = (): Record<string, unknown>[] =>
    [...text.matchAll(/^event: state\ndata: (.*)$/gm)].map(
      ([, data = '']) => JSON.parse(data) as Record<string, unknown>,
    );
  return { socket, events, isClosed: () => isClosed };
}

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 60));

t.test('the first event comes at once, and is what the interface says', async t => {
  const clock = new ManualClock();
  const bench = await pageBench(t, { clock });
  const cookie = await bench.signedIn();
  await bench.node.up({ invite: 'ginnel:good' });
  await bench.server.up({});
  const one = await watching(bench, cookie);
  const [event] = one.events();
  t.equal(problemsOf('#/components/schemas/PageLive', event), null);
  t.match(event, {
    node: { state: 'up', peers: [{ name: 'cellar-router' }, {}] },
    server: { state: 'up' },
    rates: {},
  });
  t.equal((event?.['server'] as Record<string, unknown> | undefined)?.['nodes'], undefined);
});

t.test('nothing is sent where nothing happened, one event where something did, and rates follow', async t => {
  const clock = new ManualClock();
  const bench = await pageBench(t, { clock });
  const cookie = await bench.signedIn();
  await bench.node.up({ invite: 'ginnel:good' });
  const one = await watching(bench, cookie);
  clock.advance(1000);
  await settled();
  t.match(one.events().at(-1), { rates: { 'cellar-id': { in: 0, out: 0 } } });
  const before = one.events().length;
  for (let second = 0; second < 10; second++) clock.advance(1000);
  await settled();
  t.equal(one.events().length, before, 'ten quiet seconds');
  await bench.server.up({});
  await bench.node.down();
  clock.advance(999);
  await settled();
  t.equal(one.events().length, before, 'not sooner than a second');
  clock.advance(1);
  await settled();
  t.match(one.events().slice(before), [{ node: { state: 'down' }, server: { state: 'up' } }]);
});

t.test('one look serves all, and nobody looks while nobody watches', async t => {
  const clock = new ManualClock();
  const bench = await pageBench(t, { clock });
  const cookie = await bench.signedIn();
  const { live } = bench.page;
  clock.advance(60_000);
  t.equal(live.looks, 0);
  const windows = [
    await watching(bench, cookie),
    await watching(bench, cookie),
    await watching(bench, cookie),
  ];
  const before = live.looks;
  for (let second = 0; second < 5; second++) clock.advance(1000);
  t.equal(live.looks - before, 5);
  for (const { socket } of windows) socket.destroy();
  await settled();
  t.equal(live.watchers, 0);
  const after = live.looks;
  for (let second = 0; second < 5; second++) clock.advance(1000);
  t.equal(live.looks, after);
});

t.test('it takes a session, and ends with it: signed out, or ended from elsewhere', async t => {
  const clock = new ManualClock();
  const bench = await pageBench(t, { clock });
  const first = await bench.signedIn();
  t.equal((await bench.ask('GET', '/v1/page/live')).status, 401);
  t.equal(
    (await bench.ask('GET', '/v1/page/live', { cookie: `${bench.cookieName}=${'A'.repeat(43)}` })).status,
    401,
  );
  const { cookie } = await bench.ask('POST', '/v1/page/sign-in', {
    body: { password: 'correct horse battery' },
  });
  const [one, other] = [await watching(bench, first), await watching(bench, cookie)];
  await bench.ask('POST', '/v1/page/sign-out', { cookie: first, body: {} });
  await settled();
  t.ok(one.isClosed());
  t.notOk(other.isClosed());
  const seen = (): number | undefined => bench.page.sessions.list('')[0]?.lastSeen;
  for (let part = 0; part < 3; part++) {
    for (let second = 0; second < 21; second++) clock.advance(1000);
    await settled();
  }
  t.ok((seen() ?? 0) > clock.wallMs() - 30_000, 'being watched is no silence');
  await bench.page.sessions.endAll(null);
  await settled();
  t.ok(other.isClosed());
});

t.test('who does not read is dropped, with nothing piled up for them', async t => {
  const clock = new ManualClock();
  const bench = await pageBench(t, { clock });
  const cookie = await bench.signedIn();
  await bench.node.up({ invite: 'ginnel:good' });
  const status = bench.node.status();
  let count = 0;
  // Far more than the kernel holds for a reader that sleeps.
  const peers = Array.from({ length: 20_000 }, (_, n) => ({ ...cellar, id: `peer-${n}` }));
  bench.node.status = () => ({ ...status, name: `box ${count++}`, peers });
  const one = await watching(bench, cookie);
  one.socket.pause();
  const heap = process.memoryUsage().arrayBuffers;
  for (let second = 0; second < 12; second++) {
    clock.advance(1000);
    await settled();
  }
  t.equal(bench.page.live.watchers, 1, 'it has some time');
  // Twelve of them if they piled up; one or two more are garbage that nobody has collected yet.
  const events = (process.memoryUsage().arrayBuffers - heap) / JSON.stringify(bench.node.status()).length;
  t.ok(events < 6, 'not one event on top of the other', { events });
  for (let second = 0; second < 8; second++) clock.advance(1000);
  await settled();
  t.equal(bench.page.live.watchers, 0, 'then it is gone');
});

t.test('no more than a bound watch at once', async t => {
  const bench = await pageBench(t);
  const cookie = await bench.signedIn();
  for (let n = 0; n < MOST_WATCHERS; n++) await watching(bench, cookie);
  t.match(await bench.ask('GET', '/v1/page/live', { cookie }), { status: 503, json: { code: 'PAGE_BUSY' } });
});
