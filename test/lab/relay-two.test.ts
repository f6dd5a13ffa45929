// V11: no single relay is reached by both ends: the first one hands on to the second, by the kernel's count of each step.
import t from 'tap';
import type { Box } from './homes.ts';
import { RelayLab } from './relayed.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const BOUND_MS = 45_000;
const PINGS = 100;
const SIZE = 1000;

const it = await RelayLab.start({ homes: ['sym+noudp', 'sym+noudp'], relays: 2 });
t.teardown(() => it.stop());
const [a, b] = it.homes as [Box, Box];
const [near, far] = it.relays as [Box, Box];

t.test('V11: a packet crosses two relays where neither is reached by both ends', async t => {
  await it.trouble.parted(a.home, far.home, true);
  await it.trouble.parted(b.home, near.home, true);
  await a.node.explained(
    until('an answer over two relays', BOUND_MS, async () => {
      const { code } = await a.node.place.exec(`ping -q -c 1 -W 1 ${b.ip}`, { mayFail: true });
      return code === 0;
    }),
  );
  const steps = [
    [a, near],
    [near, far],
    [far, b],
  ] as const;
  const count = async (): Promise<number[]> =>
    Promise.all(steps.map(async ([from, to]) => (await it.trouble.between(from.home, to.home)).bytes));
  const before = await count();
  const { stdout } = await a.node.place.exec(`ping -q -c ${PINGS} -i 0.02 -W 2 -s ${SIZE} ${b.ip}`, {
    mayFail: true,
  });
  const after = await count();
  t.match(stdout, new RegExp(` ${PINGS} received`), stdout);
  for (const [index, [from, to]] of steps.entries()) {
    const bytes = (after[index] ?? 0) - (before[index] ?? 0);
    t.ok(bytes > PINGS * SIZE, `${from.node.name} to ${to.node.name}: ${bytes} bytes`);
  }
  const peer = await a.node.peer(b.node.name);
  t.match(peer, { state: 'relayed', path: { label: `via ${near.node.name}` } });
  t.match(await b.node.peer(a.node.name), { state: 'relayed', path: { label: `via ${far.node.name}` } });
});
