// Fuzz target: what a certificate says of its use, on certificates of our own making that were damaged.
import { der, oid, oidText, readDer, sequence, TAG } from '../../protocol/x509/der.ts';
import { readUse } from '../../protocol/x509/extensions.ts';
import { makeCertificate } from '../../protocol/x509/make.ts';
import { readCertificate } from '../../system/certificates.ts';
import { primitives } from '../../system/crypto.ts';
import { mustEqual, mustHold, outcomeOf, type FuzzTarget } from './harness.ts';
import type { FuzzRandom } from './mutate.ts';

const seed = new Uint8Array(32).fill(11);
const publicKey = primitives.signingPublicKey(seed);

const made = [true, false].map(isAuthority =>
  makeCertificate(primitives, seed, {
    ...{ serial: new Uint8Array(16).fill(0x41), issuer: 'Ginnel home', subject: 'attic', publicKey },
    ...{ from: Date.UTC(2026, 0, 1), until: Date.UTC(isAuthority ? 2060 : 2030, 0, 1), isAuthority },
  }),
);

/** The extension's contents replaced, with every length around them made to fit. */
function twisted(random: FuzzRandom): Uint8Array {
  const outer = readDer(random.pick(made));
  mustHold(outer.ok, 'our own certificate is not read');
  const [whole] = outer.value;
  const parts = readDer(whole!.contents);
  mustHold(parts.ok, 'our own certificate is not read');
  const [body, algorithm, signature] = parts.value;
  const fields = readDer(body!.contents);
  mustHold(fields.ok, 'our own certificate is not read');
  const kept = fields.value.slice(0, -1).map(field => field.whole);
  return sequence(
    sequence(...kept, der(0xa3, sequence(...extensions(random)))),
    algorithm!.whole,
    signature!.whole,
  );
}

function extensions(random: FuzzRandom): Uint8Array[] {
  const ids = ['2.5.29.19', '2.5.29.15', '2.5.29.37', '2.5.29.17', '1.2.3.4', '2.5.29.14'];
  return Array.from({ length: random.below(5) }, () => {
    const critical = random.oneIn(2) ? [der(TAG.boolean, Uint8Array.of(random.oneIn(4) ? 0 : 0xff))] : [];
    const value = random.pick([
      () => sequence(),
      () =>
        sequence(der(TAG.boolean, Uint8Array.of(0xff)), der(TAG.integer, random.bytes(1 + random.below(2)))),
      () => der(TAG.bitString, Uint8Array.of(0, random.below(256))),
      () => sequence(oid('1.3.6.1.5.5.7.3.2'), oid('2.999.3')),
      () => random.bytes(random.below(8)),
    ])();
    return sequence(oid(random.pick(ids)), ...critical, der(TAG.octetString, value));
  });
}

export const certificates: FuzzTarget = {
  name: 'certificates',
  decoders: ['protocol/x509/der.ts', 'protocol/x509/extensions.ts'],
  cost: 10,
  valid: random => (random.oneIn(3) ? random.pick(made) : twisted(random)),
  repair: (_, random) => twisted(random),
  check(input) {
    const result = readUse(input);
    outcomeOf(result);
    const parts = readDer(input);
    if (parts.ok) {
      const written = parts.value.map(({ tag, contents }) => der(tag, contents));
      mustEqual(Buffer.concat(written).toString('hex'), Buffer.from(input).toString('hex'), 'other bytes');
    }
    if (!result.ok) return outcomeOf(result);
    for (const id of [result.value.signatureAlgorithm, ...(result.value.purposes ?? [])])
      mustEqual(oidText(oid(id).subarray(2)), id, 'another number');
    // OpenSSL takes nobody for an authority whom we do not.
    const read = readCertificate(input);
    mustHold(read?.isAuthority !== true || result.value.isAuthority, 'an authority that we did not see');
    return 'accepted';
  },
};
