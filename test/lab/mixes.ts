// npm run mixes: bulks of TCP and UDP through two boxes for each mix of abilities, with trouble on the way.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { positive, readOrExplain, someOf } from './command-line.ts';
import { FAMILIES, LOSSES, MIXES, PROTOCOLS, runMixes } from './mixes-run.ts';
import type { Row } from './mixes-run.ts';
import { enterLab } from './wrapper.ts';

const USAGE = `Usage: npm run mixes -- [OPTION VALUE]…
  --bytes 1e9         a bulk of each row
  --mix whole,cut     what both boxes do without: ${MIXES.join(', ')}
  --loss clean,1      per cent; all but "clean" also re-ordered and duplicated: ${LOSSES.join(', ')}
  --family 4,6        of the inner packets
  --protocol tcp,udp
  --minutes 10        the bound of a row
  --json FILE         the rows as JSON`;

const { plan, json } = readOrExplain(USAGE, () => {
  const { values } = parseArgs({
    options: {
      bytes: { type: 'string', default: '1e9' },
      mix: { type: 'string', default: MIXES.join() },
      loss: { type: 'string', default: LOSSES.join() },
      family: { type: 'string', default: FAMILIES.join() },
      protocol: { type: 'string', default: PROTOCOLS.join() },
      minutes: { type: 'string', default: '10' },
      json: { type: 'string' },
    },
  });
  const wanted = {
    mixes: someOf('mix', values.mix, MIXES),
    losses: someOf('loss', values.loss, LOSSES),
    families: someOf('family', values.family, FAMILIES),
    protocols: someOf('protocol', values.protocol, PROTOCOLS),
    bytes: positive('bytes', values.bytes),
    rowMs: positive('minutes', values.minutes) * 60_000,
  };
  return { plan: wanted, json: values.json };
});
enterLab(import.meta.url, { refuse });

const total = [plan.mixes, plan.losses, plan.families, plan.protocols].reduce(
  (all, each) => all * each.length,
  1,
);
const rows: Row[] = [];

process.stdout.write(`${total} rows of ${plan.bytes / 1e6} MB each\n`);
await runMixes(plan, row => {
  rows.push(row);
  process.stdout.write(`${lineOf(row)}\n`);
  // Written as it comes: whoever breaks it off has what there was.
  if (json !== undefined) writeFileSync(resolve(json), `${JSON.stringify(rows, null, 2)}\n`);
});
const wrong = rows.filter(({ problems }) => problems.length > 0);
process.stdout.write(`\n${rows.length - wrong.length} of ${total} as they should be.\n`);
process.exit(wrong.length === 0 && rows.length === total ? 0 : 1);

function lineOf({
  mix,
  loss,
  family,
  protocol,
  seconds,
  bytes,
  carriedBy,
  session,
  wire,
  used,
  problems,
}: Row): string {
  const mark = problems.length === 0 ? 'ok   ' : 'WRONG';
  const rate = `${((bytes * 8) / 1e6 / seconds).toFixed(0)} Mbit/s`;
  const what = `${mark} ${mix === 'whole' ? 'whole' : `without ${mix}`}`.padEnd(28);
  const trouble = loss === 'clean' ? 'clean' : `${loss} % lost`;
  const told =
    wire === null
      ? ''
      : `${wire.left} sent, ${wire.dropped} dropped, ${wire.duplicated} twice, ${wire.reordered} late; elsewhere ${JSON.stringify(wire.elsewhere)}`;
  const way = `[${rows.length}/${total}] ${carriedBy}, ${session}; ${told}; ${JSON.stringify(used)}`;
  const line = `${what} ${trouble.padEnd(9)} IPv${family} ${protocol} ${rate.padStart(11)}  ${way}`;
  return [line, ...problems.map(problem => `      ${problem}`)].join('\n');
}

function refuse(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}
