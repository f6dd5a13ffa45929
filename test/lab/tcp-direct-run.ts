// Boxes that have TCP alone between them, by the product itself: each kind of home against itself, every pair of five boxes.
//   node dist/test/lab/tcp-direct-run.js [--kinds prc+noudp,seq1+noudp] [--boxes 5] [--verbose]
import { parseArgs } from 'node:util';
import { startServer } from './ginnel.ts';
import { joinHome, type Box } from './homes.ts';
import { buildLab } from './topology.ts';
import { enterLab } from './wrapper.ts';

const KINDS = ['prc', 'prcnp', 'naive', 'carrier', 'seq1', 'seq2', 'seq5'].map(kind => `${kind}+noudp`);

enterLab(import.meta.url);
const { values } = parseArgs({
  options: {
    kinds: { type: 'string', default: KINDS.join(',') },
    boxes: { type: 'string', default: '5' },
    verbose: { type: 'boolean', default: false },
  },
});

for (const kind of values.kinds.split(',')) console.log(await meetAll(kind.split(':'), Number(values.boxes)));
process.exit(0);

/** `kinds` in turn, one for each box. */
async function meetAll(kinds: readonly string[], count: number): Promise<string> {
  const homes = Array.from({ length: count }, (_, index) => ({ kind: kinds[index % kinds.length]! }));
  const lab = await buildLab({ homes, delayMs: 20, server: { addresses: 2 } });
  const server = await startServer(lab);
  const boxes: Box[] = [];
  for (const [index, home] of lab.homes.entries())
    boxes.push(await joinHome(server, home, `box${index}-${lab.homes.length}`));
  const times: string[] = [];
  for (const [at, one] of boxes.entries())
    for (const other of boxes.slice(at + 1)) times.push(await meet(one, other));
  await lab.stop();
  return `${kinds.join(' x ')}: ${times.join(' ')}`;
}

/** Ms to the first reply, `-` for none; `!` where that is not by a direct connection over TCP. */
async function meet(one: Box, other: Box): Promise<string> {
  const before = performance.now();
  const { code } = await one.home.host.exec(`ping -q -c 1 -i 0.1 -w 10 ${other.ip}`, { mayFail: true });
  const ms = Math.round(performance.now() - before);
  const peer = await one.node.peer(other.node.name);
  const isTcp = peer?.state === 'direct' && peer.path?.transport === 'tcp';
  if (values.verbose || code !== 0 || !isTcp) {
    for (const [box, from] of [
      [one, other],
      [other, one],
    ] as const)
      console.log((await box.node.ginnel(['why', from.node.name])).stdout);
  }
  return `${code === 0 ? ms : '-'}${isTcp ? '' : '!'}`;
}
