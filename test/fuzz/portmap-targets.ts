// Fuzz targets: what a router, or somebody in its place, answers to port mapping: PCP, NAT-PMP, SSDP, UPnP's XML.
import { parseIp } from '../../protocol/ip/address.ts';
import { decodeSoap, encodeSoap, servicesOf } from '../../protocol/portmap/igd.ts';
import { decodeNatPmp, encodeNatPmpMap } from '../../protocol/portmap/nat-pmp.ts';
import { decodePcp, encodePcpAnnounce, encodePcpMap } from '../../protocol/portmap/pcp.ts';
import { decodeSsdp, GATEWAY_TYPES, placeAt, placeFrom } from '../../protocol/portmap/ssdp.ts';
import { elementsOf, escapeXml, readXml, type XmlElement } from '../../protocol/portmap/xml.ts';
import { mustEqual, mustHold, outcomeOf, type FuzzTarget } from './harness.ts';
import type { FuzzRandom } from './mutate.ts';

const GATEWAY = '192.168.1.1';
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytesOf = (words: string): Uint8Array => new Uint8Array(Buffer.from(words, 'latin1'));

// ---- PCP

function somePcp(random: FuzzRandom): Uint8Array {
  const client = random.pick([GATEWAY, '2001:db8::1']);
  const bytes = random.oneIn(3)
    ? encodePcpAnnounce(client)
    : encodePcpMap({
        ...{ client, nonce: random.bytes(12), transport: random.pick(['udp', 'tcp'] as const) },
        ...{ port: 1 + random.below(65_535), lifetimeS: random.word() },
        suggested: { address: random.pick([null, '5.5.5.5', '2001:db8::2']), port: random.below(65_536) },
      });
  if (!random.oneIn(8)) bytes[1]! |= 0x80;
  if (random.oneIn(4)) bytes[3] = random.below(20);
  if (random.oneIn(8)) bytes[1] = 0x82;
  return bytes;
}

export const pcpAnswers: FuzzTarget = {
  name: 'PCP answers',
  decoders: ['protocol/portmap/pcp.ts'],
  valid: somePcp,
  check(input) {
    const result = decodePcp(input);
    if (result.ok) {
      const { map, about, lifetimeS, epochS } = result.value;
      mustHold(lifetimeS >= 0 && epochS >= 0, 'times are not negative');
      mustHold(map === null || about === 'map', 'a mapping only in answers about one');
      if (map !== null) {
        mustEqual(map.nonce.length, 12, 'the nonce');
        mustHold(map.outer.port >= 0 && map.outer.port <= 65_535, 'a port');
        const ip = parseIp(map.outer.address);
        mustHold(ip.ok && ip.value.family === map.outer.family, 'an address of its family');
      }
    }
    return outcomeOf(result);
  },
};

// ---- NAT-PMP

function someNatPmp(random: FuzzRandom): Uint8Array {
  const kind = random.below(3);
  const bytes = new Uint8Array(kind === 0 ? 12 : 16);
  const request = encodeNatPmpMap({
    ...{ transport: random.pick(['udp', 'tcp'] as const), port: 1 + random.below(65_535) },
    ...{ suggestedPort: random.below(65_536), lifetimeS: random.oneIn(4) ? 0 : random.word() },
  });
  bytes[1] = 0x80 | (kind === 0 ? 0 : request[1]!);
  if (random.oneIn(4)) bytes[3] = random.below(6);
  bytes.set(random.bytes(bytes.length - 4), 4);
  return bytes;
}

export const natPmpAnswers: FuzzTarget = {
  name: 'NAT-PMP answers',
  decoders: ['protocol/portmap/nat-pmp.ts'],
  valid: someNatPmp,
  check(input) {
    const result = decodeNatPmp(input);
    if (result.ok && result.value.about === 'map')
      mustHold(result.value.outerPort >= 0 && result.value.outerPort <= 65_535, 'a port');
    if (result.ok && result.value.about === 'address')
      mustHold(parseIp(result.value.address).ok, 'an address');
    if (result.ok && result.value.about === 'error') mustHold(result.value.result > 0, 'an error');
    return outcomeOf(result);
  },
};

// ---- SSDP

const URLS = [
  `http://${GATEWAY}:5000/rootDesc.xml`,
  `http://${GATEWAY}/`,
  `HTTP://${GATEWAY}`,
  '/ctl/IPConn',
  'ctl?x=1',
  `//${GATEWAY}/x`,
  'http://10.0.0.1/x',
  `http://${GATEWAY}@evil.example/`,
  `http://${GATEWAY}.evil.example/`,
  'https://192.168.1.1/',
  `http://${GATEWAY}:99999/`,
];

function someSsdp(random: FuzzRandom): Uint8Array {
  const lines = [
    'HTTP/1.1 200 OK',
    `ST: ${random.pick(GATEWAY_TYPES)}`,
    `LOCATION: ${random.pick(URLS)}`,
    ...(random.oneIn(2) ? [`BOOTID.UPNP.ORG: ${random.below(1000)}`] : []),
    ...(random.oneIn(3) ? ['01-NLS: x', 'EXT:', ': nothing', 'st: other'] : []),
    '',
    '',
  ];
  return bytesOf(lines.join('\r\n'));
}

export const ssdpAnswers: FuzzTarget = {
  name: 'SSDP answers',
  decoders: ['protocol/portmap/ssdp.ts'],
  valid: someSsdp,
  check(input, random) {
    const result = decodeSsdp(input);
    const words = result.ok ? result.value.location : text(input.subarray(0, 700));
    const base = { host: GATEWAY, port: 80, path: random.pick(['/', '/a/b?c', '/a/']) };
    for (const place of [
      placeAt(words, GATEWAY),
      placeFrom(words, base),
      placeFrom(random.pick(URLS), base),
    ]) {
      if (place === null) continue;
      mustEqual(place.host, GATEWAY, 'no other host is ever asked');
      mustHold(place.port > 0 && place.port <= 65_535, 'a port');
      mustHold(place.path.startsWith('/') && !/[\s#@]{2}|[\r\n]/.test(place.path), 'a path');
      // What a URL reader that asks nobody makes of it leads to the same host.
      mustEqual(new URL(`http://${place.host}:${place.port}${place.path}`).hostname, GATEWAY, 'the host');
    }
    return outcomeOf(result);
  },
};

// ---- XML

function someElement(random: FuzzRandom, depth: number): string {
  const name = random.pick([
    'root',
    'device',
    'service',
    'serviceType',
    'controlURL',
    'URLBase',
    'u:x',
    'errorCode',
  ]);
  const inside = Array.from({ length: depth > 3 ? 0 : random.below(4) }, () =>
    someElement(random, depth + 1),
  ).join('');
  const own = random.pick([
    escapeXml(random.text('<>&"\'ab', random.below(8))),
    'urn:schemas-upnp-org:service:WANIPConnection:1',
    random.pick(URLS),
    '&#65;&#x41;',
    '&nope;',
    '<!-- x -->',
    '<?y z?>',
    '<!DOCTYPE a>',
  ]);
  const attribute = random.pick(['', ' a="b>c"', " a='d'", ' a="e']);
  return random.oneIn(5) ? `<${name}${attribute}/>` : `<${name}${attribute}>${own}${inside}</${name}>`;
}

const someXml = (random: FuzzRandom): Uint8Array => {
  const service = `<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:${1 + random.below(3)}</serviceType><controlURL>${random.pick(URLS)}</controlURL></service>`;
  const whole = random.pick([
    () =>
      `<?xml version="1.0"?><root>${random.oneIn(3) ? `<URLBase>${random.pick(URLS)}</URLBase>` : ''}${service}</root>`,
    () => encodeSoap('urn:x', 'GetResponse', [['NewPort', random.below(9)]]),
    () =>
      '<e:Envelope><e:Body><e:Fault><detail><errorCode>718</errorCode></detail></e:Fault></e:Body></e:Envelope>',
    () => someElement(random, 0),
  ]);
  return bytesOf(random.pick([whole, whole])());
};

const written = ({ name, text: own, children }: XmlElement): string =>
  `<${name}>${escapeXml(own)}${children.map(written).join('')}</${name}>`;

export const upnpXml: FuzzTarget = {
  name: "UPnP's XML",
  decoders: ['protocol/portmap/xml.ts', 'protocol/portmap/igd.ts'],
  valid: someXml,
  check(input) {
    const words = text(input);
    const result = readXml(words);
    const services = servicesOf(words, { host: GATEWAY, port: 5000, path: '/rootDesc.xml' });
    if (services.ok)
      for (const { control } of services.value)
        mustEqual(control.host, GATEWAY, 'no other host is ever asked');
    const answer = decodeSoap(words, 'Get');
    mustHold(result.ok || (!services.ok && !answer.ok), 'what cannot be read says nothing');
    if (result.ok) {
      mustHold(elementsOf(result.value, result.value.name)[0] === result.value, 'the root is found');
      const again = readXml(written(result.value));
      mustEqual(again.ok ? again.value : again.code, result.value, 'written and read again');
    }
    return outcomeOf(result);
  },
};
