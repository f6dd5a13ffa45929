// A box that changes its address, and one that goes away: the path comes back by itself, and nothing of Ginnel stays behind
// on the box, however its daemon ended.
import t, { type Test } from 'tap';
import { snapshot } from './carried.ts';
import { Flow, now } from './flow.ts';
import { startServer } from './ginnel.ts';
import { joinAll, meet, movedSince } from './homes.ts';
import type { Box } from './homes.ts';
import type { Place } from './place.ts';
import { buildLab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const PROMISED_MS = 5000;
const BOUND_MS = 30_000;
const TIMES = 5;

const lab = await buildLab({ homes: [{ kind: 'prcnp' }, { kind: 'prc' }], delayMs: 20 });
t.teardown(() => lab.stop());
const homes = lab.homes.map(({ host }) => host);
const untouched = await Promise.all(homes.map(traces));
const server = await startServer(lab);
const [a, b] = await joinAll(lab, server);
if (a === undefined || b === undefined) throw new TypeError('two homes were asked for');

t.test('P5, V14: a box gets another address on its LAN: bytes flow again within 5 s', async t => {
  await meet(a, b);
  const flow = await Flow.start(b.home.host, a.home.host, a.ip);
  t.teardown(() => flow.stop());
  await flow.longestPause(now(), BOUND_MS);
  for (const address of ['192.168.1.33', '192.168.1.2']) {
    const before = await snapshot(lab);
    const [bytesBefore, since] = [flow.bytes, now()];
    await renumber(a.home.host, address);
    const pause = await flow.longestPause(since, BOUND_MS);
    t.comment(`now ${address}: longest pause ${pause} ms`);
    t.ok(pause < PROMISED_MS, `now ${address}: it flows again within 5 s`, { pause });
    const moved = await movedSince(lab, before, a.home, b.home);
    const arrived = flow.bytes - bytesBefore;
    t.ok(moved.lines > arrived && moved.server < arrived / 20, "over the homes' lines", { moved, arrived });
  }
  t.ok(flow.isWhole, 'it is the same TCP connection all along');
});

t.test(`V1, V2: down leaves no card, address, route or rule behind; ${TIMES} times down and up`, async t => {
  for (let time = 1; time <= TIMES; time++) {
    const down = await b.node.ginnel(['down']);
    t.equal(down.code, 0, `down ${time}`, down);
    t.match(down.stdout, /Undone: the network card ginnel0/);
    t.strictSame(await traces(b.home.host), untouched[1], 'everything is as before the first start');
    const up = await b.node.ginnel(['up', '--json']);
    t.equal(up.code, 0, `up ${time}`, up);
    t.match(JSON.parse(up.stdout), { state: 'up', ip4: b.ip, tun: 'ginnel0' });
    t.notSame(await traces(b.home.host), untouched[1], 'and now the card is there');
  }
  t.comment(`met again after ${(await meet(a, b)).toFixed(0)} ms`);
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const)
  t.test(`V1: ${signal} leaves nothing behind, and the next start joins again`, async t => {
    await ended(t, a, signal);
    t.strictSame(await traces(a.home.host), untouched[0], 'everything is as before the first start');
    await a.node.start();
    await until('it to be up again', BOUND_MS, async () => (await a.node.status()).state === 'up');
    t.equal((await a.node.status()).ip4, a.ip);
    t.comment(`met again after ${(await meet(a, b)).toFixed(0)} ms`);
  });

async function ended(t: Test, { node }: Box, signal: NodeJS.Signals): Promise<void> {
  const code = await node.stop(signal);
  if (signal !== 'SIGKILL') t.equal(code, 0, 'a polite end is no failure');
}

/** Whatever Ginnel could leave on a box, as `ip` shows it. */
async function traces(place: Place): Promise<unknown> {
  const commands = ['addr', 'route show table all', '-6 route show table all', 'rule', '-6 rule'];
  const shown = await Promise.all(commands.map(command => place.exec(`ip -j ${command}`)));
  return shown.map(({ stdout }) => JSON.parse(stdout, withoutWhatChanges) as unknown);
}

function withoutWhatChanges(key: string, value: unknown): unknown {
  return /lft|_time$|^expires$|^stats$/.test(key) ? undefined : value;
}

async function renumber(host: Place, address: string): Promise<void> {
  await host.exec(`ip addr flush dev eth0 scope global
    ip addr add ${address}/24 dev eth0
    ip route replace default via 192.168.1.1`);
}
