// npm run soak: two boxes at full load, TCP and UDP by turns and both ways, over inner IPv4 and IPv6. At the end memory has to be
// where it was after the first minute, and every packet that is missing has to be in a counter.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { positive, readOrExplain } from './command-line.ts';
import { startServer } from './ginnel.ts';
import { joinAll, meet, type Box } from './homes.ts';
import { account, at, nonZero, since, sum, undelivered, unsent, wireOf, withoutPacket } from './ledger.ts';
import type { Account, Counters } from './ledger.ts';
import { endOf } from './place.ts';
import { buildLab } from './topology.ts';
import { enterLab } from './wrapper.ts';

const EVERY_MS = 5000;
const MARK_S = 60;
const MAY_GROW = 1.1;
/** Each load lasts so long; one after the other, both ways. */
const LOAD_S = 10;
const SETTLE_MS = 2000;
const PORT = 5201;
const LOADS = ['TCP', 'TCP back', 'UDP', 'UDP back', 'TCP over IPv6', 'TCP both ways'] as const;

interface Sample {
  readonly second: number;
  readonly load: string;
  /** Of each daemon, in MB. */
  readonly resident: readonly number[];
  readonly sent: readonly number[];
}

const USAGE = `Usage: npm run soak -- [--minutes 10] [--json FILE]
  --minutes 10     how long; memory is compared from the second minute on
  --json FILE      the samples and the ledger as JSON`;

const { seconds, json } = readOrExplain(USAGE, () => {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '10' }, json: { type: 'string' } },
  });
  return { seconds: positive('minutes', values.minutes) * 60, json: values.json };
});
enterLab(import.meta.url, { refuse, tools: { iperf3: 'iperf3' } });

const lab = await buildLab({ homes: [{ kind: 'prc' }, { kind: 'prc' }] });
const samples: Sample[] = [];
const problems: string[] = [];
let load = '';
let before: Account;
let after: Account;
try {
  const [one, other] = await joinAll(lab, await startServer(lab));
  if (one === undefined || other === undefined) throw new TypeError('two homes were asked for');
  await meet(one, other);
  await pause(SETTLE_MS);
  before = await account(lab, one, other);
  await Promise.all([putUnderLoad(one, other), sampleAll([one, other])]);
  await pause(SETTLE_MS);
  after = since(before, await account(lab, one, other));
} finally {
  await lab.stop();
}
problems.push(...memoryProblems(), ...dropProblems(after));
process.stdout.write(`\n${problems.length === 0 ? 'As it should be.' : problems.join('\n')}\n`);
if (json !== undefined)
  writeFileSync(resolve(json), `${JSON.stringify({ samples, ledger: after, problems }, null, 2)}\n`);
process.exit(problems.length === 0 ? 0 : 1);

async function putUnderLoad(one: Box, other: Box): Promise<void> {
  const server = other.home.host.spawn('iperf3', ['-s', '-p', String(PORT)], { stdio: 'ignore' });
  const { ip6 } = await other.node.status();
  await pause(500);
  const end = performance.now() + seconds * 1000;
  for (let turn = 0; performance.now() < end; turn++) {
    load = LOADS[turn % LOADS.length] ?? '';
    const lasts = Math.max(1, Math.min(LOAD_S, Math.ceil((end - performance.now()) / 1000)));
    const flags = [
      ...(load.includes('UDP') ? ['-u', '-b', '0', '-l', '1200'] : []),
      ...(load.includes('back') ? ['-R'] : []),
      ...(load.includes('both') ? ['--bidir'] : []),
    ];
    const to = load.includes('IPv6') ? ip6 : other.ip;
    const line = `iperf3 -c ${to} -p ${PORT} -t ${lasts} ${flags.join(' ')}`;
    const { code, stderr, stdout } = await one.home.host.exec(line, { mayFail: true, timeoutMs: 60_000 });
    if (code !== 0)
      problems.push(`${load}: iperf3 ended with ${code}: ${(stderr || stdout).trim().slice(-200)}`);
  }
  server.kill('SIGTERM');
  await endOf(server);
}

async function sampleAll(boxes: readonly Box[]): Promise<void> {
  process.stdout.write(' second  load            resident MB        GB sent\n');
  const begun = performance.now();
  for (let second = 0; second <= seconds; second = Math.round((performance.now() - begun) / 1000)) {
    const peers = await Promise.all(
      boxes.map(async ({ node }) => (await node.status()).peers[0]?.bytesOut ?? 0),
    );
    const sample: Sample = { second, load, resident: boxes.map(residentMb), sent: peers };
    samples.push(sample);
    const memory = sample.resident.map(each => each.toFixed(1).padStart(7)).join(' ');
    const sent = peers.map(each => (each / 1e9).toFixed(2).padStart(7)).join(' ');
    process.stdout.write(`${String(second).padStart(7)}  ${load.padEnd(14)} ${memory}    ${sent}\n`);
    await pause(EVERY_MS);
  }
}

/** As the kernel tells it. */
function residentMb({ node }: Box): number {
  const status = readFileSync(`/proc/${node.pid ?? 0}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

/** The mean of a minute against that of the last one: a single sample may fall between two collections of garbage. */
function memoryProblems(): string[] {
  return [0, 1].flatMap(box => {
    const mean = (from: number, to: number): number => {
      const taken = samples
        .filter(({ second }) => second >= from && second < to)
        .map(each => each.resident[box] ?? 0);
      return sum(taken) / taken.length;
    };
    const half = Math.min(30, seconds / 4);
    const mark = Math.min(MARK_S, seconds / 2);
    const [early, late] = [mean(mark - half / 2, mark + half / 2 + 1), mean(seconds - half, Infinity)];
    process.stdout.write(
      `box${box}: ${early.toFixed(1)} MB after ${mark} s, ${late.toFixed(1)} MB at the end\n`,
    );
    return late <= early * MAY_GROW
      ? []
      : [`box${box} grew from ${early.toFixed(1)} to ${late.toFixed(1)} MB`];
  });
}

/** From card to card, in both directions. */
function dropProblems(grown: Account): string[] {
  return ([0, 1] as const).flatMap(from => {
    const [sender, receiver] = [grown.ends[from].counters, grown.ends[from === 0 ? 1 : 0].counters];
    const wire = wireOf(grown, from);
    const counted: Counters = nonZero({
      ...unsent(sender),
      ...wire.elsewhere,
      ...withoutPacket(receiver),
      ...undelivered(receiver),
    });
    const [packets, came] = [at(sender, 'dataplane.out.packets'), at(receiver, 'dataplane.in.packets')];
    const others =
      wire.left - packets - (at(receiver, 'dataplane.in.keepalives') + at(receiver, 'dataplane.in.words'));
    const lost = packets - came + others;
    process.stdout.write(
      `box${from}: ${packets} packets sealed, ${came} opened at the other end, ${lost} messages lost on the way, ${wire.unexplained} not in any counter; counted ${JSON.stringify(counted)}\n`,
    );
    if (packets === 0) return [`box${from} sent nothing`];
    return wire.unexplained === 0
      ? []
      : [`${wire.unexplained} datagrams of box${from} are gone and nobody counted them`];
  });
}

function refuse(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}
