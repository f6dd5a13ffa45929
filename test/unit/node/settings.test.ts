// The node's settings on a real node and server: at once where that can be, else from the next `up` on.
import t from 'tap';
import { systemClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import type { SettingShown } from '../../../base/settings.ts';
import { GinnelError } from '../../../base/errors.ts';
import { createServer } from '../../../server/server.ts';
import { primitives } from '../../../system/crypto.ts';
import { join, makeIdentity } from '../../support/location-client.ts';
import { LOOPBACK, startServer, temporaryFolder } from '../../support/location-server.ts';
import { testTcp } from '../../support/tcp-ports.ts';
import { openNode, until, type Bench } from './bench.ts';

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof GinnelError ? error.code : String(error)),
  );

async function shown(bench: Bench, key: string): Promise<SettingShown | undefined> {
  return (await bench.node.settings()).find(each => each.key === key);
}

t.test(
  'V4: a new name is a new record, at once; one that is taken is refused and changes nothing',
  async t => {
    const { invite, server, port } = await startServer(t);
    const bench = await openNode(t);
    await bench.node.up({ invite: await invite(), name: 'attic' });
    await join(await invite(), port, makeIdentity('cellar'));
    await until(() => server.summary().nodes.length === 2, 'both are known');
    await bench.node.changeSettings({ set: { name: 'loft' } });
    t.ok(server.summary().nodes.some(({ name }) => name === 'loft'));
    t.equal(bench.node.status().name, 'loft');
    t.equal(bench.cards.length, 1, 'the card was left alone');
    t.equal(await codeOf(bench.node.changeSettings({ set: { name: 'cellar' } })), 'NAME_TAKEN');
    t.equal(bench.node.status().name, 'loft');
    t.equal(await codeOf(bench.node.changeSettings({ set: { name: '-x' } })), 'SETTING_INVALID');
    t.equal(await codeOf(bench.node.changeSettings({ unset: ['name'] })), 'NAME_NEEDED');
    await bench.node.down();
    t.equal((await bench.node.up({})).name, 'loft', 'it is kept');
  },
);

t.test(
  'V4: a name found taken at the next log-in only is told by health, until another is chosen',
  async t => {
    const { invite, server, port } = await startServer(t);
    const bench = await openNode(t);
    await bench.node.up({ invite: await invite(), name: 'attic' });
    await join(await invite(), port, makeIdentity('cellar'));
    await until(() => server.summary().nodes.length === 2, 'both are known');
    const codes = (): string[] => bench.node.status().health.map(({ code }) => code);
    t.notOk(codes().includes('NAME_TAKEN'));
    await server.down();
    await until(() => bench.node.status().server.state === 'away', 'the server is away');
    await bench.node.changeSettings({ set: { name: 'cellar' } });
    await server.up({ ...LOOPBACK, port });
    await until(() => codes().includes('NAME_TAKEN'), 'it is told');
    const line = bench.node.status().health.find(({ code }) => code === 'NAME_TAKEN');
    t.match(line, { severity: 'warning', words: /^The name cellar /, todo: /ginnel set name/ });
    t.equal(bench.node.status().server.state, 'connected', 'it stays in the network');
    await bench.node.changeSettings({ set: { name: 'loft' } });
    t.notOk(codes().includes('NAME_TAKEN'));
    t.ok(server.summary().nodes.some(({ name }) => name === 'loft'));
  },
);

t.test('V4: addresses outside are registered at once', async t => {
  const { invite, port } = await startServer(t);
  const bench = await openNode(t);
  await bench.node.up({ invite: await invite(), name: 'attic' });
  const { connection } = await join(await invite(), port, makeIdentity('cellar'));
  await bench.node.changeSettings({ set: { 'external-addresses': ['203.0.113.1:7443'] } });
  let told = '';
  const look = async (): Promise<void> =>
    void (told = JSON.stringify(await connection.ask({ type: 'lookup', name: 'attic' })));
  await until(() => {
    void look();
    return told.includes('203.0.113.1');
  }, 'the server knows the address');
  t.match(told, /"kind":"configured"/);
});

t.test('mtu, card and port are taken over at the next up, and pending until then', async t => {
  const { invite } = await startServer(t);
  const bench = await openNode(t);
  t.equal(await codeOf(bench.node.changeSettings({ set: { 'udp-port': 23_456 } })), 'NOT_JOINED');
  await bench.node.changeSettings({ set: { mtu: 1300 } });
  await bench.node.up({ invite: await invite() });
  t.equal(bench.cards[0]?.options.mtu, 1300);
  t.match(await shown(bench, 'mtu'), { value: 1300, pending: false });
  t.match(await shown(bench, 'udp-port'), { value: bench.node.status().udpPort, pending: false });
  await bench.node.changeSettings({ set: { mtu: 1320, card: 'home%d', 'udp-port': 23_456 } });
  t.match(await shown(bench, 'mtu'), { value: 1320, pending: true });
  t.match(await shown(bench, 'udp-port'), { value: 23_456, pending: true });
  await bench.node.down();
  await bench.node.up({});
  t.match(bench.cards[1]?.options, { mtu: 1320, name: 'home%d' });
  t.equal(bench.node.status().udpPort, 23_456);
  t.match(await shown(bench, 'card'), { pending: false });
});

t.test('server: a box is told where its server went, and finds it there by its key', async t => {
  const { invite, server } = await startServer(t);
  const bench = await openNode(t);
  t.equal(await codeOf(bench.node.changeSettings({ set: { server: ['198.51.100.1'] } })), 'NOT_JOINED');
  const before = await bench.node.up({ invite: await invite(), name: 'attic' });
  const moved = createServer({
    ...{ stateDir: `${temporaryFolder(t)}/server`, primitives, clock: systemClock },
    ...{ counters: new Counters(), log: silentLog, tcp: testTcp() },
  });
  t.teardown(() => moved.down());
  const { file } = await server.export({ move: true });
  const { port } = await moved.import({ file, ...LOOPBACK });
  await until(() => bench.node.status().server.state === 'away', 'the old one is gone');
  for (const text of ['', 'home example', '1.2.3.4:70000', 'http://home.example', '[::1'])
    t.equal(await codeOf(bench.node.changeSettings({ set: { server: [text] } })), 'SETTING_INVALID', text);
  await bench.node.changeSettings({ set: { server: [`127.0.0.1:${port}`] } });
  await until(() => bench.node.status().server.state === 'connected', 'it is found');
  t.equal(bench.node.status().ip4, before.ip4, 'its addresses are the same');
  t.equal(bench.cards.length, 1, 'the card was left alone');
  t.match(await shown(bench, 'server'), { value: [`127.0.0.1:${port}`], pending: false });
  await bench.node.changeSettings({ set: { server: ['2001:db8::1', 'Home.example', '[2001:db8::2]'] } });
  t.match(await shown(bench, 'server'), {
    value: ['[2001:db8::1]:7443', 'Home.example:7443', '[2001:db8::2]:7443'],
  });
  await bench.node.down();
  await bench.node.up({});
  await until(
    () => bench.node.status().server.state === 'connected',
    "it remembers the server's own word too",
  );
});
