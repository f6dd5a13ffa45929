// The table of tcp-punch by hand: node dist/test/lab/tcp-punch-run.js [--pairs prc:prc,seq1:prc] [--skews 0,25] [--rounds 3]
import { parseArgs } from 'node:util';
import { PunchEnd, startStun, tryOnce } from './tcp-punch.ts';
import { buildLab } from './topology.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);
const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: 'prc:prc,seq1:prc,naive:naive,prc+rst:prc+rst' },
    skews: { type: 'string', default: '0,25,50,100' },
    rounds: { type: 'string', default: '3' },
    delay: { type: 'string', default: '20' },
    hold: { type: 'string', default: '120' },
    bare: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const pairs = values.pairs.split(',').map(pair => pair.split(':') as [string, string]);
const lab = await buildLab({ homes: pairs.flat().map(kind => ({ kind })), delayMs: Number(values.delay) });
await startStun(lab);
for (const [index, pair] of pairs.entries()) {
  const [one, other] = await Promise.all(
    [0, 1].map(side => PunchEnd.start(lab.homes[2 * index + side]!, `end${2 * index + side}`)),
  );
  const cells: string[] = [];
  for (const skewMs of values.skews.split(',').map(Number)) {
    const times: number[] = [];
    let good = 0;
    for (let round = 0; round < Number(values.rounds); round++) {
      const it = await tryOnce(one!, other!, {
        skewMs,
        holdBackMs: Number(values.hold),
        withoutLow: values.bare,
      });
      const both = it.offerer.ok && it.answerer.ok && it.offerer.heard !== '' && it.answerer.heard !== '';
      if (both) good++;
      times.push(it.offerer.ms ?? -1, it.answerer.ms ?? -1);
      if (values.verbose || !both) console.log(JSON.stringify({ pair, skewMs, ...it }));
    }
    cells.push(`${skewMs} ms: ${good}/${values.rounds} (${times.join(' ')})`);
  }
  console.log(pair.join(' x '), '|', cells.join(' | '));
}
await lab.stop();
process.exit(0);
