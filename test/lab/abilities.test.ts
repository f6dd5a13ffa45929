// Abilities that are switched off (GINNEL_WITHOUT) are off for real: the status says so, and the counters of what would have
// used them stay at zero while those of a box that has them all do not.
import t, { type Test } from 'tap';
import { Daemon, startServer } from './ginnel.ts';
import { joinHome, meet } from './homes.ts';
import type { Box } from './homes.ts';
import { moveFile } from './moving.ts';
import { buildLab } from './topology.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const MEGABYTES = 8;
const OFF = 'off by GINNEL_WITHOUT';

const lab = await buildLab({ homes: [{ kind: 'public' }, { kind: 'public' }, { kind: 'public' }] });
t.teardown(() => lab.stop());
const server = await startServer(lab);
const [homeA, homeB, homeC] = lab.homes;
if (homeA === undefined || homeB === undefined || homeC === undefined)
  throw new TypeError('three homes were asked for');
const without = (abilities: string) => ({ environment: { GINNEL_WITHOUT: abilities } });
const whole = await joinHome(server, homeA, 'whole');
const single = await joinHome(server, homeB, 'single', without('card,cut,coalesce,aes'));
const stock = await joinHome(server, homeC, 'stock', without('fast'));

t.test('the status says what is in use', async t => {
  const kernel = { tso: 'yes', gso: 'yes', gro: 'yes', fast: 'yes' };
  t.match((await whole.node.status()).abilities, kernel);
  t.match((await single.node.status()).abilities, {
    ...{ tso: OFF, uso: OFF, gso: OFF, gro: OFF, aes: OFF, fast: 'yes' },
  });
  t.match((await stock.node.status()).abilities, { ...kernel, fast: OFF, aes: OFF });
  t.match(
    (await stock.node.ginnel(['status'])).stdout,
    /Switched off by GINNEL_WITHOUT: the fast profile, AES/,
  );
});

t.test('one at a time: no super-packet, no batch, and ChaCha20 in the fast profile', async t => {
  await carried(t, single, whole, { profile: 'fast', cipher: 'chacha20-poly1305' });
  const counters = await countersOf(single);
  const [read = 0, sent = 0] = [counters['system.tun.read'], counters['system.udp.sent']];
  t.equal(counters['system.udp.cut-by-kernel'], 0, 'nothing was cut by the kernel');
  t.ok(read > (MEGABYTES * 1e6) / 1500, 'the card gave single packets', { read });
  t.ok(sent >= read, 'each in a datagram of its own', { read, sent });
});

t.test('without the fast profile: stock messages, in batches', async t => {
  await carried(t, stock, whole, { profile: 'stock', cipher: 'chacha20-poly1305' });
  const counters = await countersOf(stock);
  t.equal(counters['dataplane.out.fast'], 0);
  t.equal(counters['dataplane.in.fast'], 0);
  t.ok((counters['system.udp.cut-by-kernel'] ?? 0) > 0, 'the kernel cut batches');
  const { 'system.tun.read': read = 0, 'system.udp.sent': sent = 0 } = counters;
  t.ok(sent > 2 * read, 'the card gave super-packets', { read, sent });
});

t.test('an unknown word ends the daemon at its start, with a code and what is known', async t => {
  const daemon = new Daemon(homeA.host, 'misspelt', without('card,wings'));
  const { code, stderr } = await daemon.ginnel(['run']);
  t.equal(code, 2);
  t.match(stderr, /no ability called "wings".* card, cut, coalesce, fast, aes.*\(ABILITY_UNKNOWN\)/s);
});

async function carried(t: Test, one: Box, other: Box, session: object): Promise<void> {
  await meet(one, other);
  const moved = await moveFile(one, other, MEGABYTES);
  t.ok(moved.equal, `${MEGABYTES} MB from ${one.node.name} to ${other.node.name}, equal hash`, moved);
  t.match(await one.node.peer(other.node.name), session);
  t.match(await other.node.peer(one.node.name), session);
}

const countersOf = async ({ node }: Box): Promise<Readonly<Record<string, number>>> =>
  (await node.api<{ counters: Record<string, number> }>('GET', '/v1/counters')).counters;
