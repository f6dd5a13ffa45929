// The location server moves to another machine, address and port, by export and import: found again by its name, by one box
// that the others reach, or by a word to each box. Nobody's session notices.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { ServerStatus } from '../../core/admin.ts';
import { Flow, now } from './flow.ts';
import { LocationServer, startServer } from './ginnel.ts';
import { joinHome, meet } from './homes.ts';
import type { Box } from './homes.ts';
import type { Place } from './place.ts';
import { buildLab } from './topology.ts';
import type { Home, Lab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab, LAB_FOLDER } from './wrapper.ts';

enterLab(import.meta.url);

const NAME = 'home.example.net';
const RESOLVER = '192.0.2.1';
const DNS = fileURLToPath(new URL('./dns.js', import.meta.url));
const ZONE = `${LAB_FOLDER}/zone.json`;
const UNDISTURBED_MS = 1500;
const BOUND_MS = 30_000;
/** A node that has failed for long asks once a minute. */
const FOUND_MS = 70_000;

t.test('the location server moves from machine to machine', { timeout: 300_000 }, async t => {
  const homes = ['prcnp', 'prc', 'prc', 'public', 'public', 'public'].map(kind => ({ kind }));
  const lab = await buildLab({ homes, delayMs: 10 });
  t.teardown(() => lab.stop());
  await startNames(lab);
  point(lab.server.address, 7443);
  const [homeA, homeB, homeC, first, second, third] = lab.homes;
  if (!homeA || !homeB || !homeC || !first || !second || !third) throw new TypeError('six homes');
  const server = await startServer(lab, { advertise: [NAME] });
  const a = await joinHome(server, homeA, 'box0');
  const b = await joinHome(server, homeB, 'box1');
  await meet(a, b);
  const flow = await Flow.start(homeA.host, homeB.host, b.ip);
  t.teardown(() => flow.stop());
  await flow.longestPause(now(), BOUND_MS);
  const scene = { lab, a, b, homeC, flow };
  let at = await byName(t, scene, server, first);
  at = await byOneBox(t, scene, at, second);
  await byEachBox(t, scene, at, third);
});

interface Scene {
  readonly lab: Lab;
  readonly a: Box;
  readonly b: Box;
  /** Where a newcomer joins after each move. */
  readonly homeC: Home;
  readonly flow: Flow;
}

async function byName(t: Test, scene: Scene, old: LocationServer, to: Home): Promise<LocationServer> {
  let moved = old;
  await t.test('with a DNS name nobody is touched, though address and port are others', async t => {
    const since = now();
    moved = await move(t, old, to.host, 'moved-once', ['--port', '7555']);
    point(to.host.address, 7555);
    await found(t, scene, `${to.host.address}:7555`);
    await asBefore(t, scene, moved, 'box2', since);
  });
  return moved;
}

async function byOneBox(t: Test, scene: Scene, old: LocationServer, to: Home): Promise<LocationServer> {
  let moved = old;
  await t.test('one box is told, and the others find it through that one', async t => {
    const since = now();
    // The name still leads to the machine that was left.
    moved = await move(t, old, to.host, 'moved-twice', ['--port', '7666', '--advertise', to.host.address]);
    const told = await scene.b.node.ginnel(['set', 'server', `${to.host.address}:7666`]);
    t.equal(told.code, 0, 'set did what was asked', told);
    const took = await found(t, scene, `${to.host.address}:7666`);
    t.ok(took < 30_000, 'soon, and not at the next chance', { took });
    await asBefore(t, scene, moved, 'box3', since);
  });
  return moved;
}

async function byEachBox(t: Test, scene: Scene, old: LocationServer, to: Home): Promise<void> {
  await t.test('with neither, a word to each box is all', async t => {
    const { a, b, lab } = scene;
    const since = now();
    const moved = await move(t, old, to.host, 'moved-thrice', [
      '--port',
      '7777',
      '--advertise',
      to.host.address,
    ]);
    const own = `${to.host.address}:7777`;
    // Their words to each other are lost meanwhile, so that each finds it by its owner's word alone.
    await lab.core.exec(`nft add table ip parting
      nft add chain ip parting crossing '{ type filter hook forward priority -10; }'
      nft add rule ip parting crossing ip saddr ${a.home.outerAddress} ip daddr ${b.home.outerAddress} drop
      nft add rule ip parting crossing ip saddr ${b.home.outerAddress} ip daddr ${a.home.outerAddress} drop`);
    const apartAt = now();
    for (const { node } of [a, b]) {
      const told = await node.ginnel(['set', 'server', own]);
      t.equal(told.code, 0, 'set did what was asked', told);
    }
    await found(t, scene, own);
    await lab.core.exec('nft delete table ip parting');
    await until(
      'the stream to go on',
      BOUND_MS,
      async () => (await scene.flow.longestPause(apartAt, BOUND_MS)) > 0,
    );
    await asBefore(t, scene, moved, 'box4', null);
    t.comment(`apart for ${now() - apartAt} ms, the move began ${now() - since} ms ago`);
  });
}

/** By the command line on both machines, as a person does it. */
async function move(
  t: Test,
  old: LocationServer,
  place: Place,
  name: string,
  options: readonly string[],
): Promise<LocationServer> {
  const file = `${LAB_FOLDER}/${name}.export`;
  const passphrase = 'correct horse\n';
  const left = await old.ginnel(['server', 'export', file, '--move', '--passphrase'], passphrase);
  t.equal(left.code, 0, 'export did what was asked', left);
  const refused = await old.ginnel(['server']);
  t.match(refused.stderr, /SERVER_MOVED/, 'the old one does not come up again by itself');
  const moved = new LocationServer(place, name);
  await moved.start();
  const came = await moved.ginnel(
    ['server', 'import', file, '--passphrase', '--without-listen', ...options],
    passphrase,
  );
  t.equal(came.code, 0, 'import did what was asked', came);
  return moved;
}

/** Both are logged in there. Answers the ms it took. */
async function found(t: Test, { a, b }: Scene, address: string): Promise<number> {
  const before = performance.now();
  const look = async (): Promise<ServerStatus[]> =>
    (await Promise.all([a, b].map(({ node }) => node.status()))).map(({ server }) => server);
  await until(`the server at ${address}`, FOUND_MS, async () =>
    (await look()).every(server => server.state === 'connected' && server.address === address),
  ).catch(async (error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(await look())}`, { cause: error });
  });
  const took = performance.now() - before;
  t.comment(`found at ${address} after ${took.toFixed(0)} ms`);
  return took;
}

/** The addresses are the same, a newcomer is looked up and met, and the stream never stood still (since null: not asked). */
async function asBefore(
  t: Test,
  { a, b, homeC, flow }: Scene,
  server: LocationServer,
  newcomer: string,
  since: number | null,
): Promise<void> {
  for (const box of [a, b])
    t.equal((await box.node.status()).ip4, box.ip, `${box.node.name} has its address`);
  const c = await joinHome(server, homeC, newcomer);
  const took = await meet(a, c);
  t.comment(`met ${newcomer} after ${took.toFixed(0)} ms`);
  await c.node.stop();
  t.ok(flow.isWhole, 'the stream of before still stands');
  if (since === null) return;
  const pause = await flow.longestPause(since, BOUND_MS);
  t.comment(`longest pause of the stream ${pause} ms`);
  t.ok(pause < UNDISTURBED_MS, 'sessions were never interrupted', { pause });
}

/** A name server in the core, which all places of the lab ask. */
async function startNames(lab: Lab): Promise<void> {
  writeFileSync(`${LAB_FOLDER}/resolv.conf`, `nameserver ${RESOLVER}\noptions timeout:1 attempts:2\n`);
  // This lab's mount namespace is its own.
  execFileSync('mount', ['--bind', `${LAB_FOLDER}/resolv.conf`, '/etc/resolv.conf']);
  writeFileSync(ZONE, '{}');
  const names = lab.core.spawn(process.execPath, [DNS, RESOLVER, ZONE], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (names.stdout === null) throw new TypeError('no standard output');
  await once(names.stdout, 'data');
}

const point = (address: string, port: number): void =>
  writeFileSync(ZONE, JSON.stringify({ [NAME]: { a: address, srv: port } }));
