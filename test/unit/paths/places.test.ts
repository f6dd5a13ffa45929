// LANs, IPv6, roaming, stock peers, and who may be probed at all.
import t from 'tap';
import type { PathSignal } from '../../../protocol/location/messages.ts';
import { primitives } from '../../../system/crypto.ts';
import { toBase64 } from '../../../protocol/base64.ts';
import { decodeStun } from '../../../protocol/stun/codec.ts';
import { SimWorld } from './sim-node.ts';

t.test('two nodes on one LAN meet there, whatever their NAT', async t => {
  const world = new SimWorld(1);
  t.teardown(() => world.stop());
  const one = world.home('sym');
  const two = world.neighbour(one);
  world.acquaint(one, two);
  await world.run(500);
  one.stream(two, 100);
  const ms = await world.until(() => one.stateOf(two) === 'direct' && two.stateOf(one) === 'direct', 3_000);
  t.ok(ms <= 500, `${ms} ms`);
  t.match(one.paths.pathOf(two.id), { class: 'lan', label: 'LAN UDP', remote: '192.168.1.3:41641' });
});

t.test('IPv6 firewalls without NAT: direct over IPv6', async t => {
  const world = new SimWorld(1);
  t.teardown(() => world.stop());
  const one = world.home('firewall', { address6: '2001:db8:1::2' });
  const two = world.home('firewall', { address6: '2001:db8:2::2' });
  world.acquaint(one, two);
  await world.run(200);
  one.stream(two, 100);
  const ms = await world.until(() => one.stateOf(two) === 'direct' && two.stateOf(one) === 'direct', 3_000);
  t.ok(ms <= 1_000, `${ms} ms`);
  t.match(one.paths.pathOf(two.id), { class: 'direct', remote: '[2001:db8:2::2]:41641' });
});

t.test('P5: openers leave before the probes, over IPv4 only', async t => {
  const world = new SimWorld(1);
  t.teardown(() => world.stop());
  const [one, two] = [world.home('onrouter'), world.home('prc')];
  const three = world.home('firewall', { address6: '2001:db8:1::2' });
  const four = world.home('firewall', { address6: '2001:db8:2::2' });
  world.acquaint(one, two);
  world.acquaint(three, four);
  await world.run(500);
  one.stream(two, 100);
  three.stream(four, 100);
  await world.until(() => one.stateOf(two) === 'direct' && three.stateOf(four) === 'direct', 3_000);
  t.ok(one.count('paths.probe.opener-sent') > 0);
  t.ok(two.count('paths.probe.opener-sent') > 0);
  t.equal(three.count('paths.probe.opener-sent') + four.count('paths.probe.opener-sent'), 0);
});

t.test('a peer that turns up elsewhere is asked there, and followed', async t => {
  const world = new SimWorld(2);
  t.teardown(() => world.stop());
  const [one, two] = [world.home('prcnp'), world.home('full')];
  world.acquaint(one, two);
  await world.run(500);
  one.stream(two, 50);
  two.stream(one, 50);
  await world.until(() => two.stateOf(one) === 'direct', 3_000);
  const before = two.linkTo(one);
  one.host.nat!.flush();
  const ms = await world.until(() => two.linkTo(one) !== before && two.stateOf(one) === 'direct', 3_000);
  t.ok(ms <= 2_500, `${ms} ms`);
  t.match(two.paths.why(one.id)?.lines.join('\n'), /its packets come by|peer-reflexive/);
});

t.test('a stock WireGuard peer is reached at its endpoint, and followed by its packets alone', async t => {
  const world = new SimWorld(1);
  t.teardown(() => world.stop());
  const one = world.home('public');
  const publicKey = primitives.dhKeyPair().publicKey;
  const id = toBase64(publicKey);
  const endpoint = { family: 4 as const, address: '198.51.100.77', port: 51_820 };
  one.paths.setPeer({ id, publicKey, name: 'phone', kind: 'stock', node: null, endpoint });
  one.paths.needsPath(id);
  t.same(one.used, ['udp 198.51.100.77:51820']);
  const elsewhere = one.transport.link({ family: 4, address: '198.51.100.78', port: 1234 })!;
  one.paths.heard(id, elsewhere, world.clock.monotonicMs());
  t.same(one.used.at(-1), 'udp 198.51.100.78:1234');
  await world.run(120_000);
  t.equal(one.count('paths.probe.sent'), 0);
});

t.test('a hostile offer cannot aim this node at anyone', async t => {
  const world = new SimWorld(1);
  t.teardown(() => world.stop());
  const [one, two] = [world.home('prc'), world.home('prc')];
  world.acquaint(one, two);
  await world.run(500);
  world.network.keepsRecord = true;
  const offer = (serial: number, candidates: PathSignal['candidates']): void =>
    one.paths.signalled(two.asPeer().node!, {
      type: 'offer',
      attempt: `evil${serial}`,
      serial: 4e12 + serial,
      candidates,
      nat: { mapping: 'endpoint-independent', filtering: 'not-checked', ports: 'preserved' },
      serverRttMs: 40,
    });
  const at = (address: string, port: number): PathSignal['candidates'][number] => ({
    kind: 'host',
    transport: 'udp',
    endpoint: { family: 4, address, port },
  });
  offer(
    1,
    Array.from({ length: 40 }, (_, index) => at('203.0.113.99', 1000 + index)),
  );
  await world.run(4_000);
  const hits = (): number => world.network.crossed.filter(({ to }) => to.address === '203.0.113.99').length;
  const ports = new Set(world.network.crossed.map(({ to }) => to.port));
  t.ok(hits() > 0 && hits() <= 45, `${hits()} packets in 4 s`);
  t.ok(
    [...ports].every(port => port < 1016),
    'the first 16 candidates at most',
  );
  for (let again = 2; again < 40; again++) {
    offer(again, [at('203.0.113.99', 1000), at('203.0.113.99', 1000 + again)]);
    await world.run(2_000);
  }
  t.ok(hits() <= 120, `${hits()} packets after 40 offers in 80 s`);
  t.ok(one.count('paths.budget.target') > 0, 'what was refused is counted');
  offer(
    100,
    ['127.0.0.1', '224.0.0.1', '255.255.255.255', '0.0.0.0', '10.77.0.5'].map(address => at(address, 9)),
  );
  world.network.crossed = [];
  await world.run(4_000);
  t.equal(world.network.crossed.filter(({ to }) => to.port === 9).length, 0, 'no such places');
});

t.test('a repeated signal is dropped and counted', async t => {
  const world = new SimWorld(1);
  t.teardown(() => world.stop());
  const [one, two] = [world.home('prc'), world.home('prc')];
  world.acquaint(one, two);
  await world.run(500);
  one.send(two);
  await world.run(1_000);
  const offer = one.control.sent.find(({ type }) => type === 'offer')!;
  const answers = two.control.sent.length;
  two.paths.signalled(one.asPeer().node!, offer);
  t.equal(two.count('paths.signal.repeated'), 1);
  t.equal(two.control.sent.length, answers);
});

t.test('probes that are replayed, forged or thrown back are refused and counted', async t => {
  const world = new SimWorld(1);
  t.teardown(() => world.stop());
  const [one, two] = [world.home('public'), world.home('public')];
  world.acquaint(one, two);
  await world.run(500);
  world.network.keepsRecord = true;
  one.stream(two, 100);
  await world.until(() => one.stateOf(two) === 'direct' && two.stateOf(one) === 'direct', 3_000);
  const request = world.network.crossed.find(
    ({ from, to, bytes }) =>
      from.address === one.host.address && to.address === two.host.address && isClass(bytes, 'request'),
  )!;
  const attacker = { family: 4 as const, address: '198.51.100.200', port: 666 };
  const link = two.linkTo(one);
  const answeredBefore = world.network.crossed.length;
  two.host.deliver({ ...request, from: attacker });
  t.equal(two.count('paths.probe.replayed'), 1);
  two.host.deliver({ ...request, bytes: flipped(request.bytes, 40), from: attacker });
  two.host.deliver({ ...request, bytes: flipped(request.bytes, 10), from: attacker });
  t.equal(two.count('paths.probe.forged'), 2);
  one.host.deliver({ ...request, from: attacker, to: { ...request.to, address: one.host.address } });
  t.equal(one.count('paths.probe.reflected'), 1);
  await world.run(20);
  const toAttacker = world.network.crossed
    .slice(answeredBefore)
    .filter(({ to }) => to.address === attacker.address);
  t.equal(toAttacker.length, 0, 'nobody who repeats a probe gets an answer');
  t.equal(two.linkTo(one), link);
});

t.test('an answer counts only for a probe of our own, from where it was sent', async t => {
  const world = new SimWorld(1);
  t.teardown(() => world.stop());
  const [one, two] = [world.home('public'), world.home('public')];
  world.acquaint(one, two);
  await world.run(500);
  world.network.keepsRecord = true;
  one.stream(two, 100);
  await world.until(() => one.stateOf(two) === 'direct', 3_000);
  const answer = world.network.crossed.find(
    ({ to, bytes }) => to.address === one.host.address && isClass(bytes, 'success'),
  )!;
  one.host.deliver(answer);
  t.ok(one.count('paths.probe.stray-answer') >= 1);
  const paths = one.paths.status(two.id)?.paths.length;
  one.host.deliver({ ...answer, from: { family: 4, address: '198.51.100.200', port: 666 } });
  t.equal(one.paths.status(two.id)?.paths.length, paths);
});

t.test('datagrams that are nothing of ours are dropped and counted', t => {
  const world = new SimWorld(1);
  t.teardown(() => world.stop());
  const one = world.home('public');
  const from = { family: 4 as const, address: '198.51.100.200', port: 666 };
  const to = { family: 4 as const, address: one.host.address, port: 41_641 };
  one.host.deliver({ from, to, bytes: Uint8Array.of(1, 2, 3), ttl: 64 });
  one.host.deliver({ from, to, bytes: new Uint8Array(100).fill(255), ttl: 64 });
  t.equal(one.count('udp.unknown-datagram'), 2);
  t.end();
});

function isClass(bytes: Uint8Array, wanted: string): boolean {
  const message = decodeStun(bytes);
  return message.ok && message.value.class === wanted;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = copy[at]! ^ 1;
  return copy;
}
