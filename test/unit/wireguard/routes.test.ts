import t from 'tap';
import { seededRandom } from '../../../base/random.ts';
import { parsePrefix, Routes, type Prefix } from '../../../core/dataplane/routes.ts';
import { parseIp } from '../../../protocol/ip/address.ts';

interface Owner {
  readonly name: string;
}

const owner = (name: string): Owner => ({ name });

function at(routes: Routes<Owner>, address: string): string | undefined {
  const ip = parseIp(address);
  if (!ip.ok) throw new TypeError(address);
  const packet = new Uint8Array(40);
  packet.set(ip.value.bytes, 5);
  return (ip.value.family === 4 ? routes.find4(packet, 5) : routes.find6(packet, 5))?.name;
}

t.test('the longest prefix wins, in both families', t => {
  const routes = new Routes<Owner>();
  for (const text of [
    '0.0.0.0/0',
    '10.0.0.0/8',
    '10.77.0.0/16',
    '10.77.0.3/32',
    '::/0',
    'fd00::/8',
    'fd77::3/128',
  ]) {
    routes.set(parsePrefix(text)!, owner(text));
  }
  t.equal(at(routes, '10.77.0.3'), '10.77.0.3/32');
  t.equal(at(routes, '10.77.0.2'), '10.77.0.0/16');
  t.equal(at(routes, '10.78.0.3'), '10.0.0.0/8');
  t.equal(at(routes, '11.0.0.0'), '0.0.0.0/0');
  t.equal(at(routes, 'fd77::3'), 'fd77::3/128');
  t.equal(at(routes, 'fd77::2'), 'fd00::/8');
  t.equal(at(routes, '2001:db8::1'), '::/0');
  t.end();
});

t.test('a prefix belongs to whoever got it last, and only that one can give it back', t => {
  const routes = new Routes<Owner>();
  const [a, b] = [owner('a'), owner('b')];
  const prefix = parsePrefix('10.0.0.0/8')!;
  routes.set(prefix, a);
  routes.set(prefix, b);
  routes.delete(prefix, a);
  t.equal(at(routes, '10.1.1.1'), 'b');
  routes.delete(prefix, b);
  t.equal(at(routes, '10.1.1.1'), undefined);
  t.end();
});

t.test('host bits are cleared; what is no prefix is none', t => {
  t.same(parsePrefix('10.77.3.9/16'), { bytes: Uint8Array.of(10, 77, 0, 0), bits: 16 });
  t.same(parsePrefix('10.77.3.9'), { bytes: Uint8Array.of(10, 77, 3, 9), bits: 32 });
  for (const text of [
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0/8',
    '::/129',
    'a/8',
    '10.0.0.0/8/8',
  ]) {
    t.equal(parsePrefix(text), null, text);
  }
  t.end();
});

t.test('the same as a search through a list, whatever is added and taken away', t => {
  const random = seededRandom(3);
  const routes = new Routes<Owner>();
  const list = new Map<string, { prefix: Prefix; owner: Owner }>();
  let differences = 0;
  for (let n = 0; n < 3000; n++) {
    const text = `10.${random.below(4)}.${random.below(4)}.${random.below(256)}/${8 + random.below(25)}`;
    const prefix = parsePrefix(text)!;
    const key = `${prefix.bytes.join('.')}/${prefix.bits}`;
    const known = list.get(key);
    if (known !== undefined && random.below(2) === 0) {
      routes.delete(prefix, known.owner);
      list.delete(key);
    } else {
      const fresh = owner(key);
      routes.set(prefix, fresh);
      list.set(key, { prefix, owner: fresh });
    }
    const asked = Uint8Array.of(10, random.below(4), random.below(4), random.below(256));
    if (routes.find4(asked, 0) !== searched(list.values(), asked)) differences++;
  }
  for (const { prefix, owner } of list.values()) routes.delete(prefix, owner);
  t.equal(differences, 0);
  t.equal(at(routes, '10.0.0.0'), undefined, 'and empty again at the end');
  t.end();
});

function searched(list: Iterable<{ prefix: Prefix; owner: Owner }>, address: Uint8Array): Owner | null {
  const asNumber = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  let best: { prefix: Prefix; owner: Owner } | null = null;
  for (const entry of list) {
    const size = 2 ** (32 - entry.prefix.bits);
    const inside = Math.floor(asNumber(address) / size) === asNumber(entry.prefix.bytes) / size;
    if (inside && (best === null || entry.prefix.bits > best.prefix.bits)) best = entry;
  }
  return best?.owner ?? null;
}
