// What the lab tests of the system part do inside their namespaces. Each prints what it found as one line of JSON.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { GinnelError } from '../../../base/errors.ts';
import type { DoorOptions } from '../../../system/doors-linux.ts';
import type { Endpoint } from '../../../protocol/address.ts';
import type { Doors, TcpSource, TunDoor, TunOptions } from '../../../system/doors.ts';
import { openLibc } from '../../../system/libc.ts';
import { SETTLE_MS } from '../../../system/network.ts';
import { openBestDoors } from '../../../system/open-doors.ts';
import { LOOK_EVERY_MS } from '../../../system/tuntap/network.ts';

const TUN: TunOptions = {
  name: 'ginnel0',
  mtu: 1420,
  addresses: ['10.77.0.1/24', 'fd77::1/64'],
  routes: ['192.168.77.0/24', 'fd77:1::/48'],
};

/** The kind of door that is tested, as the environment says. */
const openDoors = (options?: DoorOptions): Doors => openBestDoors(process.env['GINNEL_DOOR'], options);

const run = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8' });
const print = (found: Record<string, unknown>): void => console.log(JSON.stringify(found));
const ipJson = (...args: string[]): Record<string, unknown>[] =>
  JSON.parse(run('ip', '-j', ...args) || '[]') as Record<string, unknown>[];

/** The card as the kernel tells it. */
function kernelView(name: string): Record<string, unknown> {
  const link = ipJson('addr', 'show').find(entry => entry['ifname'] === name);
  const routes = [...ipJson('-4', 'route', 'show'), ...ipJson('-6', 'route', 'show')];
  const addresses = (link?.['addr_info'] ?? []) as Record<string, unknown>[];
  return {
    there: link !== undefined,
    up: ((link?.['flags'] ?? []) as string[]).includes('UP'),
    mtu: link?.['mtu'],
    addresses: addresses.map(({ local, prefixlen }) => `${String(local)}/${String(prefixlen)}`),
    routes: routes.filter(route => route['dev'] === name).map(route => route['dst']),
  };
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    return error instanceof GinnelError ? error.code : String(error);
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

// ---- scenarios

function card(): void {
  const door = openDoors().openTun(TUN);
  const opened = kernelView('ginnel0');
  const goesInto = (address: string): unknown => ipJson('route', 'get', address)[0]?.['dev'];
  run('ip', 'link', 'add', 'veth7', 'type', 'veth', 'peer', 'name', 'veth8');
  run('ip', 'link', 'set', 'veth7', 'up');
  run('ip', 'route', 'add', 'default', 'dev', 'veth7');
  const ways = {
    virtual: goesInto('10.77.0.9'),
    shared: goesInto('192.168.77.5'),
    real: goesInto('192.0.2.7'),
  };
  door.setRoutes(['192.168.78.0/24']);
  const moved = kernelView('ginnel0');
  door.close();
  print({ opened, ways, moved, closed: kernelView('ginnel0') });
}

async function errors(): Promise<void> {
  const doors = openDoors();
  const first = doors.openTun(TUN);
  run('ip', 'link', 'add', 'veth7', 'type', 'veth', 'peer', 'name', 'veth8');
  run('ip', 'link', 'set', 'veth7', 'up');
  run('ip', 'addr', 'add', '172.20.0.1/24', 'dev', 'veth7');
  const other = { ...TUN, name: 'ginnel1', addresses: ['10.78.0.1/24'], routes: [] };
  const second = doors.openTun(other);
  const found = {
    busy: codeOf(() => doors.openTun(TUN)),
    noTun: codeOf(() => doors.openTun({ ...TUN, name: 'veth7' })),
    name: codeOf(() => doors.openTun({ ...TUN, name: 'a name with blanks' })),
    address: codeOf(() => doors.openTun({ ...TUN, addresses: ['10.77.0/24'] })),
    hostBits: codeOf(() => doors.openTun({ ...TUN, routes: ['10.0.0.1/8'] })),
    routeTaken: codeOf(() => second.setRoutes(['192.168.77.0/24', '192.168.99.0/24'])),
    othersStillSet: kernelView('ginnel1')['routes'],
  };
  let lost = 'none';
  first.onLost = error => (lost = error.code);
  run('ip', 'link', 'del', 'ginnel0');
  await until('the loss', () => lost !== 'none');
  const write = first.write(new Uint8Array(20), 0, 20);
  second.close();
  print({ ...found, lost, write });
}

/** Two cards in two network namespaces, joined by this process's memory alone. */
async function joined(): Promise<void> {
  const doors = openDoors();
  const a = doors.openTun({ ...TUN, routes: ['192.168.77.0/24'] });
  run('ip', 'netns', 'add', 'far');
  const home = openSync('/proc/self/ns/net', 'r');
  enterNamespace(openSync('/run/netns/far', 'r'));
  const b = doors.openTun({ ...TUN, addresses: ['10.77.0.2/24', 'fd77::2/64'], routes: [] });
  enterNamespace(home);
  run('ip', '-n', 'far', 'addr', 'add', '192.168.77.1/24', 'dev', 'ginnel0');
  const turns = join(a, b) + join(b, a);
  const found = {
    turns,
    ping4: await ping('-c', '5', '-i', '0.01', '10.77.0.2'),
    ping6: await ping('-6', '-c', '5', '-i', '0.01', 'fd77::2'),
    routed: await ping('-c', '5', '-i', '0.01', '192.168.77.1'),
    large: await ping('-c', '5', '-i', '0.01', '-s', '1392', '-M', 'do', '10.77.0.2'),
    fragments: await ping('-c', '5', '-i', '0.01', '-s', '5000', '10.77.0.2'),
  };
  a.close();
  enterNamespace(openSync('/run/netns/far', 'r'));
  b.close();
  print(found);
}

function join(from: TunDoor, to: TunDoor): number {
  from.onPacket = (bytes, offset, length) => {
    if (to.write(bytes, offset, length) !== 'sent') throw new Error('not written');
  };
  return 0;
}

/** Moves this thread to another network namespace: what is opened next is opened there. */
function enterNamespace(fd: number): void {
  const setns = openLibc().koffi.load(null).func('setns', 'int', ['int', 'int']) as (
    fd: number,
    kind: number,
  ) => number;
  if (setns(fd, 0x40000000) !== 0) throw new Error('setns');
}

/** The share of answers, in words of `ping`. */
async function ping(...args: string[]): Promise<string> {
  const child = spawn('ping', ['-W', '2', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (part: Buffer) => (text += part.toString()));
  await once(child, 'close');
  return /\d+ received/.exec(text)?.[0] ?? text;
}

/** Is the card gone with the process, however that ends? */
async function death(): Promise<void> {
  const found: Record<string, unknown> = {};
  for (const way of ['SIGKILL', 'SIGTERM', 'exit', 'throw']) {
    const child = await startHolder();
    const during = kernelView('ginnel0')['there'];
    const ended = once(child, 'exit');
    if (way === 'SIGKILL' || way === 'SIGTERM') child.kill(way);
    else child.stdin?.write(`${way}\n`);
    const [status, signal] = (await ended) as [number | null, string | null];
    await until('the card to go', () => kernelView('ginnel0')['there'] === false);
    found[way] = { during, status, signal, after: kernelView('ginnel0') };
  }
  print(found);
}

async function startHolder(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [process.argv[1] ?? '', 'holder'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  return child;
}

function holder(): void {
  openDoors().openTun(TUN);
  process.stdin.on('data', (word: Buffer) => {
    if (word.toString().startsWith('exit')) process.exit(5);
    throw new Error('thrown on purpose');
  });
  print({ ready: true });
}

function openOnly(): void {
  const doors = openDoors();
  let message = '';
  const code = codeOf(() => {
    try {
      doors.openTun(TUN);
    } catch (error) {
      message = String(error);
      throw error;
    }
  });
  const udp = doors.openUdp({ family: 4, port: 0 });
  const port = codeOf(() => {
    doors.openUdp({ family: 4, port: 53 }).close();
  });
  print({ code, message, udp: udp.localPort > 0, port });
  udp.close();
}

/** IPv6 switched off for all new cards, as on many routers. */
function withoutIpv6(): void {
  run('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
  const door = openDoors().openTun(TUN);
  print(kernelView('ginnel0'));
  door.close();
}

async function network(): Promise<void> {
  const veth7 = ['dev', 'veth7'];
  run('ip', 'link', 'add', 'veth7', 'type', 'veth', 'peer', 'name', 'veth8');
  for (const name of ['veth7', 'veth8']) run('ip', 'link', 'set', name, 'up');
  const clock = new ManualClock();
  const counters = new Counters();
  const door = openDoors({ clock, counters }).openNetwork();
  let told = 0;
  const stop = door.onChange(() => told++);
  const noticed = async (work: () => void): Promise<void> => {
    const { value } = counters.counter('system.network.notices');
    work();
    await until('a notice', () => counters.counter('system.network.notices').value > value);
  };
  const before = door.addresses();
  await noticed(() => {
    for (let index = 1; index <= 20; index++) run('ip', 'addr', 'add', `172.20.0.${index}/24`, ...veth7);
  });
  clock.advance(SETTLE_MS - 1);
  const early = told;
  clock.advance(1);
  const together = told;
  await noticed(() => run('ip', 'route', 'add', '203.0.113.0/24', 'via', '172.20.0.9'));
  clock.advance(SETTLE_MS);
  const afterDetail = told;
  await noticed(() => run('ip', 'route', 'add', 'default', 'via', '172.20.0.254'));
  clock.advance(SETTLE_MS);
  const afterRoute = told;
  await noticed(() => run('ip', 'link', 'set', 'veth7', 'down'));
  clock.advance(SETTLE_MS);
  const afterLink = told;
  stop();
  await noticed(() => run('ip', 'link', 'set', 'veth7', 'up'));
  clock.advance(SETTLE_MS);
  door.close();
  print({ before, early, together, afterDetail, afterRoute, afterLink, afterStop: told });
}

/** Without rtnetlink: each look tells, once, of all that came since the last. */
async function networkPolled(): Promise<void> {
  run('ip', 'link', 'add', 'veth7', 'type', 'veth', 'peer', 'name', 'veth8');
  for (const name of ['veth7', 'veth8']) run('ip', 'link', 'set', name, 'up');
  const clock = new ManualClock();
  const door = openDoors({ clock }).openNetwork();
  let told = 0;
  const stop = door.onChange(() => told++);
  const after = (work: () => void): number => {
    work();
    clock.advance(LOOK_EVERY_MS);
    return told;
  };
  const address = (host: number): string[] => ['addr', 'add', `172.20.0.${host}/24`, 'dev', 'veth7'];
  const addresses = after(() => [1, 2, 3].forEach(host => run('ip', ...address(host))));
  const detail = after(() => run('ip', 'route', 'add', '203.0.113.0/24', 'via', '172.20.0.9'));
  const route = after(() => run('ip', 'route', 'add', 'default', 'via', '172.20.0.254'));
  const link = after(() => run('ip', 'link', 'set', 'veth7', 'down'));
  stop();
  const stopped = after(() => run('ip', 'link', 'set', 'veth7', 'up'));
  door.close();
  print({ addresses, detail, route, link, stopped });
}

/** A box with two addresses, and one that knows it by either. */
async function manyAddresses(): Promise<void> {
  run('ip', 'link', 'add', 'veth7', 'type', 'veth', 'peer', 'name', 'veth8');
  for (const name of ['veth7', 'veth8']) run('ip', 'link', 'set', name, 'up');
  for (const host of [1, 2, 3]) run('ip', 'addr', 'add', `172.20.0.${host}/24`, 'dev', 'veth7');
  const counters = new Counters();
  const doors = openDoors({ counters });
  const box = doors.openUdp({ family: 4, port: 0 });
  const peer = doors.openUdp({ family: 4, port: 0, address: '172.20.0.3' });
  const batch = { bytes: new Uint8Array(1), offset: 0, length: 1, segment: 1 };
  const locals: (string | null)[] = [];
  const answers: string[] = [];
  box.onBatch = (remote, asked) => {
    locals.push(remote.localAddress);
    box.send(remote, asked);
    box.flush();
  };
  peer.onBatch = ({ endpoint }) => answers.push(endpoint.address);
  const ask = async (host: number): Promise<void> => {
    const { length } = answers;
    peer.send(peer.remote({ family: 4, address: `172.20.0.${host}`, port: box.localPort }), batch);
    peer.flush();
    await until('an answer', () => answers.length > length);
  };
  for (const host of [1, 2]) await ask(host);
  // The address that the last one came to goes away: what is sent next leaves from another one.
  run('ip', 'addr', 'del', '172.20.0.2/24', 'dev', 'veth7');
  const remote = box.remote({ family: 4, address: '172.20.0.3', port: peer.localPort });
  box.send(remote, batch);
  box.flush();
  await until('word from elsewhere', () => answers.length === 3);
  box.forgetLocalAddresses();
  run('ip', 'addr', 'add', '172.20.0.9/24', 'dev', 'veth7');
  box.forgetLocalAddresses();
  await ask(9);
  const other = codeOf(() => doors.openUdp({ family: 4, port: box.localPort }));
  print({ locals, answers, sourceGone: counters.snapshot()['system.udp.source-gone'] ?? 0, other });
  box.close();
  peer.close();
}

/** Cards that come and go, and that cannot be made, leave no descriptor and no card behind. */
async function leaks(): Promise<void> {
  const doors = openDoors();
  doors.openTun(TUN).close();
  const held = (): number => readdirSync('/proc/self/fd').length;
  const top = (): number => doors.arena.allocate(1, 1);
  await new Promise(resolve => setTimeout(resolve, 50));
  const [before, used] = [held(), top()];
  for (let round = 0; round < 20; round++) {
    doors.openTun(TUN).close();
    codeOf(() => doors.openTun({ ...TUN, name: 'lo' }));
    codeOf(() => doors.openTun({ ...TUN, mtu: 3 }));
    await new Promise(resolve => setImmediate(resolve));
  }
  await until('the last descriptor to be closed', () => held() <= before);
  const cards = ipJson('link', 'show').map(({ ifname }) => ifname);
  print({ more: held() - before, cards, arena: top() - used });
}

/** A link of one packet a second, behind which everything piles up. */
async function congested(): Promise<void> {
  run('ip', 'link', 'add', 'veth7', 'type', 'veth', 'peer', 'name', 'veth8');
  for (const name of ['veth7', 'veth8']) run('ip', 'link', 'set', name, 'up');
  run('ip', 'addr', 'add', '172.20.0.1/24', 'dev', 'veth7');
  run('ip', 'neigh', 'add', '172.20.0.2', 'lladdr', '02:00:00:00:00:02', 'dev', 'veth7');
  run(
    'tc',
    'qdisc',
    'add',
    'dev',
    'veth7',
    'root',
    'tbf',
    'rate',
    '8kbit',
    'burst',
    '1600',
    'limit',
    '100000000',
  );
  const counters = new Counters();
  const door = openDoors({ counters }).openUdp({ family: 4, port: 0 });
  const remote = door.remote({ family: 4, address: '172.20.0.2', port: 9 });
  const batch = { bytes: new Uint8Array(64 * 1400), offset: 0, length: 64 * 1400, segment: 1400 };
  const results = { sent: 0, busy: 0, closed: 0 };
  for (let round = 0; round < 200; round++) results[door.send(remote, batch)]++;
  door.close();
  const all = (): Record<string, number> => {
    const { 'system.udp.sent': sent = 0, 'system.udp.dropped.busy': busy = 0 } = counters.snapshot();
    // What node's socket still kept when it was closed.
    const { 'system.udp.dropped.refused': kept = 0 } = counters.snapshot();
    return { sent, busy, kept, sum: sent + busy + kept };
  };
  await until('all to be counted', () => all()['sum'] === 200 * 64);
  print({ ...results, counts: all() });
}

function gateways(): void {
  run('ip', 'link', 'add', 'veth7', 'type', 'veth', 'peer', 'name', 'veth8');
  for (const name of ['veth7', 'veth8']) run('ip', 'link', 'set', name, 'up');
  run('ip', 'addr', 'add', '172.20.0.1/24', 'dev', 'veth7');
  run('ip', 'route', 'add', 'default', 'via', '172.20.0.254', 'metric', '50');
  run('ip', 'route', 'add', 'default', 'via', '172.20.0.253', 'metric', '10');
  run('ip', '-6', 'route', 'add', 'default', 'via', 'fe80::1', 'dev', 'veth7');
  const door = openDoors().openNetwork();
  const [address] = door.addresses();
  print({ gateway4: door.gateway(4), gateway6: door.gateway(6), address });
  door.close();
}

/** Two ports of one machine that connect to each other; a rule keeps what is not to arrive. */
async function tcpSource(): Promise<void> {
  const doors = openDoors();
  const open = (): TcpSource => doors.openTcpSource!({ family: 4, address: '127.0.0.1' });
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const to = ({ localPort }: TcpSource): Endpoint => ({ family: 4, address: '127.0.0.1', port: localPort });
  const dropping = (flags: string): void => {
    run('nft', 'flush', 'chain', 'ip', 'door', 'in');
    if (flags !== '')
      run('nft', 'add', 'rule', 'ip', 'door', 'in', 'tcp', 'flags', '&', '(syn|ack)', '==', flags, 'drop');
  };
  run('nft', 'add', 'table', 'ip', 'door');
  run('nft', 'add', 'chain', 'ip', 'door', 'in', '{ type filter hook input priority 0; }');
  const [one, other] = [open(), open()];
  const sockets: Socket[] = [];
  one.onOpen = other.onOpen = socket => void sockets.push(socket);

  dropping('syn');
  const renewed = [one.connect(to(other)), one.connect(to(other)), one.waiting];
  dropping('(syn|ack)');
  other.connect(to(one));
  await new Promise(resolve => setTimeout(resolve, 50));
  // It has had a SYN and sends its answer again, by and by.
  const underWay = one.connect(to(other));
  dropping('');
  await until('both to be open', () => sockets.length === 2);
  const heard = new Promise(resolve => sockets[1]!.once('data', bytes => resolve(String(bytes))));
  sockets[0]!.write('hello');
  const word = await heard;
  for (const socket of sockets) socket.destroy();
  one.close();
  other.close();
  await until('sockets to be gone', () => sockets.every(socket => socket.closed));

  dropping('syn');
  const before = descriptors();
  let busy = 0;
  for (let round = 0; round < 5; round++) {
    const source = open();
    for (let port = 1; port <= 330; port++)
      if (source.connect({ family: 4, address: '127.0.0.1', port }) === 'busy') busy++;
    source.close();
  }
  print({ renewed, underWay, word, busy, more: descriptors() - before });
}

const SCENARIOS: Record<string, () => void | Promise<void>> = {
  card,
  errors,
  joined,
  death,
  holder,
  openOnly,
  withoutIpv6,
  network,
  networkPolled,
  manyAddresses,
  leaks,
  gateways,
  congested,
  tcpSource,
};

await SCENARIOS[process.argv[2] ?? '']?.();
