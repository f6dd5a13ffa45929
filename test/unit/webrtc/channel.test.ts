// Channels between two ends on the real library: the transport contract, and what becomes of a channel over its life.
import t from 'tap';
import type { Link } from '../../../core/contract/link.ts';
import { testTransport, type TransportEnd, type TransportRig } from '../../contract/transport.ts';
import { Signalling, startEnd, type WebrtcEnd } from '../../support/webrtc-ends.ts';

async function pair(): Promise<readonly [WebrtcEnd, WebrtcEnd]> {
  const signalling = new Signalling();
  return [await startEnd('anna', signalling), await startEnd('bert', signalling)];
}

function transportEnd(end: WebrtcEnd, other: WebrtcEnd): TransportEnd {
  const made: TransportEnd = {
    async link() {
      const { id } = await end.dial(other);
      return end.links.linkBy(id)!;
    },
    received: () => undefined,
  };
  end.received = (link, batch) => made.received(link, batch);
  return made;
}

async function rig(): Promise<TransportRig> {
  const [a, b] = await pair();
  // Both ends have it open before a word goes: there are no retransmissions.
  await Promise.all([a.dial(b), b.dial(a)]);
  return {
    name: 'webrtc',
    a: transportEnd(a, b),
    b: transportEnd(b, a),
    stop: async () => {
      await Promise.all([a.stop(), b.stop()]);
    },
  };
}

t.test('the transport contract', t => {
  testTransport(t, rig);
  t.end();
});

const until = async (condition: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 1000; turn++) {
    if (condition()) return;
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  throw new Error('it did not come about');
};

const idsOf = (links: Iterable<Link>): string[] => [...links].map(({ id }) => id);

t.test('either end may dial; both get one channel, unordered and not reliable', async t => {
  const [a, b] = await pair();
  t.teardown(() => Promise.all([a.stop(), b.stop()]));
  const link = await b.dial(a);
  await until(() => a.standing.size === 1);
  t.match(link, {
    transport: 'webrtc',
    traits: { reliable: false, ordered: false, relayed: false },
    throughTurn: false,
  });
  t.same([idsOf(a.standing), idsOf(b.standing)], [['webrtc bert________'], ['webrtc anna________']]);
  t.ok(link.remote !== null && link.local !== null, 'both its places are known');
});
