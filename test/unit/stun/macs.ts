// The MACs that STUN needs, by node:crypto: what the tests hand to the codec.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Primitives } from '../../../protocol/primitives.ts';

type Macs = Pick<Primitives, 'hmacSha1' | 'hmacSha256' | 'md5' | 'equal'>;

const over =
  (algorithm: string) =>
  (key: Uint8Array, ...parts: Uint8Array[]): Uint8Array => {
    const mac = createHmac(algorithm, key);
    for (const part of parts) mac.update(part);
    return Uint8Array.from(mac.digest());
  };

export const macs: Macs = {
  hmacSha1: over('sha1'),
  hmacSha256: over('sha256'),
  md5: (...parts) => Uint8Array.from(createHash('md5').update(Buffer.concat(parts)).digest()),
  equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};
