// npm run bench: a pair of nodes beside the bare cable and Debian's wireguard-go, interleaved, medians.
//   --rounds N (5)   --seconds N (4) per TCP run   --json FILE   --only NAME (may be repeated)
//   --door koffi|tuntap   by which Ginnel goes; default: the fastest that works
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildLab } from '../lab/topology.ts';
import { until } from '../lab/waiting.ts';
import { enterLab } from '../lab/wrapper.ts';
import { bareCable, ginnel, wireguardGo } from './contenders.ts';
import type { Contender } from './contenders.ts';
import { idleShare, median, memory, pings, tcp } from './measures.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    json: { type: 'string' },
    only: { type: 'string', multiple: true },
    door: { type: 'string', default: '' },
  },
});
enterLab(import.meta.url, {
  refuse,
  tools: { iperf3: 'iperf3', wg: 'wireguard-tools', 'wireguard-go': 'wireguard-go' },
});

const IDLE_S = 10;
const rounds = Number(options.rounds);
const lab = await buildLab({ homes: [{ kind: 'public' }, { kind: 'public' }] });
const [homeA, homeB] = lab.homes;
if (homeA === undefined || homeB === undefined) throw new TypeError('two homes were asked for');
const pair = { one: homeA.host, other: homeB.host };
const isWanted = (name: string) => options.only?.includes(name) ?? true;

const contenders: Contender[] = [
  ...(isWanted('veth') ? [bareCable(pair)] : []),
  ...(isWanted('wireguard-go') ? [await wireguardGo(pair)] : []),
  ...(isWanted('ginnel') ? [await ginnel(lab, pair, options.door)] : []),
];
pair.other.spawn('iperf3', ['-s'], { stdio: 'ignore' });
await until('iperf3', 10_000, async () =>
  (await pair.other.exec('cat /proc/net/tcp6')).stdout.includes(':1451 '),
);

interface Row {
  readonly name: string;
  readonly gigabitsPerSecond: number[];
  readonly cpuSecondsPerGigabyte: number[];
  readonly pingMs: number[];
  idlePercent: number | null;
  memoryMb: number | null;
}

const rows: Row[] = contenders.map(({ name }) => ({
  name,
  gigabitsPerSecond: [],
  cpuSecondsPerGigabyte: [],
  pingMs: [],
  idlePercent: null,
  memoryMb: null,
}));
const each = contenders.map((contender, index) => ({ contender, row: rows[index] as Row }));

say(`Idling ${IDLE_S} s, then ${rounds} rounds of ${options.seconds} s.`);
await Promise.all(
  each.map(async ({ contender, row }) => (row.idlePercent = await idleShare(contender, IDLE_S))),
);
for (let round = 0; round < rounds; round += 1) {
  for (const { contender, row } of each) {
    row.pingMs.push(...(await pings(pair, contender)));
    const run = await tcp(pair, contender, Number(options.seconds));
    row.gigabitsPerSecond.push(run.gigabitsPerSecond);
    if (run.cpuSecondsPerGigabyte !== null) row.cpuSecondsPerGigabyte.push(run.cpuSecondsPerGigabyte);
    row.memoryMb = await memory(contender);
    say(`round ${round + 1}: ${contender.name.padEnd(15)} ${run.gigabitsPerSecond.toFixed(3)} Gbit/s`);
  }
}

const results = rows.map(row => ({
  name: row.name,
  gigabitsPerSecond: median(row.gigabitsPerSecond),
  cpuSecondsPerGigabyte: row.cpuSecondsPerGigabyte.length === 0 ? null : median(row.cpuSecondsPerGigabyte),
  pingMs: median(row.pingMs),
  memoryMb: row.memoryMb,
  idlePercent: row.idlePercent,
}));
process.stdout.write(table());
const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? '', node: process.version };
if (options.json !== undefined)
  writeFileSync(resolve(options.json), `${JSON.stringify({ machine, results }, null, 2)}\n`);
process.exit(0);

function table(): string {
  const head = ['', 'TCP Gbit/s', 'CPU s/GB', 'ping ms', 'memory MB', 'idle CPU %'];
  const show = (value: number | null, digits: number) => (value === null ? '–' : value.toFixed(digits));
  const lines = results.map(row => [
    row.name,
    show(row.gigabitsPerSecond, 3),
    show(row.cpuSecondsPerGigabyte, 1),
    show(row.pingMs, 2),
    show(row.memoryMb, 0),
    show(row.idlePercent, 1),
  ]);
  const text = [head, ...lines]
    .map(cells =>
      cells
        .map(cell => cell.padEnd(16))
        .join('')
        .trimEnd(),
    )
    .join('\n');
  return `\n${text}\n\nMedians; both ends and iperf3 share ${cpus().length} processors. CPU: user and system of both daemons.\n`;
}

function say(words: string): void {
  process.stderr.write(`${words}\n`);
}

function refuse(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}
