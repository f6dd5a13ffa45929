// Who may begin a stream now: one source that knocks without end turns away nobody else.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Doorkeeper } from '../../../core/streams/doorkeeper.ts';
import { tcpAddress } from '../../../protocol/ip/endpoint.ts';

t.test('a source that knocks without end is turned away, and nobody else is', t => {
  const keeper = new Doorkeeper(new ManualClock());
  const admitted = (address: string): boolean => keeper.admit(tcpAddress(address) ?? '') !== null;
  const first = Array.from({ length: 100 }, () => admitted('::ffff:203.0.113.7'));
  t.ok(first.filter(Boolean).length <= 40, 'it has its share');
  t.ok(admitted('::ffff:203.0.113.8'), 'as a dual-stack listener tells IPv4');
  t.ok(admitted('2001:db8::1'));
  t.end();
});

t.test('a home has one share, whichever of its IPv6 addresses it uses', t => {
  const keeper = new Doorkeeper(new ManualClock());
  const taken = Array.from({ length: 100 }, (_, at) => keeper.admit(`2001:db8::${at.toString(16)}`));
  t.ok(taken.filter(one => one !== null).length <= 40);
  t.ok(keeper.admit('2001:db8:1::1') !== null);
  t.end();
});

t.test('whoever has begun makes room, and time gives more', t => {
  const clock = new ManualClock();
  const keeper = new Doorkeeper(clock);
  const leaves = Array.from({ length: 32 }, () => keeper.admit('203.0.113.7'));
  t.notOk(leaves.includes(null));
  t.equal(keeper.admit('203.0.113.7'), null, 'too many at once');
  for (const leave of leaves) leave?.();
  t.ok(keeper.admit('203.0.113.7') !== null);
  clock.advance(10_000);
  t.ok(keeper.admit('203.0.113.7') !== null);
  t.end();
});
