// Fuzz targets: the location protocol's messages, invites, signed records and the channel.
import { fromBase64, fromBase64Url, toBase64, toBase64Url } from '../../protocol/base64.ts';
import {
  formatHostPort,
  parseHostPort,
  virtualIp6,
  canonicalPrefix,
} from '../../protocol/location/addresses.ts';
import { prefixesOverlap } from '../../protocol/ip/prefix.ts';
import { canonicalJson } from '../../protocol/location/canonical.ts';
import { acceptChannel, openChannel } from '../../protocol/location/channel.ts';
import {
  decodeNodeMessage,
  decodeSignal,
  decodeServerMessage,
  encodeMessage,
  requestIdOf,
} from '../../protocol/location/codec.ts';
import { decodeInvite, encodeInvite } from '../../protocol/location/invite.ts';
import { parseKeepAlive } from '../../protocol/location/keep-alive.ts';
import type { NodeRecord, SignedNode, Standing } from '../../protocol/location/messages.ts';
import {
  signAssignment,
  signPlaces,
  signRecord,
  signStanding,
  verifyLogin,
  verifyNode,
  verifyRecord,
  verifyStanding,
} from '../../protocol/location/signed.ts';
import { StandingList } from '../../protocol/location/standings.ts';
import { startNoise } from '../../protocol/noise/handshake-state.ts';
import { crc32 } from '../../protocol/stun/crc32.ts';
import { primitives } from '../../system/crypto.ts';
import { bytesOf, intoAlphabet, mustEqual, mustHold, outcomeOf, textOf, type FuzzTarget } from './harness.ts';
import { joined, type FuzzRandom } from './mutate.ts';
import { twist } from './twist.ts';

const seed = new Uint8Array(32).fill(3);
const serverSeed = new Uint8Array(32).fill(4);
const identity = primitives.signingPublicKey(seed);
const networkId = new Uint8Array(16).fill(5);
const network = toBase64Url(networkId);
const id = toBase64Url(identity);
const ip6 = virtualIp6(primitives, networkId, identity);
const key = toBase64Url(new Uint8Array(32).fill(6));
const wireguardKey = toBase64(new Uint8Array(32).fill(7));

const unsigned: Omit<NodeRecord, 'signature'> = {
  v: 1,
  network,
  id,
  name: 'nas',
  wireguardKey,
  controlKey: key,
  ip4: '10.77.0.2',
  ip6,
  prefixes: ['192.168.1.0/24'],
  generation: 3,
  expires: 1_800_000_000_000,
};
const record = signRecord(primitives, seed, unsigned);
const assignment = signAssignment(primitives, serverSeed, {
  v: 1,
  network,
  id,
  ip4: '10.77.0.2',
  ip6,
  issued: 5,
});
const node: SignedNode = { record, assignment };
const signature = record.signature;
const endpoints = [
  { family: 4, address: '203.0.113.7', port: 4444 },
  { family: 6, address: '2001:db8::7', port: 4444 },
] as const;
const candidates = endpoints.map(endpoint => ({ kind: 'reflexive', transport: 'udp', endpoint }));
const registration = {
  privateAddresses: endpoints,
  publicAddresses: endpoints,
  tcpPorts: [7443, 443],
  candidates,
  bandwidth: 1e8,
  cpuLoad: 0.25,
  reachable: 'yes',
  relay: { limit: 1e8, spare: 5e7, nodes: 2, mostNodes: 500 },
  region: 'attic',
  relays: [{ node: id, state: 'kept', rttMs: 3 }],
};

export const serverPlaces = signPlaces(primitives, serverSeed, {
  v: 1,
  network,
  serverKey: key,
  addresses: ['home.example.net:7443', '203.0.113.1:7443'],
  moves: 1,
  issued: 1_800_000_000_000,
});
const standings = (['removed', 'disabled', 'member'] as const).map((state, at) =>
  signStanding(primitives, serverSeed, { v: 1, network, id, state, at }),
);
const digest = 'A'.repeat(64);

const MESSAGES: readonly object[] = [
  {
    type: 'login',
    id: 1,
    network,
    node: id,
    name: 'nas',
    wireguardKey,
    controlKey: key,
    proof: signature,
    localNetworks: ['192.168.1.0/24'],
  },
  ...[
    { kind: 'account', account: 'anna@example.org', password: 'correct horse' },
    { kind: 'certificate', chain: ['AAAA', 'BBBB'], signature: 'CCCC' },
  ].map(credential => ({
    ...{ type: 'login', id: 7, network, node: id, name: 'nas', wireguardKey, controlKey: key },
    ...{ proof: signature, localNetworks: [], credential },
  })),
  { type: 'publish', id: 2, record },
  { type: 'register', id: 3, registration },
  { type: 'lookup', id: 4, address: '10.77.0.3' },
  { type: 'signal', id: 5, to: id, sealed: 'c2VhbGVk' },
  { type: 'ping', id: 6 },
  { type: 'standings', id: 7, digest, skip: 64 },
  { type: 'roll', id: 8, after: 12 },
  { type: 'bring', id: 8, standings },
  {
    type: 'welcome',
    re: 1,
    network,
    networkName: 'home',
    assignment,
    prefix4: '10.77.0.0/16',
    prefix6: 'fd6a:91c2:44d0::/48',
    stun: { port: 7443, secondPort: null, alternates: ['home.example:7443'] },
    keepAlive: `abcdefghijklmnop.${key}`,
    addresses: ['[2001:db8::1]:7443'],
    places: serverPlaces,
    serverTime: 5,
    generation: 0,
    name: 'nas',
    standings: digest,
    rules: [{ prefix: '198.18.0.0/15', scope: 'public' }],
  },
  { type: 'done', re: 1 },
  {
    type: 'route',
    re: 1,
    node,
    online: true,
    registration: null,
    tcp: [...endpoints],
    relays: [{ node, places: [...endpoints] }],
    lastSeen: 5,
  },
  { type: 'relays', keep: [{ node, places: [...endpoints] }], measure: [] },
  { type: 'rerouted', node: id, tcp: [...endpoints], relays: [] },
  { type: 'signal', from: id, node, sealed: 'c2VhbGVk' },
  { type: 'changed', node, online: false },
  { type: 'seen', endpoint: endpoints[0] },
  { type: 'places', places: serverPlaces },
  { type: 'standings', re: 7, standings, more: true },
  {
    ...{ type: 'roll', re: 8, gone: [id], whole: false, at: 14, more: true },
    members: [
      { id, name: 'nas', ip4: '10.77.0.2', ip6, issued: 1_700_000_000_000, lastSeen: 1_750_000_000_000 },
    ],
  },
  { type: 'standing', standing: standings[0] },
  { type: 'renamed', name: 'attic' },
  { type: 'rules', rules: [{ prefix: 'fd00::/8', scope: 'private' }] },
  { type: 'failure', re: 0, code: 'INVITE_USED', message: 'used' },
  {
    type: 'offer',
    attempt: 'abc',
    serial: 1,
    candidates,
    nat: { mapping: 'not-checked', filtering: 'not-checked', ports: 'random' },
    serverRttMs: 12.5,
  },
];

const someMessage = (random: FuzzRandom): Uint8Array => {
  const message = random.pick(MESSAGES);
  return bytesOf(JSON.stringify(random.oneIn(2) ? message : twist(message, random)));
};

export const locationMessages: FuzzTarget = {
  name: 'location messages',
  decoders: [
    'protocol/location/codec.ts',
    'protocol/location/canonical.ts',
    'protocol/location/addresses.ts',
  ],
  cost: 3,
  valid: someMessage,
  repair: (_, random) => bytesOf(JSON.stringify(twist(random.pick(MESSAGES), random))),
  check(input) {
    const text = textOf(input);
    const requestId = requestIdOf(text);
    mustHold(Number.isSafeInteger(requestId) && requestId >= 0, 'no request id');
    const results = [decodeNodeMessage, decodeServerMessage, decodeSignal].map(decode => ({
      decode,
      result: decode(text),
    }));
    for (const { decode, result } of results) {
      const outcome = outcomeOf(result);
      if (!result.ok) continue;
      const again = decode(encodeMessage(result.value));
      mustHold(again.ok, `${outcome}, and refused when encoded again`);
      mustEqual(canonicalJson(again.value), canonicalJson(result.value), 'another message');
      return result.value.type;
    }
    return outcomeOf(results[0]!.result);
  },
};

const HOSTS = ['home.example.net:7443', '203.0.113.1:7443', '[2001:db8::1]:7443', 'a:1'];

function someInvite(random: FuzzRandom): Uint8Array {
  const invite = encodeInvite({
    serverKey: random.bytes(32),
    serverIdentity: random.bytes(32),
    network: random.bytes(16),
    token: random.bytes(random.oneIn(4) ? 0 : 16 + random.below(17)),
    addresses: Array.from({ length: 1 + random.below(4) }, () => random.pick(HOSTS)),
  });
  return random.oneIn(16)
    ? bytesOf(invite.repeat(20))
    : bytesOf(random.oneIn(4) ? `  ${invite.slice(0, 40)}\n${invite.slice(40)} ` : invite);
}

/** The bytes of an invite damaged, with length and CRC-32 made to fit. */
function repairInvite(damaged: Uint8Array, random: FuzzRandom): Uint8Array {
  const digits = textOf(damaged).replaceAll(/^.*?:|[^A-Za-z0-9_-]/g, '');
  const bytes = fromBase64Url(digits.slice(0, digits.length - (digits.length % 4)))?.slice();
  if (bytes === undefined || bytes.length < 12) return damaged;
  if (random.oneIn(2)) bytes[random.below(bytes.length)] = random.below(40);
  if (random.oneIn(2)) bytes[0] = 1;
  if (!random.oneIn(4)) new DataView(bytes.buffer).setUint16(1, bytes.length);
  new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)));
  return bytesOf(`ginnel:${toBase64Url(bytes)}`);
}

export const invites: FuzzTarget = {
  name: 'invites',
  decoders: ['protocol/location/invite.ts', 'protocol/base64.ts'],
  valid: someInvite,
  repair: repairInvite,
  check(input) {
    const result = decodeInvite(textOf(input));
    if (!result.ok) return outcomeOf(result);
    const again = decodeInvite(encodeInvite(result.value));
    mustHold(again.ok, 'refused when encoded again');
    mustEqual(again.value, result.value, 'another invite');
    return 'accepted';
  },
};

export const texts: FuzzTarget = {
  name: 'base64, host:port, keep-alive',
  decoders: [
    'protocol/base64.ts',
    'protocol/location/addresses.ts',
    'protocol/location/keep-alive.ts',
    'protocol/location/signed.ts',
  ],
  valid(random) {
    const made: readonly (() => string)[] = [
      () => toBase64(random.bytes(random.below(40))),
      () => toBase64Url(random.bytes(random.below(40))),
      () => `${random.text('abcdefgh', 16)}.${toBase64Url(random.bytes(32))}`,
      () => random.pick(HOSTS),
      () => random.pick([signature, id]),
      () => random.pick(['10.77.0.0/16', 'fd6a:91c2:44d0::/48', '0.0.0.0/0', '::/0', '10.77.0.2/32']),
    ];
    return bytesOf(random.pick(made)());
  },
  repair: damaged =>
    intoAlphabet(damaged, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+='),
  check(input) {
    const text = textOf(input);
    const [url, standard, host, prefix] = [
      fromBase64Url(text),
      fromBase64(text),
      parseHostPort(text),
      canonicalPrefix(text),
    ];
    if (url !== null) mustEqual(toBase64Url(url), text, 'other digits');
    if (standard !== null) mustEqual(toBase64(standard), text, 'other digits');
    if (host !== null) mustEqual(formatHostPort(host.host, host.port), text, 'another host or port');
    if (prefix !== null) mustHold(prefixesOverlap(prefix, prefix), 'a prefix apart from itself');
    const keepAlive = parseKeepAlive(text);
    mustHold(
      !verifyLogin(primitives, id, identity, text) && !verifyLogin(primitives, text, identity, signature),
      'proof',
    );
    const read = { url, standard, host, prefix, 'keep-alive': keepAlive };
    return Object.entries(read).find(([, value]) => value !== null)?.[0] ?? 'text.refused';
  },
};

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A record inside the message that carries it, so that the schema is passed first, as on the wire. */
export const records: FuzzTarget = {
  name: 'signed records',
  decoders: ['protocol/location/signed.ts', 'protocol/location/canonical.ts'],
  cost: 50,
  valid: random => {
    const changed = random.oneIn(2)
      ? record
      : signRecord(primitives, seed, { ...unsigned, generation: random.word() + 1 });
    const other = random.oneIn(3) ? { ...assignment, ip4: '10.77.0.9' } : assignment;
    return bytesOf(
      JSON.stringify({ type: 'changed', node: { record: changed, assignment: other }, online: true }),
    );
  },
  /** Signed anew by the right keys: what is wrong then is in the fields. */
  repair(damaged, random) {
    if (!random.oneIn(16)) {
      return bytesOf(
        JSON.stringify({
          type: 'changed',
          node: { record: twist(record, random), assignment },
          online: true,
        }),
      );
    }
    const value = random.oneIn(2) ? parsed(textOf(damaged)) : { type: 'changed', node, online: true };
    const twisted = decodeServerMessage(JSON.stringify(value));
    if (!twisted.ok || twisted.value.type !== 'changed') return damaged;
    const fields = {
      ...twisted.value.node.record,
      name: random.text('abc', 3),
      id: random.oneIn(8) ? key : id,
    };
    const ipv6 = random.oneIn(4) ? 'fd00::1' : ip6;
    const signed = signRecord(primitives, seed, { ...fields, ip6: ipv6 });
    const assigned = signAssignment(primitives, random.oneIn(4) ? seed : serverSeed, {
      ...assignment,
      id: signed.id,
      ip6: ipv6,
    });
    return bytesOf(
      JSON.stringify({ type: 'changed', node: { record: signed, assignment: assigned }, online: true }),
    );
  },
  check(input) {
    const message = decodeServerMessage(textOf(input));
    if (!message.ok || message.value.type !== 'changed')
      return message.ok ? message.value.type : outcomeOf(message);
    const result = verifyNode(primitives, primitives.signingPublicKey(serverSeed), message.value.node);
    const alone = verifyRecord(primitives, message.value.node.record);
    mustHold(!result.ok || alone.ok, 'a node with a bad record');
    if (!result.ok) return outcomeOf(result);
    mustHold(result.value.record.id === id && result.value.assignment.ip6 === ip6, 'somebody else');
    return 'accepted';
  },
};

const someStanding = (random: FuzzRandom): Standing =>
  signStanding(primitives, serverSeed, {
    v: 1,
    network,
    id: random.oneIn(2) ? id : key,
    state: random.pick(['removed', 'disabled', 'member']),
    at: random.below(4),
  });

/** Standings as the server tells them: what verifies goes into the list that every node keeps. */
export const standingWords: FuzzTarget = {
  name: 'standings',
  decoders: ['protocol/location/standings.ts', 'protocol/location/signed.ts'],
  cost: 50,
  valid: random => bytesOf(JSON.stringify({ type: 'standing', standing: someStanding(random) })),
  repair: (_, random) =>
    bytesOf(JSON.stringify({ type: 'standing', standing: twist(someStanding(random), random) })),
  check(input, random) {
    const message = decodeServerMessage(textOf(input));
    if (!message.ok || message.value.type !== 'standing')
      return message.ok ? message.value.type : outcomeOf(message);
    const result = verifyStanding(
      primitives,
      primitives.signingPublicKey(serverSeed),
      message.value.standing,
    );
    if (!result.ok) return outcomeOf(result);
    const list = new StandingList(primitives, 2);
    const others = Array.from({ length: random.below(4) }, () => someStanding(random));
    for (const one of [...others, result.value]) list.take(one);
    const backwards = new StandingList(primitives, 2);
    for (const one of [result.value, ...others].reverse()) backwards.take(one);
    mustEqual(list.digest(), backwards.digest(), 'the order in which they came counts');
    mustHold(list.differing(list.digest()).length === 0, 'differs from itself');
    mustEqual(list.differing(textOf(input).slice(0, 64)).length, list.size, 'lacking');
    return 'accepted';
  },
};

const options = (secret: number) => ({
  startNoise,
  primitives,
  localStatic: primitives.dhKeyPair(new Uint8Array(32).fill(secret)),
});
const [serverEnd, nodeEnd] = [options(8), options(9)];

/** The node's first message to the server; where it is accepted, the damaged input goes through the channel, too. */
export const channels: FuzzTarget = {
  name: 'location channel',
  decoders: ['protocol/location/channel.ts'],
  cost: 100,
  valid: random => {
    const version = random.oneIn(8) ? random.pick([0, 2, 65_535, 1e9]) : 1;
    return openChannel({ ...nodeEnd, serverKey: serverEnd.localStatic.publicKey, version }).first;
  },
  check(input, random) {
    const result = acceptChannel(serverEnd, input);
    if (!result.ok) return outcomeOf(result);
    mustHold(result.value.channel.remoteVersion > 0, 'no version');
    const opening = openChannel({ ...nodeEnd, serverKey: serverEnd.localStatic.publicKey });
    outcomeOf(opening.finish(random.oneIn(2) ? result.value.answer : random.bytes(60)));
    const own = openChannel({ ...nodeEnd, serverKey: serverEnd.localStatic.publicKey });
    const accepted = acceptChannel(serverEnd, own.first);
    mustHold(accepted.ok, 'our own first message is refused');
    const channel = own.finish(accepted.value.answer);
    mustHold(channel.ok, 'the answer is refused');
    const sealed = channel.value.seal(random.oneIn(16) ? 'x'.repeat(70_000) : 'hello');
    if (sealed.ok)
      mustEqual(accepted.value.channel.open(sealed.value), { ok: true, value: 'hello' }, 'another text');
    mustHold(!accepted.value.channel.open(joined(input, random.bytes(2))).ok, 'garbage opens');
    outcomeOf(accepted.value.channel.open(new Uint8Array(random.oneIn(16) ? 70_000 : 3)));
    return 'accepted';
  },
};
