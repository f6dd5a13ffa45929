// A signed node with made-up signatures, for tests that never verify it.
import type { SignedNode } from '../../protocol/location/messages.ts';

export function madeUpNode(name: string): SignedNode {
  const id = Buffer.from(name.padEnd(32, '.')).toString('base64url');
  const place = { v: 1 as const, network: 'n', id, ip4: '10.77.0.3', ip6: 'fd00::3', signature: name };
  return {
    record: {
      ...place,
      name,
      wireguardKey: Buffer.from(name.padEnd(32, '-')).toString('base64'),
      controlKey: id,
      prefixes: [],
      generation: 1,
      expires: 1,
    },
    assignment: { ...place, issued: 1 },
  };
}
