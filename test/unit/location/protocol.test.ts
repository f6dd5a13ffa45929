// The location protocol's pure parts: invite, signatures, addresses, schemas, channel.
import t from 'tap';
import { fromBase64, fromBase64Url, toBase64, toBase64Url } from '../../../protocol/base64.ts';
import { seededRandom } from '../../../base/random.ts';
import {
  canonicalPrefix,
  networkPrefix6,
  parseHostPort,
  virtualIp6,
} from '../../../protocol/location/addresses.ts';
import { parseIp } from '../../../protocol/ip/address.ts';
import type { IpAddress } from '../../../protocol/ip/address.ts';
import { prefixContains, prefixesOverlap } from '../../../protocol/ip/prefix.ts';
import { canonicalJson } from '../../../protocol/location/canonical.ts';
import { acceptChannel, openChannel } from '../../../protocol/location/channel.ts';
import {
  decodeNodeMessage,
  decodeSignal,
  decodeServerMessage,
  encodeMessage,
  requestIdOf,
} from '../../../protocol/location/codec.ts';
import { crc32 } from '../../../protocol/stun/crc32.ts';
import { decodeInvite, encodeInvite } from '../../../protocol/location/invite.ts';
import { parseKeepAlive } from '../../../protocol/location/keep-alive.ts';
import type { NodeRecord } from '../../../protocol/location/messages.ts';
import {
  signAssignment,
  signLogin,
  signRecord,
  verifyAssignment,
  verifyLogin,
  verifyNode,
  verifyRecord,
} from '../../../protocol/location/signed.ts';
import { startNoise } from '../../../protocol/noise/handshake-state.ts';
import { primitives } from '../../../system/crypto.ts';

const random = seededRandom(7);
const seed = random.bytes(32);
const serverSeed = random.bytes(32);
const identity = primitives.signingPublicKey(seed);
const network = random.bytes(16);

function ipOf(text: string): IpAddress {
  const ip = parseIp(text);
  if (!ip.ok) throw new Error(ip.code);
  return ip.value;
}

function unsignedRecord(): Omit<NodeRecord, 'signature'> {
  return {
    v: 1,
    network: toBase64Url(network),
    id: toBase64Url(identity),
    name: 'attic-nas',
    wireguardKey: toBase64(primitives.dhKeyPair().publicKey),
    controlKey: toBase64Url(primitives.dhKeyPair().publicKey),
    ip4: '10.77.0.2',
    ip6: virtualIp6(primitives, network, identity),
    prefixes: ['192.168.1.0/24'],
    generation: 1,
    expires: 2_000_000_000_000,
  };
}

t.test('base64 is canonical: what decodes encodes to the same text', async t => {
  for (let length = 0; length < 70; length++) {
    const bytes = random.bytes(length);
    t.equal(toBase64Url(bytes), Buffer.from(bytes).toString('base64url'));
    t.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'));
    t.same(fromBase64Url(toBase64Url(bytes)), bytes);
    t.same(fromBase64(toBase64(bytes)), bytes);
  }
  for (const bad of ['A', 'AB', 'AA==', 'A*AA', 'AAA\n']) t.equal(fromBase64Url(bad), null, bad);
  for (const bad of ['AA', 'AB==', '====', 'AA=A']) t.equal(fromBase64(bad), null, bad);
});

t.test('V1: IPv6 addresses derive from network and key, and are written as RFC 5952 says', async t => {
  t.match(virtualIp6(primitives, network, identity), /^fd[0-9a-f]{2}:/);
  const prefix = canonicalPrefix(networkPrefix6(primitives, network))!;
  t.equal(prefix.length, 48);
  t.ok(prefixContains(prefix, ipOf(virtualIp6(primitives, network, identity))));
  t.not(virtualIp6(primitives, network, identity), virtualIp6(primitives, network, random.bytes(32)));
});

t.test('prefixes: canonical text, overlap', async t => {
  const overlap = (a: string, b: string): boolean =>
    prefixesOverlap(canonicalPrefix(a)!, canonicalPrefix(b)!);
  t.ok(overlap('10.77.0.0/16', '10.0.0.0/8'));
  t.ok(overlap('10.77.4.0/22', '10.77.6.0/24'));
  t.notOk(overlap('10.77.4.0/22', '10.77.8.0/24'));
  t.notOk(overlap('10.77.0.0/16', 'fd00::/8'));
  t.ok(overlap('0.0.0.0/0', '192.168.1.0/24'));
  for (const bad of [
    '10.77.0.1/16',
    '10.77.0.0',
    '10.77.0.0/33',
    '10.77.0.0/08',
    'fd00::1/8',
    '10.77.0.0/16/1',
    '/8',
  ])
    t.equal(canonicalPrefix(bad), null, bad);
});

t.test('host:port', async t => {
  t.same(parseHostPort('[2001:db8::1]:7443'), { host: '2001:db8::1', port: 7443 });
  t.same(parseHostPort('home.example.net:443'), { host: 'home.example.net', port: 443 });
  for (const bad of ['home', 'home:0', 'home:65536', '::1:443', '[::g]:1', 'a b:1', '-a:1', ':1'])
    t.equal(parseHostPort(bad), null, bad);
});

t.test('canonical JSON: sorted keys, no spaces', async t => {
  t.equal(
    canonicalJson({ b: [1, { z: null, a: 'é"' }], a: undefined, A: true }),
    '{"A":true,"b":[1,{"a":"é\\"","z":null}]}',
  );
  t.throws(() => canonicalJson({ a: NaN }), TypeError);
  t.throws(() => canonicalJson({ a: 1n }), TypeError);
});

t.test('a record is believed only as its key signed it', async t => {
  const record = signRecord(primitives, seed, unsignedRecord());
  t.same(verifyRecord(primitives, record), { ok: true, value: record });
  t.match(verifyRecord(primitives, { ...record, name: 'other' }), { code: 'signed.signature' });
  t.match(verifyRecord(primitives, { ...record, id: 'short' }), { code: 'signed.key' });
  const foreign = signRecord(primitives, seed, { ...unsignedRecord(), ip6: 'fd00::1' });
  t.match(verifyRecord(primitives, foreign), { code: 'signed.address6' });
});

t.test("V1: an assignment is the server's word, and no record can stand for it", async t => {
  const { ip4, ip6, id, network: name } = unsignedRecord();
  const assignment = signAssignment(primitives, serverSeed, { v: 1, network: name, id, ip4, ip6, issued: 5 });
  const serverIdentity = primitives.signingPublicKey(serverSeed);
  const record = signRecord(primitives, seed, unsignedRecord());
  t.ok(verifyAssignment(primitives, serverIdentity, assignment).ok);
  t.ok(verifyNode(primitives, serverIdentity, { record, assignment }).ok);
  t.match(verifyAssignment(primitives, identity, assignment), { code: 'signed.signature' });
  t.match(
    verifyNode(primitives, serverIdentity, { record, assignment: { ...assignment, ip4: '10.77.0.9' } }),
    { code: 'signed.mismatch' },
  );
  const sameFields = signRecord(primitives, serverSeed, unsignedRecord());
  t.match(verifyAssignment(primitives, serverIdentity, { ...assignment, signature: sameFields.signature }), {
    code: 'signed.signature',
  });
});

t.test('V3: a log-in proof belongs to one channel', async t => {
  const hash = random.bytes(32);
  const proof = signLogin(primitives, seed, hash);
  t.ok(verifyLogin(primitives, toBase64Url(identity), hash, proof));
  t.notOk(verifyLogin(primitives, toBase64Url(identity), random.bytes(32), proof));
  t.notOk(verifyLogin(primitives, 'short', hash, proof));
  t.notOk(verifyLogin(primitives, toBase64Url(identity), hash, 'short'));
});

t.test('the invite: what went wrong with a paste is told', async t => {
  const invite = {
    serverKey: random.bytes(32),
    serverIdentity: random.bytes(32),
    network,
    token: random.bytes(16),
    addresses: ['home.example.net:7443', '[2001:db8::1]:7443'],
  };
  const text = encodeInvite(invite);
  t.same(decodeInvite(text), { ok: true, value: invite });
  t.ok(decodeInvite(` ${text.slice(0, 40)}\n  ${text.slice(40)}\n`).ok, 'wrapped lines do no harm');
  t.match(decodeInvite('hello'), { code: 'invite.prefix' });
  t.match(decodeInvite(text.replace(/.$/, '!')), { code: 'invite.characters' });
  t.match(decodeInvite('ginnel:' + 'A'.repeat(5000)), { code: 'invite.length' });
  for (let length = 'ginnel:'.length; length < text.length; length++) {
    t.match(decodeInvite(text.slice(0, length)), { code: 'invite.truncated' });
  }
  for (let at = 'ginnel:'.length + 4; at < text.length; at++) {
    const typo = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    t.match(decodeInvite(typo), { code: 'invite.checksum' });
  }
  const bytes = fromBase64Url(text.slice(7))!;
  t.match(decodeInvite(withSum(bytes, 0, 2)), { code: 'invite.version' });
  t.match(decodeInvite(withSum(bytes, 83, 15)), { code: 'invite.malformed' });
  t.match(decodeInvite(withSum(bytes, 100, 3)), { code: 'invite.malformed' });
  t.throws(() => encodeInvite({ ...invite, addresses: [] }), TypeError);
  t.throws(() => encodeInvite({ ...invite, addresses: ['nothing'] }), TypeError);
  t.throws(() => encodeInvite({ ...invite, token: random.bytes(3) }), TypeError);
});

function withSum(bytes: Uint8Array, at: number, value: number): string {
  const changed = bytes.slice();
  changed[at] = value;
  new DataView(changed.buffer).setUint32(changed.length - 4, crc32(changed.subarray(0, -4)));
  return `ginnel:${toBase64Url(changed)}`;
}

t.test('messages: the schema of each type is enforced, unknown fields are ignored', async t => {
  const record = signRecord(primitives, seed, unsignedRecord());
  const endpoint = { family: 4, address: '192.0.2.1', port: 4444 };
  const registration = {
    privateAddresses: [endpoint],
    publicAddresses: [{ family: 6, address: '2001:db8::1', port: 1 }],
    tcpPorts: [7443],
    candidates: [{ kind: 'host', transport: 'udp', endpoint }],
    bandwidth: 1e9,
    cpuLoad: null,
    reachable: 'not-checked',
    relay: { limit: null, spare: 1e8, nodes: 0, mostNodes: 500 },
    region: 'attic',
    relays: [{ node: record.id, state: 'kept', rttMs: 12.5 }],
  };
  const decode = (message: object): unknown => decodeNodeMessage(JSON.stringify(message));
  t.match(decode({ type: 'publish', id: 1, record }), { ok: true, value: { record } });
  t.match(decode({ type: 'register', id: 1, registration, later: 1 }), { ok: true });
  t.match(decode({ type: 'lookup', id: 1, address: 'fd00::1' }), { ok: true });
  const refusals: [object, string][] = [
    [{ type: 'publish', id: 1, record: { ...record, extra: 1 } }, 'message.schema'],
    [{ type: 'publish', id: 1, record: { ...record, name: 'a b' } }, 'message.schema'],
    [{ type: 'publish', id: 1, record: { ...record, name: '-' } }, 'message.schema'],
    [{ type: 'publish', id: 1, record: { ...record, name: 'x'.repeat(64) } }, 'message.schema'],
    [{ type: 'publish', id: 1, record: { ...record, ip4: '10.077.0.2' } }, 'message.schema'],
    [
      {
        type: 'register',
        id: 1,
        registration: { ...registration, candidates: Array(17).fill(registration.candidates[0]) },
      },
      'message.schema',
    ],
    [
      {
        type: 'register',
        id: 1,
        registration: { ...registration, privateAddresses: [{ ...endpoint, family: 6 }] },
      },
      'message.schema',
    ],
    [
      {
        type: 'register',
        id: 1,
        registration: { ...registration, privateAddresses: [{ ...endpoint, port: 0 }] },
      },
      'message.schema',
    ],
    [{ type: 'lookup', id: 1 }, 'message.schema'],
    [{ type: 'lookup', id: 1, address: '10.0.0.1', node: record.id }, 'message.schema'],
    [{ type: 'ping', id: 0 }, 'message.schema'],
    [{ type: 'signal', id: 1, to: record.id, sealed: 'A'.repeat(21_847) }, 'message.schema'],
    [{ type: 'reboot', id: 1 }, 'message.type'],
    [{ type: 'toString', id: 1 }, 'message.type'],
    [[1], 'message.type'],
  ];
  for (const [message, code] of refusals)
    t.match(decode(message), { ok: false, code }, JSON.stringify(message).slice(0, 80));
  t.match(decodeNodeMessage('{'), { code: 'message.not-json' });
  t.match(decodeNodeMessage(' '.repeat(70_000)), { code: 'message.too-long' });
  t.equal(requestIdOf('{"type":"reboot","id":7}'), 7);
  t.equal(requestIdOf('{"id":"7"}'), 0);
  t.equal(requestIdOf('null'), 0);
  t.match(decodeServerMessage(encodeMessage({ type: 'failure', re: 0, code: 'VERSION', message: 'no' })), {
    ok: true,
  });
  const told = { type: 'failure', re: 0, code: 'NAME_TAKEN', message: 'Taken.' } as const;
  t.match(decodeServerMessage(encodeMessage({ ...told, facts: { name: 'attic' } })), {
    value: { facts: { name: 'attic' } },
  });
  const long = encodeMessage({ ...told, facts: { name: 'x'.repeat(301) } });
  t.match(decodeServerMessage(long), { ok: false });
  const offer = {
    type: 'offer',
    attempt: 'a',
    serial: 1,
    candidates: [],
    nat: { mapping: 'not-checked', filtering: 'not-checked', ports: 'sequential+1' },
    serverRttMs: null,
  };
  t.match(decodeSignal(JSON.stringify(offer)), { ok: true });
  t.match(decodeSignal(JSON.stringify({ ...offer, serial: -1 })), { code: 'message.schema' });
});

t.test('the channel: both ends agree, tampering and another key are refused', async t => {
  const [node, server] = [primitives.dhKeyPair(), primitives.dhKeyPair()];
  const base = { startNoise, primitives };
  const opening = openChannel({ ...base, localStatic: node, serverKey: server.publicKey });
  const answer = acceptChannel({ ...base, localStatic: server, version: 2 }, opening.first);
  if (!answer.ok) throw new Error(answer.code);
  const ours = opening.finish(answer.value.answer);
  if (!ours.ok) throw new Error(ours.code);
  const theirs = answer.value.channel;
  t.same([...theirs.remoteKey], [...node.publicKey]);
  t.same([...ours.value.hash], [...theirs.hash]);
  t.equal(ours.value.remoteVersion, 2);
  t.equal(theirs.remoteVersion, 1);
  const sealed = ours.value.seal('hello');
  if (!sealed.ok) throw new Error(sealed.code);
  t.match(theirs.open(sealed.value), { ok: true, value: 'hello' });
  t.match(theirs.open(sealed.value), { code: 'channel.tag' }, 'a repeated message');
  t.match(ours.value.seal('x'.repeat(65_520)), { code: 'channel.too-long' });
  t.match(acceptChannel({ ...base, localStatic: primitives.dhKeyPair() }, opening.first), {
    code: 'channel.handshake',
  });
  const tampered = openChannel({ ...base, localStatic: node, serverKey: server.publicKey });
  t.match(tampered.finish(new Uint8Array(60)), { code: 'channel.handshake' });
});

t.test('P1: the keep-alive token comes apart', async t => {
  const token = `${toBase64Url(random.bytes(12))}.${toBase64Url(random.bytes(32))}`;
  t.match(parseKeepAlive(token), { username: token.slice(0, 16) });
  for (const bad of ['', 'a.b', token + '.x', token.slice(1)]) t.equal(parseKeepAlive(bad), null);
});
