// Homes whose machines koffi has no binary for, for real: their copy of the product lacks it. With a fast box at the other
// end and with a slow one at both, all is carried as always; less of it in a second.
import { existsSync } from 'node:fs';
import t, { type Test } from 'tap';
import { snapshot, whoCarries } from './carried.ts';
import { Daemon, startServer } from './ginnel.ts';
import { joinHome, meet, movedSince } from './homes.ts';
import type { Box } from './homes.ts';
import { moveFile } from './moving.ts';
import { whyNoDoor } from './system/namespace.ts';
import { buildLab } from './topology.ts';
import { until } from './waiting.ts';
import { copyWithoutKoffi } from './without-koffi.ts';
import { enterLab, LAB_FOLDER, skipFile } from './wrapper.ts';

const skip = whyNoDoor('tuntap');
if (skip !== false) skipFile(skip);
enterLab(import.meta.url);

const MEGABYTES = 4;
const ALLOWED_SERVER_BYTES = 200_000;
const GONE_MS = 10_000;
const FRAGMENTS_MS = 20_000;

const lab = await buildLab({
  homes: [{ kind: 'prc' }, { kind: 'prcnp' }, { kind: 'prcnp' }],
  delayMs: 10,
});
t.teardown(() => lab.stop());
const server = await startServer(lab);
const [homeA, homeB, homeC] = lab.homes;
if (homeA === undefined || homeB === undefined || homeC === undefined)
  throw new TypeError('three homes were asked for');
const script = copyWithoutKoffi(`${LAB_FOLDER}/without-koffi`);
const fast = await joinHome(server, homeA, 'fast');
const slow = await joinHome(server, homeB, 'slow', { script });
const slower = await joinHome(server, homeC, 'slower', { script });

t.test('status says which door is in use, why it is the slower one, and what would help', async t => {
  t.match(await fast.node.status(), { door: 'koffi', health: [] });
  const status = await slow.node.status();
  t.match(status, {
    door: 'tuntap',
    sealing: { 'chacha20-poly1305': 'node-crypto', 'aes-256-gcm': 'node-crypto' },
    health: [{ code: 'DOOR_SLOWER', words: /koffi has no binary/, todo: /koffi/ }],
  });
  const { stdout } = await slow.node.ginnel(['status']);
  t.match(stdout, /Door: tuntap \(slower\), sealing by node-crypto\./);
  t.match(stdout, /DOOR_SLOWER/);
  t.match(JSON.parse((await slow.node.ginnel(['status', '--json'])).stdout), { node: { door: 'tuntap' } });
});

t.test('V1, V12: the slower door at one end: ping and a file, on the direct path', t =>
  carried(t, fast, slow),
);
t.test('V1, V12: the slower door at both ends: ping and a file, on the direct path', t =>
  carried(t, slow, slower),
);

async function carried(t: Test, one: Box, other: Box): Promise<void> {
  await meet(one, other);
  t.match(await whoCarries(lab, { place: one.home.host, home: one.home }, other), {
    by: 'direct',
    family: 4,
  });
  const { ip6 } = await other.node.status();
  t.match((await one.home.host.exec(`ping -q -c 5 -i 0.1 ${ip6}`)).stdout, /5 received/, 'IPv6 within');
  // On a starved machine one of these sixty datagrams may be late or lost.
  await until('fragments', FRAGMENTS_MS, async () => {
    const large = `ping -q -c 5 -i 0.1 -W 5 -s 8000 ${other.ip}`;
    return /5 received/.test((await one.home.host.exec(large, { mayFail: true })).stdout);
  });
  t.pass('fragments');
  const before = await snapshot(lab);
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    const moved = await moveFile(from, to, MEGABYTES);
    t.ok(moved.equal, `${MEGABYTES} MB from ${from.node.name} to ${to.node.name}, equal hash`, moved);
    t.comment(`${((MEGABYTES * 8) / moved.seconds).toFixed(1)} Mbit/s from ${from.node.name}`);
  }
  const { lines, server: byServer } = await movedSince(lab, before, one.home, other.home);
  t.ok(lines > 2 * MEGABYTES * 1e6, 'the homes own lines carried it', { lines });
  t.ok(byServer < ALLOWED_SERVER_BYTES, 'and the server did not', { byServer });
}

t.test('V1: the card is gone with the daemon, asked to end or killed', async t => {
  for (const [box, signal] of [
    [slow, 'SIGTERM'],
    [slower, 'SIGKILL'],
  ] as const) {
    const { tun } = await box.node.status();
    t.ok(await hasCard(box, tun));
    const code = await box.node.stop(signal);
    if (signal === 'SIGTERM') t.equal(code, 0, 'it ended by itself, within its time');
    await until('the card to go', GONE_MS, async () => !(await hasCard(box, tun)));
    t.pass(`${tun} is gone after ${signal}`);
  }
});

t.test('a killed one comes back with its card and its address', async t => {
  await slower.node.start();
  await until('it to be up', GONE_MS, async () => (await slower.node.status()).state === 'up');
  t.match(await slower.node.status(), { ip4: slower.ip, door: 'tuntap' });
});

t.test('where neither is installed, `up` says what to install and where', async t => {
  const bare = copyWithoutKoffi(`${LAB_FOLDER}/without-both`, false);
  t.notOk(existsSync(`${LAB_FOLDER}/without-both/optional`));
  const daemon = new Daemon(homeA.host, 'bare', { script: bare });
  const { code, stderr } = await daemon.ginnel(['up', '--name', 'bare'], await server.invite());
  t.not(code, 0);
  t.match(stderr, /NO_DOOR/);
  t.match(stderr, new RegExp(`npm ci --prefix ${LAB_FOLDER}/without-both/optional/tuntap`));
});

async function hasCard({ home }: Box, name: string): Promise<boolean> {
  return Object.hasOwn(await home.host.counters(), name);
}
