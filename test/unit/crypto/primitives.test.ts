// The primitives against the vectors of their standards: a few typed in; more read from where Debian
// (python3-cryptography-vectors, golang-github-cloudflare-circl-dev) or GINNEL_WYCHEPROOF (a folder with Wycheproof's JSON
// files) has them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { primitives } from '../../../system/crypto.ts';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const NOTHING = new Uint8Array(0);

t.test('X25519: RFC 7748 section 5.2', t => {
  const vectors = [
    [
      'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
      'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
      'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    ],
    [
      '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
      'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
      '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
    ],
  ] as const;
  for (const [scalar, u, output] of vectors) {
    t.same(primitives.dhKeyPair(bytes(scalar)).diffieHellman(bytes(u)), bytes(output));
  }
  const nine = bytes('09'.padEnd(64, '0'));
  t.same(primitives.dhKeyPair(nine).publicKey, primitives.dhKeyPair(nine).diffieHellman(nine));
  t.end();
});

t.test('X25519: an all-zero secret is null, a key of a wrong length misuse', t => {
  const pair = primitives.dhKeyPair();
  t.equal(pair.diffieHellman(new Uint8Array(32)), null);
  t.equal(pair.diffieHellman(bytes('01'.padEnd(64, '0'))), null);
  t.throws(() => pair.diffieHellman(new Uint8Array(31)), TypeError);
  t.throws(() => primitives.dhKeyPair(new Uint8Array(33)), TypeError);
  t.end();
});

t.test('BLAKE2s: RFC 7693 appendix B, and the parts may be cut anywhere', t => {
  const expected = bytes('508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982');
  t.same(primitives.blake2s(ascii('abc')), expected);
  t.same(primitives.blake2s(ascii('a'), NOTHING, ascii('bc')), expected);
  const key = ascii('key');
  t.same(primitives.macBlake2s(key, ascii('abc')), primitives.macBlake2s(key, ascii('ab'), ascii('c')));
  t.equal(primitives.macBlake2s(key, ascii('abc')).length, 16);
  t.end();
});

t.test('XChaCha20-Poly1305: draft-irtf-cfrg-xchacha appendix A.3', t => {
  const key = bytes('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f');
  const nonce = bytes('404142434445464748494a4b4c4d4e4f5051525354555657');
  const ad = bytes('50515253c0c1c2c3c4c5c6c7');
  const plaintext = ascii(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  );
  const sealed = primitives.xaeadSeal(key, nonce, plaintext, ad);
  t.same(sealed.subarray(0, 16), bytes('bd6d179d3e83d43b9576579493c0e939'));
  t.same(sealed.subarray(-16), bytes('c0875924c1c7987947deafd8780acf49'));
  t.same(primitives.xaeadOpen(key, nonce, sealed, ad), plaintext);
  sealed[0]! ^= 1;
  t.equal(primitives.xaeadOpen(key, nonce, sealed, ad), null);
  t.end();
});

t.test('HMAC and hashes: RFC 2202, RFC 4231, RFC 1321', t => {
  const hi = ascii('Hi There');
  t.same(
    primitives.hmacSha1(new Uint8Array(20).fill(11), hi),
    bytes('b617318655057264e28bc0b6fb378c8ef146be00'),
  );
  t.same(
    primitives.hmacSha256(new Uint8Array(20).fill(11), ascii('Hi '), ascii('There')),
    bytes('b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'),
  );
  t.same(primitives.md5(ascii('abc')), bytes('900150983cd24fb0d6963f7d28e17f72'));
  t.same(
    primitives.sha256(ascii('abc')),
    bytes('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
  );
  t.end();
});

t.test('Ed25519: RFC 8032 section 7.1, test 1', t => {
  const seed = bytes('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
  const publicKey = bytes('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
  const signature = primitives.sign(seed, NOTHING);
  t.equal(
    Buffer.from(signature).toString('hex'),
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  );
  t.same(primitives.signingPublicKey(seed), publicKey);
  t.ok(primitives.verify(publicKey, NOTHING, signature));
  t.notOk(primitives.verify(publicKey, ascii('x'), signature));
  t.notOk(primitives.verify(publicKey, NOTHING, signature.subarray(1)));
  t.notOk(primitives.verify(new Uint8Array(31), NOTHING, signature));
  t.notOk(primitives.verify(new Uint8Array(32).fill(255), NOTHING, signature));
  t.end();
});

t.test('the Noise AEAD: what was changed is null, never an exception', t => {
  const key = primitives.randomBytes(32);
  const sealed = primitives.aeadSeal(key, 2n ** 63n, ascii('text'), ascii('ad'));
  t.same(primitives.aeadOpen(key, 2n ** 63n, sealed, ascii('ad')), ascii('text'));
  t.equal(primitives.aeadOpen(key, 2n ** 63n, sealed, ascii('AD')), null);
  t.equal(primitives.aeadOpen(key, 1n, sealed, ascii('ad')), null);
  t.equal(primitives.aeadOpen(key, 2n ** 63n, sealed.subarray(0, 15), ascii('ad')), null);
  t.ok(primitives.equal(ascii('same'), ascii('same')));
  t.notOk(primitives.equal(ascii('same'), ascii('other')));
  t.end();
});

// ---- vectors from elsewhere

const DEBIAN = '/usr/lib/python3/dist-packages/cryptography_vectors/ciphers/ChaCha20Poly1305/openssl.txt';
const noDebian = existsSync(DEBIAN) ? false : 'Debian package python3-cryptography-vectors is not installed';

t.test("ChaCha20-Poly1305: OpenSSL's vectors", { skip: noDebian }, t => {
  const blocks = readFileSync(DEBIAN, 'utf8').split('\n\n');
  for (const block of blocks) {
    const fields = Object.fromEntries(block.split('\n').map(line => line.split(' = ', 2))) as Record<
      string,
      string
    >;
    if (fields['Key'] === undefined) continue;
    const vector = {
      key: fields['Key'],
      iv: fields['IV']!,
      aad: fields['AAD']!,
      msg: fields['Plaintext']!,
      ct: fields['Ciphertext']!,
      tag: fields['Tag']!,
    };
    checkAead(t, vector, fields['Result'] === undefined);
  }
  t.end();
});

interface AeadVector {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

/** Only nonces that begin with 32 zero bits are Noise's; others are passed over. */
function checkAead(t: Test, vector: AeadVector, valid: boolean): boolean {
  if (!/^0{8}.{16}$/.test(vector.iv)) return false;
  const counter = Buffer.from(vector.iv, 'hex').readBigUInt64LE(4);
  const [key, ad, plaintext] = [bytes(vector.key), bytes(vector.aad), bytes(vector.msg)];
  const sealed = bytes(vector.ct + vector.tag);
  t.same(primitives.aeadOpen(key, counter, sealed, ad), valid ? plaintext : null);
  if (valid) t.same(primitives.aeadSeal(key, counter, plaintext, ad), sealed);
  return true;
}

interface Wycheproof<Vector> {
  readonly testGroups: readonly {
    readonly ivSize?: number;
    readonly tests: readonly (Vector & { readonly tcId: number; readonly result: string })[];
  }[];
}

const folder = process.env['GINNEL_WYCHEPROOF'];
const noWycheproof = folder === undefined ? 'GINNEL_WYCHEPROOF names no folder with its JSON files' : false;

function wycheproof<Vector>(name: string): Wycheproof<Vector>['testGroups'] {
  return (JSON.parse(readFileSync(join(folder ?? '', name), 'utf8')) as Wycheproof<Vector>).testGroups;
}

interface X25519Vector {
  readonly tcId: number;
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}

function checkX25519(t: Test, vectors: readonly X25519Vector[]): void {
  for (const { tcId, ...vector } of vectors) {
    const shared = primitives.dhKeyPair(bytes(vector.private)).diffieHellman(bytes(vector.public));
    t.same(shared, /^0*$/.test(vector.shared) ? null : bytes(vector.shared), `test ${tcId}`);
  }
  t.ok(vectors.length > 80, `${vectors.length} vectors`);
  t.end();
}

const CIRCL = '/usr/share/gocode/src/github.com/cloudflare/circl/dh/x25519/testdata/wycheproof_kat.json';
const noCircl = existsSync(CIRCL)
  ? false
  : 'Debian package golang-github-cloudflare-circl-dev is not installed';

t.test('X25519: Wycheproof, as far as circl has it', { skip: noCircl }, t => {
  checkX25519(t, JSON.parse(readFileSync(CIRCL, 'utf8')) as readonly X25519Vector[]);
});

t.test('X25519: Wycheproof, all of it', { skip: noWycheproof }, t => {
  checkX25519(
    t,
    wycheproof<X25519Vector>('x25519_test.json').flatMap(group => group.tests),
  );
});

t.test('ChaCha20-Poly1305: Wycheproof', { skip: noWycheproof }, t => {
  const groups = wycheproof<AeadVector>('chacha20_poly1305_test.json').filter(group => group.ivSize === 96);
  const checked = groups
    .flatMap(group => group.tests)
    .filter(vector => checkAead(t, vector, vector.result === 'valid'));
  t.ok(checked.length > 0, `${checked.length} vectors with a Noise nonce`);
  t.end();
});
