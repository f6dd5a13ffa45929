// Fuzz targets: IP packets, and addresses, endpoints and networks as text.
import { formatEndpoint } from '../../protocol/address.ts';
import { canonicalIp, familyOf, formatIp, isMapped, parseIp } from '../../protocol/ip/address.ts';
import {
  ADDRESS_RULES,
  compileRules,
  isDocumentation,
  scopeOf,
  type AddressTable,
} from '../../protocol/ip/classify.ts';
import { parseEndpoint, splitHostPort } from '../../protocol/ip/endpoint.ts';
import { internetChecksum, pseudoHeader, readIpHeader } from '../../protocol/ip/header.ts';
import { buildEcho, echoReply, readEcho } from '../../protocol/ip/icmp.ts';
import {
  formatPrefix,
  parseInterface,
  parsePrefix,
  prefixContains,
  prefixesOverlap,
  type Prefix,
} from '../../protocol/ip/prefix.ts';
import {
  bytesOf,
  intoAlphabet,
  mustEqual,
  mustHold,
  outcomeOf,
  sameBytes,
  textOf,
  type FuzzTarget,
} from './harness.ts';
import type { FuzzRandom } from './mutate.ts';

function someEcho(random: FuzzRandom): Uint8Array {
  const length = random.pick([4, 16]);
  return buildEcho({
    kind: random.pick(['request', 'reply']),
    source: random.bytes(length),
    destination: random.bytes(length),
    identifier: random.below(65_536),
    sequence: random.below(65_536),
    payload: random.bytes(random.below(64)),
  });
}

/** Lengths and checksums that fit the damaged packet. */
function repairPacket(damaged: Uint8Array): Uint8Array {
  const bytes = damaged.slice();
  const view = new DataView(bytes.buffer);
  const wide = bytes[0]! >>> 4 === 6;
  const header = wide ? 40 : Math.max(20, (bytes[0]! & 0xf) * 4);
  if (bytes.length < header + 8) return bytes;
  if (wide) view.setUint16(4, bytes.length - 40);
  else view.setUint16(2, bytes.length);
  const icmp = bytes.subarray(header);
  view.setUint16(header + 2, 0);
  const pseudo = wide ? [pseudoHeader(bytes.subarray(8, 24), bytes.subarray(24, 40), 58, icmp.length)] : [];
  view.setUint16(header + 2, internetChecksum(...pseudo, icmp));
  return bytes;
}

export const ipPackets: FuzzTarget = {
  name: 'IP packets, ICMP echo',
  decoders: ['protocol/ip/header.ts', 'protocol/ip/icmp.ts'],
  valid: someEcho,
  repair: repairPacket,
  check(input, random) {
    const offset = random.below(3);
    const framed = new Uint8Array(offset + input.length);
    framed.set(input, offset);
    const header = readIpHeader(framed, offset, input.length);
    const sum = internetChecksum(input);
    if (header.ok) {
      const { source, destination, protocol, totalLength } = header.value;
      mustHold(
        pseudoHeader(source, destination, protocol, totalLength).length % 4 === 0,
        'a pseudo-header of odd length',
      );
    }
    mustHold(sum >= 0 && sum <= 0xffff, 'a checksum of more than 16 bits');
    if (header.ok) {
      const { headerLength, totalLength, source, destination, family } = header.value;
      mustHold(headerLength <= totalLength && totalLength <= input.length, 'lengths outside the packet');
      mustHold(
        source.length === (family === 4 ? 4 : 16) && destination.length === source.length,
        'addresses',
      );
    }
    const echo = readEcho(framed, offset, input.length);
    mustHold(!echo.ok || header.ok, 'an echo without a header');
    if (echo.ok) {
      const again = readEcho(buildEcho(echo.value));
      mustHold(again.ok, 'refused when built again');
      for (const name of ['source', 'destination', 'payload'] as const) {
        mustHold(sameBytes(again.value[name], echo.value[name]), `another ${name}`);
      }
      mustHold(
        again.value.sequence === echo.value.sequence && again.value.kind === echo.value.kind,
        'another echo',
      );
      mustHold(echoReply(echo.value).kind === 'reply', 'no reply');
    }
    return outcomeOf(echo);
  },
};

const ALL_IPV4: Prefix = { family: 4, bytes: new Uint8Array(4), length: 0 };

const HEX = '0123456789abcdefABCDEF';

function someAddress(random: FuzzRandom): string {
  const kind = random.below(6);
  if (kind < 2) return formatIp(random.bytes(4));
  if (kind === 2)
    return random.pick([
      '::',
      '::1',
      '1::',
      'fe80::1',
      '::ffff:192.0.2.1',
      '64:ff9b::1.2.3.4',
      '10.0.0.0',
      '0.0.0.0',
    ]);
  if (kind === 3) return formatIp(random.bytes(16).map(byte => (byte & 1 ? 0 : byte)));
  const groups = Array.from({ length: 8 }, () =>
    random.oneIn(3) ? '0' : random.text(HEX, 1 + random.below(4)),
  );
  if (kind === 4) groups.splice(random.below(7), 1 + random.below(6), random.oneIn(2) ? '' : '0');
  return groups.join(':');
}

function someText(random: FuzzRandom): Uint8Array {
  const address = someAddress(random);
  const port = random.oneIn(8) ? '' : `:${random.below(70_000)}`;
  const shapes = [address, `${address}/${random.below(140)}`, `${address}${port}`, `[${address}]${port}`];
  return bytesOf(random.pick(shapes));
}

const compiled = { table: null as AddressTable | null };

function rules(): AddressTable {
  if (compiled.table !== null) return compiled.table;
  const table = compileRules(ADDRESS_RULES);
  mustHold(table.ok, 'the rules are malformed');
  return (compiled.table = table.value);
}

function checkAddress(text: string): string {
  const ip = parseIp(text);
  const canonical = canonicalIp(text);
  mustHold(ip.ok === (canonical !== null), 'parseIp and canonicalIp disagree');
  const scope = scopeOf(rules(), text);
  mustHold(scopeOf([], text) === 'special' && !isDocumentation([], text), 'a scope without rules');
  mustHold(!isDocumentation(rules(), text) || scope === 'public', 'a documentation range that is not public');
  if (!ip.ok || canonical === null) {
    mustHold(scope === 'special', 'what is no address has no other scope');
    return outcomeOf(ip);
  }
  mustEqual(canonicalIp(canonical), canonical, 'the canonical text is not canonical');
  const again = parseIp(canonical);
  mustHold(again.ok && sameBytes(again.value.bytes, ip.value.bytes), 'another address');
  mustHold(familyOf(canonical) === ip.value.family, 'another family');
  mustHold(scope === scopeOf(rules(), canonical), 'another scope');
  mustHold(!isMapped(ip.value.bytes) || canonical.includes('.'), 'a mapped address without dots');
  return 'address';
}

function checkPrefix(text: string): string {
  const on = parseInterface(text);
  const prefix = parsePrefix(text);
  const table = compileRules([{ prefix: text, scope: 'private', source: 'fuzz' }]);
  mustHold(table.ok === prefix.ok, 'rules take other prefixes than parsePrefix');
  mustHold(!prefix.ok || on.ok, 'a network, but no address');
  if (!on.ok) return outcomeOf(on);
  mustHold(prefixContains(on.value.prefix, on.value.address), 'a network without its own address');
  const again = parsePrefix(formatPrefix(on.value.prefix));
  mustHold(again.ok && again.value.length === on.value.prefix.length, 'refused when printed');
  mustHold(prefixesOverlap(again.value, on.value.prefix), 'another network');
  mustHold(prefixesOverlap(ALL_IPV4, again.value) === (again.value.family === 4), 'outside of all networks');
  mustHold(prefixesOverlap(again.value, ALL_IPV4) === (again.value.family === 4), 'outside of all networks');
  return prefix.ok ? 'network' : outcomeOf(prefix);
}

function checkEndpoint(text: string): string {
  const endpoint = parseEndpoint(text);
  splitHostPort(text);
  const withDefault = parseEndpoint(text, 3478);
  mustHold(!endpoint.ok || withDefault.ok, 'a default port makes it worse');
  if (!endpoint.ok) return outcomeOf(withDefault);
  const again = parseEndpoint(formatEndpoint(endpoint.value));
  mustHold(again.ok, 'refused when printed');
  mustEqual(again.value, endpoint.value, 'another endpoint');
  return 'endpoint';
}

export const addressText: FuzzTarget = {
  name: 'addresses, endpoints, networks',
  decoders: [
    'protocol/ip/address.ts',
    'protocol/ip/endpoint.ts',
    'protocol/ip/prefix.ts',
    'protocol/ip/classify.ts',
  ],
  valid: someText,
  repair: damaged => intoAlphabet(damaged, '0123456789abcdef:./[]'),
  check(input) {
    const text = textOf(input);
    const outcomes = [checkAddress(text), checkPrefix(text), checkEndpoint(text)];
    return outcomes.find(outcome => !outcome.includes('.')) ?? outcomes[0]!;
  },
};
