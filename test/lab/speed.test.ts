// The speed test between two homes on a direct path, by the command line: what it tells is what the virtual card carried, who
// is no box of the network gets nothing, and a box may stay out of it.
import t from 'tap';
import type { PeerHistory, SpeedEvent } from '../../web/peers-admin.ts';
import { snapshot } from './carried.ts';
import { startServer } from './ginnel.ts';
import { joinAll, meet, movedSince, type Box } from './homes.ts';
import { buildLab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const SPEED_PORT = 7079;
/** Of what the samples add up to: headers, answers, and what was under way at either end of the test. */
const WITHIN = 0.25;

const lab = await buildLab({ homes: [{ kind: 'public' }, { kind: 'public' }], delayMs: 5 });
t.teardown(() => lab.stop());
const server = await startServer(lab);
const [a, b] = await joinAll(lab, server);
if (a === undefined || b === undefined) throw new TypeError('two homes were asked for');

interface Carried {
  readonly rx: number;
  readonly tx: number;
}

async function cardOf({ home }: Box): Promise<Carried> {
  const folder = '/sys/class/net/ginnel0/statistics';
  const { stdout } = await home.host.exec(`cat ${folder}/rx_bytes ${folder}/tx_bytes`);
  const [rx = 0, tx = 0] = stdout.trim().split('\n').map(Number);
  return { rx, tx };
}

const linesOf = (text: string): SpeedEvent[] =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as SpeedEvent);

/** Bytes by the samples: each is of the time since the one before. */
function bytesOf(events: readonly SpeedEvent[], wanted: 'down' | 'up'): number {
  let [last, bytes] = [0, 0];
  for (const event of events) {
    if (event.type !== 'sample') continue;
    if (event.direction === wanted) bytes += (event.bitsPerSecond / 8000) * (event.afterMs - last);
    last = event.afterMs;
  }
  return bytes;
}

t.test(
  'both directions are measured, over the direct path, and the virtual card carried as much',
  async t => {
    await meet(a, b);
    await until('the door at the other box', 30_000, async () => {
      const { stdout } = await b.home.host.exec('ss -Hltn');
      return stdout.includes(`${b.ip}:${SPEED_PORT}`);
    });
    const [before, cards] = [await snapshot(lab), await cardOf(a)];
    const ran = await a.node.ginnel(['speed', b.node.name, '--json']);
    t.equal(ran.code, 0, ran.stderr);
    const events = linesOf(ran.stdout);
    const done = events.at(-1);
    t.match(done, { type: 'done' });
    t.comment(JSON.stringify(done));
    t.ok(done?.type === 'done' && done.down > 1e6 && done.up > 1e6, 'both are more than nothing');
    const now = await cardOf(a);
    for (const [direction, carried] of [
      ['down', now.rx - cards.rx],
      ['up', now.tx - cards.tx],
    ] as const) {
      const told = bytesOf(events, direction);
      t.comment(`${direction}: told ${Math.round(told)} bytes, the card carried ${carried}`);
      t.ok(told > carried * (1 - WITHIN) && told < carried * (1 + WITHIN), direction, { told, carried });
    }
    const moved = await movedSince(lab, before, a.home, b.home);
    t.ok(moved.server < moved.lines / 20, "over the homes' lines, not the server's", moved);
  },
);

t.test('the path was noted meanwhile', async t => {
  const history = await until('a sample', 30_000, async () => {
    const found = await a.node.api<PeerHistory>('GET', `/v1/page/peers/${b.node.name}/history`);
    return found.samples.length > 0 ? found : null;
  });
  t.match(history.samples.at(-1), { class: 'direct', rttMs: Number, label: /direct/ });
});

t.test(
  'who is not of the network reaches the door by a route of its own, and hears that it is not for it',
  async t => {
    await lab.core.exec(`ip route add ${b.ip}/32 via ${b.home.host.address}`);
    const line = `exec 3<>/dev/tcp/${b.ip}/${SPEED_PORT}; printf 'ginnel speed v1\\nd' >&3; timeout 5 head -c 200 <&3`;
    const heard = await lab.server.exec(line, { mayFail: true });
    t.equal(heard.stdout, 'This port is for the boxes of one Ginnel network.\n', heard.stderr);
  },
);

t.test('a box that stays out of it says nothing at all', async t => {
  await b.node.api('POST', '/v1/settings', { set: { 'speed-test': false } });
  const ran = await a.node.ginnel(['speed', b.node.name]);
  t.equal(ran.code, 1);
  t.match(ran.stderr, /takes part in no speed test.*SPEED_NOT_OFFERED/);
});
