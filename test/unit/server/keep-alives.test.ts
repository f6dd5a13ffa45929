// Under which addresses the server has seen whoever is logged in: the last by each family (P1), for those who predict ports there.
import t from 'tap';
import { fromBase64Url } from '../../../protocol/base64.ts';
import type { Endpoint } from '../../../protocol/address.ts';
import { writeUsername } from '../../../protocol/stun/attributes.ts';
import { BINDING, decodeStun, encodeStun, type DecodedStun } from '../../../protocol/stun/codec.ts';
import { KeepAlives } from '../../../server/keep-alives.ts';
import { primitives } from '../../../system/crypto.ts';

function beat(token: string): DecodedStun {
  const [username = '', secret = ''] = token.split('.');
  const key = fromBase64Url(secret)!;
  const message = {
    class: 'request',
    method: BINDING,
    transactionId: primitives.randomBytes(12),
    attributes: [writeUsername(username)],
  } as const;
  const decoded = decodeStun(encodeStun(message, { integritySha256: key, primitives }));
  if (!decoded.ok) throw new Error(decoded.code);
  return decoded.value;
}

const at = (address: string, port: number): Endpoint => ({
  family: address.includes(':') ? 6 : 4,
  address,
  port,
});

t.test('P1: a home with both families is seen under both, each by its last address', t => {
  const keepAlives = new KeepAlives(primitives);
  const told: string[] = [];
  const token = keepAlives.issue(({ address, port }) => told.push(`${address} ${port}`));
  t.same(keepAlives.seen(token), []);
  const addresses = [
    at('2001:db8::2', 1),
    at('198.51.100.2', 2),
    at('2001:db8::2', 1),
    at('198.51.100.2', 2),
  ];
  for (const from of addresses) t.ok(keepAlives.note(beat(token), from));
  t.same(told, ['2001:db8::2 1', '198.51.100.2 2'], 'each once');
  t.ok(keepAlives.note(beat(token), at('198.51.100.3', 2)));
  t.same(
    keepAlives.seen(token).map(({ address }) => address),
    ['2001:db8::2', '198.51.100.3'],
  );
  keepAlives.withdraw(token);
  t.same(keepAlives.seen(token), []);
  t.end();
});
