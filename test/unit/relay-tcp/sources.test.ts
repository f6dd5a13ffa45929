// Nodes behind another relay: each has a share of its own, and those that went away make room.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import type { Stream } from '../../../core/contract/plugin.ts';
import type { Detours } from '../../../plugins/relay-tcp/detours.ts';
import { Forwarder } from '../../../plugins/relay-tcp/forwarder.ts';
import type { ServedNodes } from '../../../plugins/relay-tcp/nodes.ts';
import { Quotas } from '../../../plugins/relay-tcp/quotas.ts';
import { latinOf } from '../../../protocol/stream/frame.ts';
import { frameOf } from './stage.ts';

const addressOf = (number: number): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? 0xfd : at === 15 ? number : at === 14 ? 1 : 0));

t.test('sources unseen for a minute make room: a later one has a share of its own again', t => {
  const clock = new ManualClock();
  const counters = new Counters();
  const shared: string[] = [];
  class SeenQuotas extends Quotas {
    override share(node: string, stream: Stream | null): ReturnType<Quotas['share']> {
      shared.push(node);
      return super.share(node, stream);
    }
  }
  const relay = { address: latinOf(addressOf(200)), isClosed: false } as Stream;
  const to = { address: latinOf(addressOf(201)), forward: () => 'sent' } as unknown as Stream;
  const forwarder = new Forwarder({
    ...{ clock, counters },
    streams: { find: address => (address === to.address ? to : null) },
    quotas: new SeenQuotas(clock, counters, { bytesPerSecond: 1e9, nodeBytesPerSecond: Infinity }),
    nodes: { admits: () => true } as unknown as ServedNodes,
    detours: { take: () => undefined } as unknown as Detours,
  });
  const take = (number: number): string | undefined => {
    forwarder.take(relay, frameOf(addressOf(number), addressOf(201)));
    return shared.at(-1);
  };
  const own = (number: number): string => latinOf(addressOf(number));
  for (let number = 0; number < 64; number++) t.equal(take(number), own(number));
  t.equal(take(100), `>${relay.address}`, 'those beyond 64 share one');
  clock.advance(59_000);
  t.equal(take(1), own(1), 'still sending');
  t.equal(take(100), `>${relay.address}`);
  clock.advance(2_000);
  t.equal(take(1), own(1));
  t.equal(take(100), own(100));
  t.equal(counters.snapshot()['forwarded.frames'], 69);
  t.end();
});
