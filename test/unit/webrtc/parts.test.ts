// The small parts of the webrtc plugin: settings, credentials, words, descriptions, candidates, names, packing.
import { createHmac } from 'node:crypto';
import t from 'tap';
import { endpointOf, isMdns, parseCandidate, withAddress } from '../../../plugins/webrtc/candidates.ts';
import {
  cleanDescription,
  midOf,
  offererBegins,
  withoutAddresses,
} from '../../../plugins/webrtc/description.ts';
import { addressIn, questionFor } from '../../../plugins/webrtc/mdns.ts';
import { MAX_MESSAGE_BYTES, pack, unpack } from '../../../plugins/webrtc/packing.ts';
import { isTold, readSettings } from '../../../plugins/webrtc/settings.ts';
import { credentialsOf, CREDENTIALS_LAST_MS, iceServers } from '../../../plugins/webrtc/turn.ts';
import { decodeSaying, encodeSaying, MAX_CANDIDATES, type Saying } from '../../../plugins/webrtc/words.ts';
import { primitives } from '../../../system/crypto.ts';

t.test('settings: what cannot be used is said in words, and the rest is used', t => {
  const fine = readSettings({
    turn: ['turn.example:3478', '203.0.113.1:3479'],
    'turn-user': 'anna',
    'turn-password': 'p',
  });
  t.match(fine, { turn: [{ host: 'turn.example', port: 3478 }, { port: 3479 }], problem: '' });
  const wrong = readSettings({
    turn: ['nowhere', '[2001:db8::1]:3478'],
    'host-ranges': ['10.0.0.0/8', 'home'],
  });
  t.equal(wrong.turn.length, 1);
  t.equal(wrong.hostRanges.length, 1);
  t.match(
    wrong.problem,
    /"nowhere" is no host with a port; "home" is no range .* neither a password nor a secret/,
  );
  t.equal(readSettings({}).problem, '');
  t.end();
});

t.test('settings: own addresses that are told', t => {
  const some = readSettings({ 'host-ranges': ['192.168.0.0/16', 'fd00::/8'] });
  t.same(
    ['192.168.1.2', '10.0.0.1', 'fd00::1', '2001:db8::1', 'x'].map(address => isTold(address, some)),
    [true, false, true, false, false],
  );
  t.ok(isTold('10.0.0.1', readSettings({})), 'all, where none are named');
  t.end();
});

t.test('TURN: a password, or one made from a secret that ends after a day', t => {
  const at = 1_790_000_000_000;
  const turn = ['203.0.113.1:3478'];
  t.equal(credentialsOf(readSettings({ turn }), primitives, at), null, 'nothing to show');
  t.equal(
    credentialsOf(readSettings({ 'turn-password': 'p' }), primitives, at),
    null,
    'nobody to show it to',
  );
  t.same(credentialsOf(readSettings({ turn, 'turn-user': 'anna', 'turn-password': 'p' }), primitives, at), {
    username: 'anna',
    password: 'p',
    until: null,
  });
  const made = credentialsOf(
    readSettings({ turn, 'turn-user': 'anna', 'turn-password': 'p', 'turn-secret': 's' }),
    primitives,
    at,
  )!;
  t.equal(made.username, `${(at + CREDENTIALS_LAST_MS) / 1000}:anna`);
  t.equal(
    made.password,
    createHmac('sha1', 's').update(made.username).digest('base64'),
    'as coturn makes it',
  );
  t.equal(made.until, at + CREDENTIALS_LAST_MS);
  const servers = iceServers(
    { family: 4, address: '203.0.113.9', port: 41641 },
    readSettings({ turn }),
    made,
  );
  t.match(servers, [
    { hostname: '203.0.113.9', port: 41641, relayType: undefined },
    { hostname: '203.0.113.1', port: 3478, relayType: 'TurnUdp', username: made.username },
  ]);
  t.same(iceServers(null, readSettings({ turn }), null), [], 'none without credentials');
  t.end();
});

t.test('words: there and back; others are refused', t => {
  const id = 'abcdefgh12345678';
  const all: Saying[] = [
    { type: 'want' },
    { type: 'offer', id, sdp: 'v=0', candidates: ['a'] },
    { type: 'answer', id, sdp: 'v=0', candidates: [] },
    { type: 'candidates', id, candidates: ['a', 'b'] },
  ];
  for (const saying of all) t.same(decodeSaying(encodeSaying(saying)), saying);
  t.equal(decodeSaying('{"v":2,"type":"offer"}'), 'version');
  const wrong = [
    '',
    '[]',
    'null',
    '{"v":1}',
    '{"v":1,"type":"offer","id":"short","sdp":"","candidates":[]}',
    `{"v":1,"type":"offer","id":"${id}","candidates":[]}`,
    `{"v":1,"type":"candidates","id":"${id}"}`,
    `{"v":1,"type":"candidates","id":"${id}","candidates":[1]}`,
    `{"v":1,"type":"candidates","id":"${id}","candidates":["${'x'.repeat(401)}"]}`,
    `{"v":1,"type":"other","id":"${id}","candidates":[]}`,
  ];
  for (const text of wrong) t.equal(decodeSaying(text), null, text);
  const many = JSON.stringify({ v: 1, type: 'candidates', id, candidates: Array(100).fill('a') });
  const read = decodeSaying(many);
  t.equal(
    read !== null && read !== 'version' && read.type === 'candidates' && read.candidates.length,
    MAX_CANDIDATES,
  );
  t.end();
});

const SDP = [
  'v=0',
  'o=rtc 1811132663 0 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'a=ice-options:ice2,trickle',
  `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
  'm=application 58368 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 192.0.2.2',
  'a=mid:0',
  'a=setup:actpass',
  'a=sctp-port:5000',
  'a=max-message-size:262144',
  'a=ice-ufrag:jU0b',
  'a=ice-pwd:AfHbQA6vOl8i2gqudND5ID',
  'a=candidate:1 1 UDP 2114977791 192.0.2.2 58368 typ host',
  'a=end-of-candidates',
  '',
].join('\r\n');

t.test('descriptions: only what a channel needs gets in, and no addresses get out', t => {
  const clean = cleanDescription(`${SDP}a=extmap:1 urn:x\r\na=ice-lite\r\n`);
  t.notMatch(clean, /candidate|extmap|ice-lite/);
  t.match(clean, /a=fingerprint:sha-256 AB/);
  t.equal(cleanDescription(clean!), clean, 'and it stays so');
  for (const line of ['a=ice-pwd', 'a=ice-ufrag', 'a=fingerprint', 'a=mid', 'm='])
    t.equal(cleanDescription(SDP.replace(new RegExp(`^${line}.*\r\n`, 'm'), '')), null, `without ${line}`);
  t.equal(
    cleanDescription(`${SDP}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n`),
    null,
    'two of them',
  );
  t.equal(cleanDescription('x'.repeat(8000)), null);
  const told = withoutAddresses(SDP);
  t.notMatch(told, /192\.0\.2\.2/);
  t.match(told, /c=IN IP4 0\.0\.0\.0\r\n/);
  t.match(offererBegins(SDP), /a=setup:active\r\n/);
  t.same([midOf(SDP), midOf('')], ['0', '0']);
  t.end();
});

t.test('candidates: of UDP, of the first component, with an address or a name', t => {
  const host = parseCandidate('a=candidate:1 1 UDP 2114977791 192.0.2.2 58368 typ host');
  t.match(host, { host: '192.0.2.2', port: 58368, type: 'host' });
  t.same(endpointOf(host!), { family: 4, address: '192.0.2.2', port: 58368 });
  const mapped = parseCandidate(
    'candidate:3 1 udp 1 2001:DB8::1 9 typ srflx raddr 10.0.0.1 rport 5 generation 0',
  );
  t.same(endpointOf(mapped!), { family: 6, address: '2001:db8::1', port: 9 });
  const named = parseCandidate(
    'candidate:1 1 udp 1 0b5e7f2a-1c2d-4a57-9d31-1f0c8fd0a9aa.local 5000 typ host',
  )!;
  t.ok(isMdns(named) && endpointOf(named) === null);
  t.match(withAddress(named, '192.0.2.7'), { host: '192.0.2.7', line: / 192\.0\.2\.7 5000 typ host$/ });
  const wrong = [
    '',
    'candidate:1 1 TCP 1 192.0.2.2 9 typ host tcptype active',
    'candidate:1 2 UDP 1 192.0.2.2 9 typ host',
    'candidate:1 1 UDP 1 192.0.2.2 0 typ host',
    'candidate:1 1 UDP 1 192.0.2.2 70000 typ host',
    'candidate:1 1 UDP 1 192.0.2.2 9 typ other',
    'candidate:1 1 UDP 1 192.0.2.2 9 typ host\r\na=ice-lite',
  ];
  for (const text of wrong) t.equal(parseCandidate(text), null, text);
  t.end();
});

t.test('mDNS: asks for an address, reads one, and nonsense harms nobody', t => {
  const name = 'abc-1.local';
  const question = questionFor(name);
  t.equal(addressIn(question, name), null, 'a question is no answer');
  const head = Buffer.from([0, 0, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
  const data = Buffer.from([0xc0, 12, 0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4, 192, 0, 2, 9]);
  const answer = Buffer.concat([head, question.subarray(12), data]);
  t.equal(addressIn(answer, name), '192.0.2.9');
  t.equal(addressIn(answer, 'ABC-1.local'), '192.0.2.9', 'in any case');
  t.equal(addressIn(answer, 'other.local'), null);
  for (let length = 0; length < answer.length; length++)
    t.equal(addressIn(answer.subarray(0, length), name), null, `cut at ${length}`);
  const circle = Buffer.concat([head, Buffer.from([0xc0, 12, 0, 1, 0, 1])]);
  t.equal(addressIn(circle, name), null, 'a name that points at itself');
  t.end();
});

t.test('packing: equal datagrams in one message, cut where it would be too long', t => {
  const bytes = Uint8Array.from({ length: 1030 }, (_, index) => index & 0xff);
  const messages: Uint8Array[] = [];
  const take = (message: Uint8Array): boolean => messages.push(message.slice()) > 0;
  t.ok(pack({ bytes, offset: 10, length: 1020, segment: 100 }, take, 350));
  t.same(
    messages.map(({ length }) => length),
    [302, 302, 302, 122],
  );
  const back = messages.map(unpack);
  t.same(
    back.map(batch => batch?.segment),
    [100, 100, 100, 100],
  );
  const joined = back.flatMap(batch => [
    ...batch!.bytes.subarray(batch!.offset, batch!.offset + batch!.length),
  ]);
  t.same(joined, [...bytes.subarray(10)]);
  messages.length = 0;
  t.ok(pack({ bytes, offset: 0, length: 700, segment: 700 }, take, 350), 'one that is longer goes alone');
  t.match(unpack(messages[0]!), { length: 700, segment: 700 });
  let left = 2;
  t.notOk(
    pack({ bytes, offset: 0, length: 1000, segment: 100 }, () => left-- > 0, 100),
    'until one is refused',
  );
  t.equal(left, -1);
  t.equal(unpack(new Uint8Array(2)), null);
  t.equal(unpack(Uint8Array.of(0, 0, 1)), null, 'segments of nothing');
  t.equal(unpack(new Uint8Array(MAX_MESSAGE_BYTES + 3).fill(1)), null, 'too long');
  t.match(unpack(Uint8Array.of(255, 255, 7, 8)), { length: 2, segment: 2 });
  t.end();
});
