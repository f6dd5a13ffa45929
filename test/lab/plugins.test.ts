// Plugins at run time in real daemons while traffic flows: toggled under a stream, dropped in by hand, misbehaving.
// Home 0: two boxes on one LAN behind a symmetric NAT. Home 1: a box behind a port-restricted one.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { PluginStatus } from '../../core/admin.ts';
import { repositoryRoot } from '../support/repository.ts';
import { preload } from './attempt.ts';
import { whoCarries } from './carried.ts';
import { startNode, startServer, type GinnelNode } from './ginnel.ts';
import { meet, type Box } from './homes.ts';
import type { Arrived } from './numbered.ts';
import { endOf, type Place } from './place.ts';
import { buildLab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab, LAB_FOLDER } from './wrapper.ts';

enterLab(import.meta.url);

const BOUND_MS = 30_000;
const ROUNDS = process.env['GINNEL_LONG'] === '1' ? 100 : 30;
const SETTLED_FROM = 10;
const PER_SECOND = 1000;
const ON_FOR_MS = 150;
const STREAM_BYTES = 200;
const NUMBERED = fileURLToPath(new URL('./numbered.js', import.meta.url));
const MEMORY = `${LAB_FOLDER}/memory`;
/** On SIGUSR2 the daemon clears away what is no longer used, and writes what is left and how long it stood still. */
const SETTLES = `
  import v8 from 'node:v8'; import vm from 'node:vm'; import { writeFileSync } from 'node:fs';
  import { monitorEventLoopDelay } from 'node:perf_hooks';
  const turns = monitorEventLoopDelay({ resolution: 5 });
  turns.enable();
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc');
  process.on('SIGUSR2', () => { gc(); setImmediate(() => { gc(); writeFileSync('${MEMORY}', JSON.stringify({ ...process.memoryUsage(), longestTurnMs: turns.max / 1e6 })); turns.reset(); }); });`;

const lab = await buildLab({ homes: [{ kind: 'sym', hosts: 2 }, { kind: 'prc' }], delayMs: 20 });
t.teardown(() => lab.stop());
const [here, there] = lab.homes;
const neighbour = here?.hosts[1];
if (here === undefined || there === undefined || neighbour === undefined)
  throw new TypeError('two homes were asked for');
const server = await startServer(lab);
const runnerOptions = process.env['NODE_OPTIONS'];
process.env['NODE_OPTIONS'] = preload(SETTLES);
const a = boxOf(await startNode(server, here.host, 'a'), here);
process.env['NODE_OPTIONS'] = runnerOptions ?? '';
const b = boxOf(await startNode(server, neighbour, 'b'), here);
const c = boxOf(await startNode(server, there.host, 'c'), there);
// What is measured is what a toggle costs, not who gets the CPU of the machine that the lab shares.
for (const { node } of [a, b]) hurry(node);
const ipOf = async ({ node }: Pick<Box, 'node'>): Promise<string> => (await node.status()).ip4;

function boxOf(node: GinnelNode, home: Box['home']): Omit<Box, 'ip'> {
  return { node, home };
}

const toggle = async (order: 'enable' | 'disable'): Promise<PluginStatus> =>
  a.node.api<PluginStatus>('POST', `/v1/node/plugins/nat-stun/${order}`);

t.test(
  `nat-stun off and on ${ROUNDS} times under ${PER_SECOND} packets per second on the LAN: none lost, no memory kept`,
  async t => {
    const ip = await ipOf(b);
    await until('the two on the LAN to meet', BOUND_MS, async () => {
      await here.host.exec(`ping -q -c 1 -W 1 ${ip}`, { mayFail: true });
      return (await a.node.peer('b'))?.path?.class === 'lan';
    });
    const line = await here.wanBytes();
    const card = await receivedBytes(neighbour);
    t.comment(`before: ${await settledMemory(a.node)} KiB`);
    const stream = await Stream.start(here.host, neighbour, ip);
    const at: Record<number, number> = {};
    const used: Record<number, number> = {};
    for (let round = 1; round <= ROUNDS; round++) {
      t.match(await toggle('disable'), { state: 'off' }, `round ${round}: off`);
      const on = await toggle('enable');
      if (!['ready', 'limited'].includes(on.state)) t.fail(`round ${round}: on`, on);
      // Long enough for its measuring to be under way, and, now and then, to be done.
      await pause(round % 25 === 0 ? 3000 : ON_FOR_MS);
      if (round === SETTLED_FROM || round === ROUNDS) {
        at[round] = await settledMemory(a.node);
        used[round] = usedMemory();
      }
    }
    const { sent, arrived } = await stream.end();
    const through = (await receivedBytes(neighbour)) - card;
    const outside = (await here.wanBytes()) - line;
    t.comment(`${sent} sent, ${arrived.count} arrived, longest pause ${arrived.longestPauseMs} ms`);
    t.comment(
      `resident after round ${SETTLED_FROM}: ${at[SETTLED_FROM]} KiB, after round ${ROUNDS}: ${at[ROUNDS]} KiB`,
    );
    t.comment(`by the kernel: ${through} bytes came to the neighbour's card, ${outside} crossed the line`);
    const drops = await Promise.all([dropsOf(here.host, a.node), dropsOf(neighbour, b.node)]);
    t.same([arrived.count, arrived.twice, arrived.gaps], [sent, 0, []], 'every number came, once', {
      drops,
    });
    t.ok(sent > ROUNDS * PER_SECOND * 0.1, 'it flowed all the time', { sent });
    t.ok(through > sent * STREAM_BYTES, 'it came over the LAN');
    t.ok(outside < (sent * STREAM_BYTES) / 4, 'and not over the line to the outside');
    t.ok(at[ROUNDS]! < at[SETTLED_FROM]! * 1.1, 'memory is within 10 %', at);
    // What the kernel counts may shrink meanwhile and hide what is kept.
    t.ok(used[ROUNDS]! < used[SETTLED_FROM]! * 1.1, 'and so is what is in use of it', used);
  },
);

t.test(
  'a plugin that is dropped in and set by hand: what it offers brings two boxes together that could not meet',
  async t => {
    const ip = await ipOf(a);
    // Or its guesses would bring them together.
    for (const { node } of [a, c]) await node.api('POST', '/v1/node/plugins/nat-portpredict/disable');
    await there.host.exec(`ping -q -c 1 -W 2 ${ip}`, { mayFail: true });
    await until(
      'the try to be over',
      BOUND_MS,
      async () => (await c.node.peer('a'))?.state === 'unreachable',
    );
    const port = (await a.node.status()).udpPort ?? 0;
    await here.router?.exec(`nft -f -`, {
      input: `table ip forwarded { chain pre { type nat hook prerouting priority -110;
      iifname "wan" udp dport 41641 dnat to ${here.host.address}:${port}
    }\n}\n`,
    });
    const folder = join(a.node.folder, 'plugins', 'example-plugin');
    cpSync(join(repositoryRoot, 'docs/example-plugin'), folder, { recursive: true });
    const { pid } = a.node;
    const listed = await a.node.ginnel(['plugins']);
    t.match(listed.stdout, /example-plugin +off +third-party/, 'seen without a restart, and off');
    const set = await a.node.ginnel(['plugins', 'set', 'example-plugin', `address=${here.outerAddress}`]);
    t.equal(set.code, 0, set.stderr);
    const on = await a.node.ginnel(['plugins', 'enable', 'example-plugin']);
    t.match(on, { code: 0, stdout: 'example-plugin is on.\n', stderr: /has all rights that Ginnel has/ });
    const offered = `${here.outerAddress}:41641`;
    t.match(
      (await a.node.why('b')).join('\n'),
      `${offered} (opened by the router)`,
      'it is among the places at which this box is',
    );
    t.comment(`met after ${(await meet({ ...c, ip: await ipOf(c) }, { ...a, ip })).toFixed(0)} ms`);
    t.equal((await c.node.peer('a'))?.path?.remote, offered, 'by the address that the plugin offered');
    t.match(await whoCarries(lab, { place: there.host, home: there }, { home: here, ip }), { by: 'direct' });
    t.equal(a.node.pid, pid, 'the daemon was not restarted');
  },
);

const ROUGH = `export function createPlugin() {
  const fail = () => { throw new Error('no luck') };
  return {
    async start() {
      Promise.reject(new Error('nobody listens'));
      setInterval(() => { throw new Error('in a timer of its own') }, 50);
    },
    stop: () => new Promise(() => {}),
    report: fail, candidates: fail, natReport: fail, refresh: fail, onChange: fail,
  };
}`;

t.test(
  'a plugin that throws everywhere, rejects, and never stops: the daemon lives, packets flow, and it is said',
  async t => {
    const folder = join(a.node.folder, 'plugins', 'rough');
    mkdirSync(folder, { recursive: true });
    const manifest = JSON.parse(
      readFileSync(join(repositoryRoot, 'docs/example-plugin/plugin.json'), 'utf8'),
    ) as object;
    writeFileSync(
      join(folder, 'plugin.json'),
      JSON.stringify({ ...manifest, name: 'rough', settings: { type: 'object' } }),
    );
    writeFileSync(join(folder, 'index.mjs'), ROUGH);
    const { pid } = a.node;
    const pings = here.host.exec(`ping -q -c 200 -i 0.05 ${await ipOf(b)}`);
    await a.node.ginnel(['plugins', 'enable', 'rough']);
    const said = await until('it to be said', BOUND_MS, async () => {
      const { plugins, health } = await a.node.status();
      const isSaid = plugins.find(({ name }) => name === 'rough')?.code === 'PLUGIN_CRASHED';
      return isSaid ? health.map(({ words }) => words) : null;
    });
    t.match(said.join(), /third-party plugin rough is failed \(PLUGIN_CRASHED\)/);
    t.match((await pings).stdout, / 0% packet loss/);
    t.equal(a.node.pid, pid, 'the same process');
    const off = await a.node.ginnel(['plugins', 'disable', 'rough']);
    t.match(off, { code: 0, stdout: /^rough is off\./ });
    t.notMatch((await a.node.status()).health.map(({ words }) => words).join(), /rough/);
  },
);

/** All threads of the daemon go before others: also those that collect its garbage, which its main one waits for. */
function hurry({ pid }: GinnelNode): void {
  for (const thread of readdirSync(`/proc/${pid ?? 0}/task`)) setPriority(Number(thread), -15);
}

/** What the daemon keeps in memory once it has cleared away what it does not use: the median of five looks, in KiB. */
async function settledMemory({ pid }: GinnelNode): Promise<number> {
  if (pid === null) throw new TypeError('it does not run');
  const looks: number[] = [];
  for (let look = 0; look < 5; look++) {
    process.kill(pid, 'SIGUSR2');
    await pause(400);
    looks.push(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]));
  }
  t.comment(`memory: ${readFileSync(MEMORY, 'utf8')}`);
  return looks.sort((one, other) => one - other)[2] ?? 0;
}

/** What the kernel dropped for want of room: where to look when a number is missing. */
async function dropsOf(place: Place, node: GinnelNode): Promise<unknown> {
  const { stdout } = await place.exec(`awk '/ginnel/ { print $1, "in", $5, "out", $13 }' /proc/net/dev
    nstat -asz UdpRcvbufErrors UdpSndbufErrors | tail -n +2`);
  const counters = Object.entries(await node.api<Record<string, number>>('GET', '/v1/node/counters'));
  return [
    stdout,
    counters.filter(([name, value]) => value > 0 && /drop|no-path|held|unknown|busy|lost/.test(name)),
  ];
}

/** Of its heap and of buffers, in bytes, at the last look. */
function usedMemory(): number {
  const { heapUsed, external } = JSON.parse(readFileSync(MEMORY, 'utf8')) as NodeJS.MemoryUsage;
  return heapUsed + external;
}

/** Through the interface towards the LAN, in bytes, by the kernel's count. */
async function receivedBytes(place: Place): Promise<number> {
  return (await place.counters())[place.device]?.receivedBytes ?? 0;
}

interface Ends {
  readonly from: ReturnType<Place['spawn']>;
  readonly to: ReturnType<Place['spawn']>;
}

class Stream {
  readonly #ends: Ends;
  readonly #lines: string[];

  private constructor(ends: Ends, lines: string[]) {
    this.#ends = ends;
    this.#lines = lines;
  }

  static async start(from: Place, to: Place, ip: string): Promise<Stream> {
    const run = (place: Place, role: string): ReturnType<Place['spawn']> =>
      // Ahead of others: what is measured is the path, not who gets the lab's CPU.
      place.spawn('nice', ['-n', '-15', process.execPath, NUMBERED, role, ip, '5003', String(PER_SECOND)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    const lines: string[] = [];
    const receiver = run(to, 'receive');
    if (receiver.stdout !== null)
      createInterface({ input: receiver.stdout }).on('line', line => lines.push(line));
    await until('the receiver to listen', BOUND_MS, () => lines.length > 0);
    const stream = new Stream({ from: run(from, 'send'), to: receiver }, lines);
    await until('the first to arrive', BOUND_MS, () => stream.arrived.count > 0);
    return stream;
  }

  get arrived(): Arrived {
    return JSON.parse(this.#lines.at(-1) ?? 'null') as Arrived;
  }

  /** Stops sending, and waits until all has arrived or nothing more comes. */
  async end(): Promise<{ readonly sent: number; readonly arrived: Arrived }> {
    const { from, to } = this.#ends;
    let said = '';
    from.stdout?.on('data', part => (said += String(part)));
    from.kill('SIGTERM');
    await endOf(from);
    const { sent } = JSON.parse(said) as { sent: number };
    const told = this.#lines.length;
    await until(
      'the rest to arrive',
      BOUND_MS,
      () => this.arrived.count >= sent || this.#lines.length > told + 6,
    );
    to.kill('SIGKILL');
    return { sent, arrived: this.arrived };
  }
}
