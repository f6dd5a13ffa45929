// The words of port mapping as pure code: bytes of PCP and NAT-PMP as the RFCs have them, what an epoch means, which places an
// SSDP answer or a description may lead to, and an XML reader that nothing can be done to.
import t from 'tap';
import { isNatPmpEpochGood, isPcpEpochGood } from '../../../protocol/portmap/epoch.ts';
import { decodeSoap, encodeSoap, servicesOf } from '../../../protocol/portmap/igd.ts';
import { decodeNatPmp, encodeNatPmpAddress, encodeNatPmpMap } from '../../../protocol/portmap/nat-pmp.ts';
import { decodePcp, encodePcpAnnounce, encodePcpMap } from '../../../protocol/portmap/pcp.ts';
import { placeAt, placeFrom } from '../../../protocol/portmap/ssdp.ts';
import { MAX_XML_CHARACTERS, readXml } from '../../../protocol/portmap/xml.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

t.test('PCP, byte by byte (RFC 6887 7.1, 11.1)', t => {
  t.equal(hex(encodePcpAnnounce('192.168.1.2')), '02000000' + '00000000' + '0'.repeat(20) + 'ffffc0a80102');
  const map = encodePcpMap({
    ...{ client: '192.168.1.2', nonce: bytes('0102030405060708090a0b0c'), transport: 'udp', port: 41_641 },
    ...{ lifetimeS: 3600, suggested: { address: null, port: 50_000 } },
  });
  t.equal(
    hex(map),
    '0201000000000e10' +
      '00000000000000000000ffffc0a80102' +
      '0102030405060708090a0b0c' +
      '11000000' +
      'a2a9c350' +
      '00000000000000000000ffff00000000',
  );
  const answer = decodePcp(
    bytes(
      '02810000 00000e10 000003e8 000000000000000000000000' +
        '0102030405060708090a0b0c 11000000 a2a9c350 00000000000000000000ffff05050505',
    ),
  );
  t.match(answer, {
    ok: true,
    value: {
      ...{ about: 'map', result: 0, lifetimeS: 3600, epochS: 1000 },
      map: { transport: 'udp', port: 41_641, outer: { family: 4, address: '5.5.5.5', port: 50_000 } },
    },
  });
  t.throws(
    () =>
      encodePcpMap({
        client: '::1',
        nonce: new Uint8Array(12),
        transport: 'tcp',
        port: 0,
        lifetimeS: 1,
        suggested: { address: null, port: 0 },
      }),
    TypeError,
    'port 0 would be all ports',
  );
  t.end();
});

t.test('NAT-PMP, byte by byte (RFC 6886 3.2, 3.3)', t => {
  t.equal(hex(encodeNatPmpAddress()), '0000');
  const ask = { transport: 'tcp', port: 7443, suggestedPort: 7443 } as const;
  t.equal(hex(encodeNatPmpMap({ ...ask, lifetimeS: 3600 })), '00020000' + '1d131d13' + '00000e10');
  t.equal(hex(encodeNatPmpMap({ ...ask, lifetimeS: 0 })), '00020000' + '1d130000' + '00000000', 'given back');
  t.match(decodeNatPmp(bytes('00800000 000003e8 05050505')), {
    value: { about: 'address', address: '5.5.5.5' },
  });
  t.match(decodeNatPmp(bytes('00820000 000003e8 1d13 1d14 00000e10')), {
    value: { about: 'map', transport: 'tcp', port: 7443, outerPort: 7444, lifetimeS: 3600 },
  });
  t.match(decodeNatPmp(bytes('00820002 000003e8')), { value: { about: 'error', asked: 'tcp', result: 2 } });
  t.throws(
    () => encodeNatPmpMap({ ...ask, port: 0, lifetimeS: 0 }),
    TypeError,
    'it would take all mappings away',
  );
  t.end();
});

t.test('an epoch that goes on as our clock does is good, any other a restart', t => {
  const cases: readonly [ours: number, theirs: number, pcp: boolean, natPmp: boolean][] = [
    [10, 10, true, true],
    [3600, 3600, true, true],
    [3600, 3400, true, true],
    [3600, 3700, true, true],
    [3600, 3200, false, true],
    [3600, 3000, false, false],
    [3600, 4000, false, true],
    [10, 0, false, false],
    [1, -1, true, true],
    [1, -2, false, false],
    [10, -500, false, false],
    [10, 100_000, false, true],
  ];
  for (const [ours, theirs, pcp, natPmp] of cases) {
    const [before, now] = [
      { epochS: 1000, atMs: 0 },
      { epochS: 1000 + theirs, atMs: ours * 1000 },
    ];
    t.equal(isPcpEpochGood(before, now), pcp, `PCP: ${theirs} s in ${ours} s`);
    t.equal(isNatPmpEpochGood(before, now), natPmp, `NAT-PMP: ${theirs} s in ${ours} s`);
  }
  t.end();
});

const AT = '192.168.1.1';

t.test('a place is on the gateway, by its literal address, or it is none', t => {
  t.same(placeAt('http://192.168.1.1:5000/rootDesc.xml', AT), {
    host: AT,
    port: 5000,
    path: '/rootDesc.xml',
  });
  t.same(placeAt('HTTP://192.168.1.1', AT), { host: AT, port: 80, path: '/' });
  t.same(placeAt('http://192.168.1.1/a?b=c&d=%20', AT), { host: AT, port: 80, path: '/a?b=c&d=%20' });
  for (const url of [
    'http://192.168.1.2/x',
    'http://192.168.1.1@10.0.0.1/',
    'http://user:pass@192.168.1.1/',
    'http://192.168.1.1.evil.example/',
    'http://192.168.1.1:80:80/',
    'http://192.168.1.1:0/',
    'http://192.168.1.1:65536/',
    'http://192.168.1.1:080/',
    'http://192.168.1.01/',
    'http://3232235777/',
    'http://0xc0a80101/',
    'http://router/',
    'https://192.168.1.1/',
    'ftp://192.168.1.1/',
    'http:/192.168.1.1/',
    'http://192.168.1.1\\@10.0.0.1/',
    'http://192.168.1.1/#x',
    'http://192.168.1.1/a b',
    'http://192.168.1.1/\r\nHost: x',
    `http://192.168.1.1/${'a'.repeat(600)}`,
    '',
  ])
    t.equal(placeAt(url, AT), null, url);
  t.end();
});

t.test('a reference leads from a document to the same host, or nowhere', t => {
  const base = { host: AT, port: 5000, path: '/igd/desc.xml?x=/y/' };
  const cases: readonly [reference: string, path: string | null, port?: number][] = [
    ['/ctl', '/ctl'],
    ['ctl', '/igd/ctl'],
    ['', '/igd/'],
    [' /ctl\n', '/ctl'],
    ['http://192.168.1.1:49152/ctl', '/ctl', 49_152],
    ['//192.168.1.1/ctl', '/ctl', 80],
    ['http://10.0.0.1/ctl', null],
    ['//10.0.0.1/ctl', null],
    ['javascript:alert(1)', null],
    ['file:///etc/passwd', null],
  ];
  for (const [reference, path, port = 5000] of cases)
    t.same(placeFrom(reference, base), path === null ? null : { host: AT, port, path }, reference);
  t.end();
});

t.test('XML: elements and text, and nothing that bites', t => {
  const text = "<?xml version='1.0'?><!-- a <b> --><s:a x='>'><b>1 &amp; 2</b><c/>\n</s:a>\n";
  t.same(readXml(text), {
    ok: true,
    value: {
      ...{ name: 'a', text: '' },
      children: [
        { name: 'b', text: '1 & 2', children: [] },
        { name: 'c', text: '', children: [] },
      ],
    },
  });
  const refused: readonly [text: string, code: string][] = [
    ['', 'xml.syntax'],
    ['text', 'xml.syntax'],
    ['<a>', 'xml.syntax'],
    ['<a></b>', 'xml.syntax'],
    ['</a>', 'xml.syntax'],
    ['<a/><b/>', 'xml.syntax'],
    ['<a/>text', 'xml.syntax'],
    ['<a', 'xml.syntax'],
    ['<a <b/>', 'xml.syntax'],
    ['<1/>', 'xml.syntax'],
    ['<!-- <a/>', 'xml.syntax'],
    ['<!DOCTYPE a><a/>', 'xml.forbidden'],
    ['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'xml.forbidden'],
    ['<a><![CDATA[x]]></a>', 'xml.forbidden'],
    ['<a>&b;</a>', 'xml.entity'],
    ['<a>a & b</a>', 'xml.entity'],
    ['<a>&constructor;</a>', 'xml.entity'],
    [`<a x="${'y'.repeat(3000)}"/>`, 'xml.size'],
    ['<a>'.repeat(30), 'xml.size'],
    [`<a>${'<b/>'.repeat(9000)}</a>`, 'xml.size'],
    ['a'.repeat(MAX_XML_CHARACTERS + 1), 'xml.size'],
  ];
  for (const [text, code] of refused) t.same(readXml(text), { ok: false, code }, text.slice(0, 50));
  t.end();
});

t.test('a description: the services that map ports, the newest first', t => {
  const service = (type: string, control: string): string =>
    `<service><serviceType>urn:schemas-upnp-org:service:${type}</serviceType><controlURL>${control}</controlURL></service>`;
  const root = (inner: string): string => `<root><device><serviceList>${inner}</serviceList></device></root>`;
  const at = { host: AT, port: 5000, path: '/d.xml' };
  const several =
    service('WANPPPConnection:1', '/ppp') +
    service('Layer3Forwarding:1', '/no') +
    service('WANIPConnection:2', 'ip');
  t.match(servicesOf(root(several), at), {
    ok: true,
    value: [{ control: { path: '/ip' } }, { control: { path: '/ppp' } }],
  });
  t.match(servicesOf(root(service('Layer3Forwarding:1', 'http://10.0.0.1/x')), at), {
    code: 'igd.no-service',
  });
  t.match(servicesOf(root(several + service('WANIPConnection:1', 'http://10.0.0.1/x')), at), {
    code: 'igd.elsewhere',
  });
  t.match(servicesOf(`<root><URLBase>http://${AT}:49152/base/</URLBase>${root(several)}</root>`, at), {
    value: [{ control: { port: 49_152, path: '/base/ip' } }, {}],
  });
  t.match(servicesOf(`<root><URLBase>http://10.0.0.1/</URLBase>${root(several)}</root>`, at), {
    code: 'igd.elsewhere',
  });
  t.end();
});

t.test('SOAP: what is asked cannot break out of its element', t => {
  const asked = encodeSoap('urn:x', 'Add', [['NewDescription', '</NewDescription>&"\'<x/>']]);
  const read = readXml(asked);
  t.ok(read.ok && read.value.children[0]?.children[0]?.children[0]?.text === '</NewDescription>&"\'<x/>');
  const fault = (code: string): string =>
    `<s:E><s:Body><s:Fault><detail><UPnPError><errorCode>${code}</errorCode></UPnPError></detail></s:Fault></s:Body></s:E>`;
  t.same(decodeSoap(fault('718'), 'Add'), { ok: true, value: { kind: 'fault', code: 718 } });
  t.same(decodeSoap(fault('-1'), 'Add'), { ok: true, value: { kind: 'fault', code: 0 } });
  t.same(decodeSoap('<E><Body><OtherResponse/></Body></E>', 'Add'), { ok: false, code: 'xml.syntax' });
  t.end();
});
