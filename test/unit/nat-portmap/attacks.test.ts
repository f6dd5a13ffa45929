// Whoever is on the LAN may answer in the router's place, and a router may have been taken over: answers made to attack are
// refused and counted, and no request ever leaves for another host. Real sockets, on loopback addresses.
import type { RequestListener } from 'node:http';
import t, { type Test } from 'tap';
import {
  description,
  home,
  igd,
  natPmpAnswer,
  pcpAnswer,
  soapAnswer,
  ssdpAnswer,
  type Datagram,
  type Home,
} from './fake-router.ts';
import { PORT, stage, type Stage } from './stage.ts';

t.jobs = 6;

/** Nothing is told, the attacker saw nobody, and it was counted. */
function refused(t: Test, { candidates, told, count, code }: Stage, { attacker }: Home, why: string): void {
  t.same(candidates(), [], 'no place is named');
  t.same(told(), []);
  t.same(attacker.visits, [], 'nobody came to the attacker');
  t.ok(count(`refused.${why}`) > 0, `counted as ${why}`);
  t.match(code(), /^PORTMAP_(NO_ANSWER|REFUSED)$/);
}

const upnp = { settings: { protocols: ['upnp'] } };

/** SSDP answers with that LOCATION; the router's own HTTP answers with `http`. */
async function ssdp(
  t: Test,
  location: (home: Home, port: number) => string,
  http: RequestListener = igd(new Map()),
): Promise<Home> {
  const at = home(t);
  const port = await at.router.http(http);
  await at.router.udp(1900, ({ reply }) => reply(ssdpAnswer(location(at, port))));
  return at;
}

const elsewhere: readonly [string, (home: Home, port: number) => string][] = [
  ['another host', ({ attacker }) => `http://${attacker.address}:8080/d.xml`],
  ['a host name', () => 'http://localhost:8080/d.xml'],
  [
    "a name that begins with the router's address",
    ({ router }) => `http://${router.address}.attacker.example/d.xml`,
  ],
  [
    'a user before another host',
    ({ router, attacker }) => `http://${router.address}@${attacker.address}:8080/d.xml`,
  ],
  ['another spelling of an address', () => 'http://0x7f000042:8080/d.xml'],
  ['https', ({ router }, port) => `https://${router.address}:${port}/d.xml`],
  ['a file', () => 'file:///etc/passwd'],
  ['port 0', ({ router }) => `http://${router.address}:0/d.xml`],
  ['a line break', ({ router }, port) => `http://${router.address}:${port}/d.xml HTTP/1.1\r\nX: y`],
  ['without end', ({ router }, port) => `http://${router.address}:${port}/${'a'.repeat(1500)}`],
];
for (const [what, location] of elsewhere)
  t.test(`SSDP: LOCATION leads to ${what}`, async t => {
    const at = await ssdp(t, location);
    await at.attacker.http((_, response) => response.end(description('/control')), 8080);
    refused(t, await stage(t, at, upnp), at, 'ssdp.elsewhere');
  });

t.test('SSDP: somebody else answers', async t => {
  const at = home(t);
  const port = await at.attacker.http(igd(new Map()));
  const other = await at.attacker.udp(1901, () => undefined);
  await at.router.udp(1900, ({ from }) => {
    other.send(ssdpAnswer(`http://${at.attacker.address}:${port}/d.xml`), from.port, from.address);
    other.send(ssdpAnswer(`http://${at.router.address}:${port}/d.xml`), from.port, from.address);
  });
  refused(t, await stage(t, at, upnp), at, 'wrong-source');
});

const datagrams: readonly [string, string, Buffer][] = [
  ['too long', 'ssdp.length', Buffer.alloc(4000, 'a')],
  ['no HTTP', 'ssdp.syntax', Buffer.from('hello')],
  ['an error', 'ssdp.syntax', Buffer.from('HTTP/1.1 500 no\r\nLOCATION: x\r\n\r\n')],
  [
    'another device',
    'ssdp.type',
    Buffer.from('HTTP/1.1 200 OK\r\nST: upnp:printer\r\nLOCATION: http://x/\r\n\r\n'),
  ],
];
for (const [what, why, bytes] of datagrams)
  t.test(`SSDP: an answer that is ${what}`, async t => {
    const at = home(t);
    await at.router.udp(1900, ({ reply }) => reply(bytes));
    refused(t, await stage(t, at, upnp), at, why);
  });

const bodies: readonly [string, string, (home: Home) => RequestListener][] = [
  [
    'a redirect to another host',
    'http.redirect',
    ({ attacker }) =>
      (_, response) =>
        void response.writeHead(302, { location: `http://${attacker.address}:8080/d.xml` }).end(),
  ],
  [
    'an error',
    'http.status',
    () => (_, response) => void response.writeHead(404).end(description('/control')),
  ],
  ['a huge body', 'http.long', () => (_, response) => void response.end(Buffer.alloc(1 << 20, 'a'))],
  [
    'a huge body of unknown length',
    'http.long',
    () => (_, response) => {
      const drip = setInterval(() => response.write(Buffer.alloc(64 * 1024, 'a')), 1);
      response.on('close', () => clearInterval(drip));
    },
  ],
  [
    'a slow body',
    'http.slow',
    () => (_, response) => {
      const drip = setInterval(() => response.write('<a/>'), 50);
      response.on('close', () => clearInterval(drip));
    },
  ],
  ['silence', 'http.slow', () => () => undefined],
  [
    'an entity bomb',
    'xml.forbidden',
    () => (_, response) =>
      void response.end(
        '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><root>&b;</root>',
      ),
  ],
  [
    'an entity from outside',
    'xml.forbidden',
    ({ attacker }) =>
      (_, response) =>
        void response.end(
          `<!DOCTYPE r [<!ENTITY x SYSTEM "http://${attacker.address}:8080/x">]><root><a>&x;</a></root>`,
        ),
  ],
  [
    'an entity that is not declared',
    'xml.entity',
    () => (_, response) => void response.end('<root>&x;</root>'),
  ],
  ['elements in elements', 'xml.size', () => (_, response) => void response.end('<a>'.repeat(10_000))],
  ['no XML', 'xml.syntax', () => (_, response) => void response.end('hello')],
  ['no service', 'igd.no-service', () => (_, response) => void response.end('<root><device/></root>')],
  [
    'a control place on another host',
    'igd.elsewhere',
    ({ attacker }) =>
      (_, response) =>
        void response.end(description(`http://${attacker.address}:8080/control`)),
  ],
  [
    'a control place on another host, without a scheme',
    'igd.elsewhere',
    ({ attacker }) =>
      (_, response) =>
        void response.end(description(`//${attacker.address}:8080/control`)),
  ],
  [
    'a base on another host',
    'igd.elsewhere',
    ({ attacker }) =>
      (_, response) =>
        void response.end(description('/control', `<URLBase>http://${attacker.address}:8080/</URLBase>`)),
  ],
];
for (const [what, why, answer] of bodies)
  t.test(`UPnP: the description is ${what}`, async t => {
    const place: { home: Home | null } = { home: null };
    const at = await ssdp(
      t,
      ({ router }, port) => `http://${router.address}:${port}/d.xml`,
      (request, response) => answer(place.home!)(request, response),
    );
    place.home = at;
    await at.attacker.http((_, response) => response.end(description('/control')), 8080);
    refused(t, await stage(t, at, upnp), at, why);
  });

t.test('UPnP: an answer to a call that redirects, or is no answer', async t => {
  const at = await ssdp(
    t,
    ({ router }, port) => `http://${router.address}:${port}/d.xml`,
    (request, response) => {
      if (request.method === 'GET') response.end(description('/control'));
      else response.writeHead(307, { location: `http://${at.attacker.address}:8080/control` }).end();
    },
  );
  await at.attacker.http((_, response) => response.end(soapAnswer('AddPortMapping')), 8080);
  refused(t, await stage(t, at, upnp), at, 'http.redirect');
});

// ---- PCP and NAT-PMP

type Attack = (datagram: Datagram, home: Home) => void;

const pcp: readonly [string, string, Attack][] = [
  [
    'another nonce',
    'nonce',
    ({ bytes, reply }) => reply(pcpAnswer(bytes, { nonce: Buffer.alloc(12, 7) }) ?? bytes),
  ],
  ['outer port 0', 'port-zero', ({ bytes, reply }) => reply(pcpAnswer(bytes, { outerPort: 0 }) ?? bytes)],
  ['a lease of 0', 'lease-zero', ({ bytes, reply }) => reply(pcpAnswer(bytes, { lifetimeS: 0 }) ?? bytes)],
  [
    'a packet cut short',
    'pcp.length',
    ({ bytes, reply }) => reply((pcpAnswer(bytes) ?? bytes).subarray(0, 20)),
  ],
  [
    'a mapping cut short',
    'pcp.length',
    ({ bytes, reply }) => reply((pcpAnswer(bytes) ?? bytes).subarray(0, bytes.length === 24 ? 24 : 40)),
  ],
  ['an echo', 'pcp.request', ({ bytes, reply }) => reply(bytes)],
];
for (const [what, why, attack] of pcp)
  t.test(`PCP: ${what}`, async t => {
    const at = home(t);
    await at.router.udp(5351, datagram => attack(datagram, at));
    refused(t, await stage(t, at, { settings: { protocols: ['pcp'] } }), at, why);
  });

const natPmp: readonly [string, string, Attack][] = [
  ['outer port 0', 'port-zero', ({ bytes, reply }) => reply(natPmpAnswer(bytes, { outerPort: 0 }) ?? bytes)],
  ['a lease of 0', 'lease-zero', ({ bytes, reply }) => reply(natPmpAnswer(bytes, { lifetimeS: 0 }) ?? bytes)],
  ['a packet cut short', 'natpmp.length', ({ reply }) => reply(Buffer.from([0, 128, 0, 0]))],
  ['an echo', 'natpmp.length', ({ bytes, reply }) => reply(bytes)],
  ['another question', 'natpmp.opcode', ({ reply }) => reply(Buffer.alloc(12, Buffer.from([0, 140])))],
];
for (const [what, why, attack] of natPmp)
  t.test(`NAT-PMP: ${what}`, async t => {
    const at = home(t);
    await at.router.udp(5351, datagram => attack(datagram, at));
    refused(t, await stage(t, at, { settings: { protocols: ['nat-pmp'] } }), at, why);
  });

for (const [name, answer] of [
  ['pcp', pcpAnswer],
  ['nat-pmp', natPmpAnswer],
] as const)
  t.test(`${name}: somebody else answers`, async t => {
    const at = home(t);
    const other = await at.attacker.udp(5351, () => undefined);
    await at.router.udp(5351, ({ bytes, from }) =>
      other.send(answer(bytes) ?? bytes, from.port, from.address),
    );
    refused(t, await stage(t, at, { settings: { protocols: [name] } }), at, 'wrong-source');
  });

t.test('answers that nobody asked for change nothing', async t => {
  const at = home(t);
  const places: { port: number; address: string }[] = [];
  const socket = await at.router.udp(5351, ({ bytes, from, reply }) => {
    places.push({ port: from.port, address: from.address });
    reply(pcpAnswer(bytes) ?? bytes);
  });
  const { candidates, count } = await stage(t, at, { settings: { protocols: ['pcp'] } });
  t.same(candidates(), [`udp 5.5.5.5:${PORT}`]);
  const [to] = places;
  for (let times = 0; times < 10; times++) socket.send(Buffer.alloc(60, 0x82), to!.port, to!.address);
  for (let tries = 0; tries < 100 && count('refused.unasked') < 10; tries++)
    await new Promise(resolve => setTimeout(resolve, 10));
  t.ok(count('refused.unasked') >= 9, 'counted');
  t.same(candidates(), [`udp 5.5.5.5:${PORT}`]);
});
