// npm run bench: Ginnel beside what else Debian has, interleaved in one run, in a lab of namespaces.
//   --rounds N     (3) of the cheap cases; costly ones have one     --seconds N  (4) of a TCP run
//   --quick        TCP one stream, ping, memory, idle CPU only
//   --only NAME    a contender; --case NAME: a case; both may be repeated; --list says which there are
//   --door koffi|tuntap   by which door Ginnel goes, default koffi; tuntap is compiled first: docs/dependencies.md
//   --json FILE    all samples; --svg FILE: the drawing
//   --write-docs   docs/performance.md and .svg anew, from this run or, with --from FILE, from that one's JSON;
//                  --remark WORDS: a sentence on the circumstances, put first
// Exit code 0: all was measured; 1: a contender failed (the others were measured all the same); 2: wrong usage.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { execFileSync } from 'node:child_process';
import { readOrExplain } from '../lab/command-line.ts';
import { enterLab } from '../lab/wrapper.ts';
import { cases, everyone } from './cases/table.ts';
import { drawing } from './drawing.ts';
import type { Report } from './figures.ts';
import { noNoiseYet, thisMachine } from './noise.ts';
import { commandOf, readOptions, USAGE } from './options.ts';
import { writePage } from './page.ts';
import { runCases } from './run.ts';
import { terminalText } from './words.ts';

const options = readOrExplain(USAGE, () =>
  readOptions(process.argv.slice(2), { cases: cases(''), contenders: everyone('') }),
);
if (options.list) list();
if (options.from !== '') {
  writeOut(keptIn(resolve(options.from)));
  process.exit(0);
}

const isWanted = ({ name }: { readonly name: string }): boolean =>
  options.only.length === 0 || options.only.includes(name);
const wantedCases = cases(options.door).filter(({ name, isQuick = false }) =>
  options.case.length === 0 ? isQuick || !options.quick : options.case.includes(name),
);
const wanted = wantedCases.flatMap(({ stage }) => stage.contenders).filter(isWanted);
const tools = Object.assign({ iperf3: 'iperf3' }, ...wanted.map(each => each.tools)) as Record<
  string,
  string
>;
enterLab(import.meta.url, { refuse, tools });

// wireguard-go's control sockets lie in /run/wireguard: a file system of the lab's own hides the machine's.
execFileSync('bash', ['-ec', 'mkdir -p /run/wireguard && mount -t tmpfs none /run/wireguard']);
const started = performance.now();
const report: Report = {
  startedAt: new Date().toISOString(),
  minutes: 0,
  command: commandOf(options),
  machine: thisMachine(),
  noise: noNoiseYet(),
  contenders: [],
  samples: {},
  notYet: [],
  failures: [],
};
const { rounds, seconds, door } = options;
const settings = { rounds, seconds, door };
await runCases({ cases: wantedCases, isWanted, settings, report, say });
const order = everyone('').map(({ name }) => name);
report.contenders.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
report.minutes = (performance.now() - started) / 60_000;
process.stdout.write(`\n${terminalText(report)}`);
writeOut(report);
process.exit(report.failures.length === 0 ? 0 : 1);

function keptIn(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch (error) {
    return refuse(`${file} holds no run: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function writeOut(run: Report): void {
  if (options.json !== '') writeFileSync(resolve(options.json), `${JSON.stringify(run, null, 1)}\n`);
  if (options.svg !== '') writeFileSync(resolve(options.svg), drawing(run));
  if (options.writeDocs) writePage(run, options.remark);
  if (options.from !== '' && options.json === '' && options.svg === '' && !options.writeDocs)
    process.stdout.write(terminalText(run));
}

function list(): never {
  const lines = [
    ...['Contenders:', ...everyone('').map(({ name, setUp }) => `  ${name.padEnd(16)}${setUp}`)],
    ...['Cases:', ...cases('').map(({ name, says }) => `  ${name.padEnd(16)}${says}`)],
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exit(0);
}

function say(words: string): void {
  process.stderr.write(`${words}\n`);
}

function refuse(reason: string): never {
  say(reason);
  process.exit(1);
}
