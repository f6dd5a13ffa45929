// A router with room for few flows, while a box behind it guesses: what another user of that home notices.
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { GINNEL, startServer } from './ginnel.ts';
import { joinHome } from './homes.ts';
import type { Box } from './homes.ts';
import { Witness } from './neighbour.ts';
import { endOf } from './place.ts';
import { buildLab } from './topology.ts';
import type { Lab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url, { tools: { socat: 'socat' } });

const skip = !existsSync(GINNEL)
  ? 'the ginnel command is not built'
  : process.env['GINNEL_LONG'] === '1'
    ? false
    : 'takes minutes: GINNEL_LONG=1 runs it';

/** A volley is more than this many probes in a tenth of a second; a path's own are fewer. */
const MANY = 8;
const SAMPLE_MS = 100;
const READY_MS = 40_000;

interface Seen {
  readonly lab: Lab;
  readonly witness: Witness;
  /** When volleys left the box, in ms since 1970: those less than half a second apart are one. */
  readonly volleys: readonly { readonly from: number; readonly to: number; readonly probes: number }[];
  readonly mostEntries: number;
  readonly met: boolean;
}

t.test(
  'a router with room for 4,096 flows: another user notices nothing',
  { skip, timeout: 120_000 },
  async t => {
    const { witness, volleys, mostEntries, met } = await meetBehind(t, 'sym+lim4k', 20_000);
    t.comment(
      `${witness.tried.length} connections of another user, ${mostEntries} entries in the router at most`,
    );
    t.ok(volleys.length > 0, 'they guessed', { volleys });
    t.ok(met, 'and met directly');
    t.same(
      witness.tried.filter(({ worked }) => !worked),
      [],
      'each new connection of another user worked',
    );
    t.ok(mostEntries < 1024, `${mostEntries} entries at most`);
  },
);

t.test(
  'a router with room for 256: the try stops, and the room is free again',
  { skip, timeout: 180_000 },
  async t => {
    const { witness, volleys, mostEntries } = await meetBehind(t, 'sym+lim', 75_000);
    const failed = witness.tried.filter(({ worked }) => !worked);
    const [first] = volleys;
    t.comment(
      JSON.stringify({ mostEntries, volleys, failed: failed.map(({ at }) => at - (first?.from ?? 0)) }),
    );
    t.ok(volleys.length > 0, 'they guessed');
    for (const { from, to, probes } of volleys)
      t.ok(to - from <= 1000 + SAMPLE_MS, `a try is over after ${to - from} ms and ${probes} probes`);
    const last = failed.at(-1);
    const lateMs = last === undefined || first === undefined ? 0 : last.at - first.from;
    t.ok(lateMs <= 35_000, `new connections of another user worked again after ${lateMs} ms, and for good`);
    const after = witness.tried.filter(({ at }) => at > (last?.at ?? 0));
    t.ok(after.length > 20, `${after.length} of them since`);
  },
);

/** Two boxes, one behind that router, of which one wants the other all the while. */
async function meetBehind(t: Test, kind: string, watchMs: number): Promise<Seen> {
  const lab = await buildLab({
    homes: [{ kind, hosts: 2 }, { kind: 'prc' }, { kind: 'public' }],
    delayMs: 20,
    server: { addresses: 2 },
  });
  t.teardown(() => lab.stop());
  const server = await startServer(lab);
  const [small, other, open] = lab.homes;
  await joinHome(server, open!, 'relay');
  const from = await joinHome(server, small!, 'small');
  const to = await joinHome(server, other!, 'other');
  for (const box of [from, to]) await knowsItsNat(box);
  lab.server.spawn('socat', ['TCP4-LISTEN:9000,fork,reuseaddr', 'EXEC:true'], { stdio: 'ignore' });
  const witness = Witness.start(small!.hosts[1]!, `${lab.server.address}:9000`, 400);
  await until('the other user', 10_000, () => witness.tried.some(({ worked }) => worked));
  const before = witness.tried.length;
  const trickle = from.node.place.spawn('ping', ['-q', '-i', '0.25', to.ip], { stdio: 'ignore' });
  const { volleys, mostEntries } = await watch(from, watchMs);
  const met = (await from.node.peer('other'))?.state === 'direct';
  t.comment((await from.node.why('other')).join('\n'));
  trickle.kill('SIGKILL');
  await endOf(trickle);
  await witness.stop();
  witness.tried.splice(0, before);
  return { lab, witness, volleys, mostEntries, met };
}

async function knowsItsNat({ node }: Box): Promise<void> {
  await until(`${node.name} to know its NAT`, READY_MS, async () => {
    const { nat } = await node.status();
    return nat.mapping !== 'not-checked' && nat.filtering !== 'not-checked';
  });
}

/** Samples what left the box and what its router remembers. */
async function watch({ home }: Box, watchMs: number): Promise<Pick<Seen, 'volleys' | 'mostEntries'>> {
  await home.host.exec('nft -f -', {
    input: `table ip guesses {
      counter probes {\n}
      chain output {
        type filter hook output priority 0; policy accept;
        udp dport != 0 @th,64,16 0x0001 @th,96,32 0x2112a442 counter name probes
      }
    }\n`,
  });
  const volleys: { from: number; to: number; probes: number }[] = [];
  let [mostEntries, known, lastAt] = [0, 0, Date.now()];
  const end = Date.now() + watchMs;
  while (Date.now() < end) {
    const [counter, entries] = await Promise.all([
      home.host.exec('nft list counter ip guesses probes'),
      home.router?.exec('conntrack -C'),
    ]);
    const now = Date.now();
    const probes = Number(/packets (\d+)/.exec(counter.stdout)?.[1] ?? 0);
    mostEntries = Math.max(mostEntries, Number(entries?.stdout ?? 0));
    if (probes - known > MANY) {
      const current = volleys.at(-1);
      if (current !== undefined && lastAt - current.to < 500) {
        current.to = now;
        current.probes += probes - known;
      } else volleys.push({ from: lastAt, to: now, probes: probes - known });
    }
    [known, lastAt] = [probes, now];
    await pause(SAMPLE_MS);
  }
  return { volleys, mostEntries };
}
