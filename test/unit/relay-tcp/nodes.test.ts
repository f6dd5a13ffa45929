// Whose frames are forwarded, where all places are taken: what a refusal costs.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import type { Stream } from '../../../core/contract/plugin.ts';
import { ServedNodes } from '../../../plugins/relay-tcp/nodes.ts';

interface Asked {
  links: number;
}

/** Only what is looked at here; each look at `links` counts. */
const streamOf = (address: string, asked: Asked, links = 0): Stream =>
  ({
    address,
    isOurs: false,
    isClosed: false,
    get links() {
      asked.links++;
      return links;
    },
    close: () => undefined,
  }) as unknown as Stream;

t.test('full of nodes that are served, a refused frame asks no connection', t => {
  const clock = new ManualClock();
  const asked = { links: 0 };
  const nodes = new ServedNodes(clock, new Counters(), 8, () => true);
  const served = Array.from({ length: 8 }, (_, at) => streamOf(`n${at}`, asked));
  for (const stream of served) nodes.arrived(stream);
  const late = streamOf('late', asked);
  for (let frame = 0; frame < 100; frame++) t.notOk(nodes.admits(late));
  t.equal(asked.links, 0);
  t.end();
});

t.test('full of nodes that have sent nothing yet, all are asked once in a second', t => {
  const clock = new ManualClock();
  const asked = { links: 0 };
  const nodes = new ServedNodes(clock, new Counters(), 8, () => false);
  const served = Array.from({ length: 8 }, (_, at) => streamOf(`n${at}`, asked));
  for (const stream of served) nodes.arrived(stream);
  const late = streamOf('late', asked);
  for (let frame = 0; frame < 100; frame++) t.notOk(nodes.admits(late));
  t.equal(asked.links, 8);
  clock.advance(1_000);
  t.notOk(nodes.admits(late));
  t.equal(asked.links, 16);
  nodes.left(served[0]!);
  t.ok(nodes.admits(late), 'a place that is free is had at once');
  t.end();
});
