// Keys on P-256: RFC 6979's, and what they sign is taken by node's own verifier.
import { createPublicKey, verify } from 'node:crypto';
import t from 'tap';
import { newP256Key, p256Key, type P256Key } from '../../../system/p256.ts';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const SECRET = bytes('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721');
const POINT =
  '0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299';

function isGood(key: P256Key): boolean {
  const message = bytes('73616d706c65');
  return verify('sha256', message, createPublicKey(key.pem()), key.sign(message));
}

t.test('RFC 6979, A.2.5: the public key of a secret; it signs', t => {
  const key = p256Key(SECRET);
  t.equal(Buffer.from(key?.publicKey ?? []).toString('hex'), POINT);
  t.ok(key !== null && isGood(key));
  t.end();
});

t.test('fresh keys differ, and are the same by their secret', t => {
  const [one, other] = [newP256Key(), newP256Key()];
  t.notSame(one.secret, other.secret);
  t.same(p256Key(one.secret)?.publicKey, one.publicKey);
  t.ok(isGood(one));
  t.end();
});

t.test('bytes that are no key are none', t => {
  for (const none of [new Uint8Array(), new Uint8Array(31), new Uint8Array(32), new Uint8Array(32).fill(255)])
    t.equal(p256Key(none), null);
  t.end();
});
