// The list of who is in the network, at the node's end: asked when somebody looks, and as little as that allows.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { GinnelError } from '../../../base/errors.ts';
import type { Enrolled, RollAnswer } from '../../../protocol/location/messages.ts';
import { Roll } from '../../../core/node/roll.ts';

const member = (name: string, lastSeen: number | null = null): Enrolled => ({
  ...{ id: `${name}-id`, name, issued: 1, lastSeen },
  ...{ ip4: `10.77.0.${name.length}`, ip6: `fd00::${name.length}` },
});

type Told = Partial<RollAnswer> | GinnelError;

function bench(answers: Told[]) {
  const clock = new ManualClock();
  const asked: number[] = [];
  const roll = (after: number): Promise<RollAnswer> => {
    asked.push(after);
    const told = answers.shift() ?? {};
    if (told instanceof GinnelError) return Promise.reject(told);
    return Promise.resolve({
      ...{ type: 'roll', re: 1, members: [], gone: [], whole: false, at: after, more: false },
      ...told,
    });
  };
  const counters = new Counters();
  const list = new Roll({ control: { roll }, self: 'attic-id', clock, counters });
  return { clock, asked, list, names: () => [...list.others.values()].map(({ name }) => name).sort() };
}

t.test('asked by pages when somebody looks, this box itself left out', async t => {
  const first = { members: [member('attic'), member('cellar')], whole: true, at: 5, more: true };
  const { asked, list, names } = bench([first, { members: [member('office', 77)], at: 9 }]);
  list.welcomed();
  await list.look();
  t.same(asked, [0, 5]);
  t.same(names(), ['cellar', 'office']);
  t.match(list.find('OFFICE'), { lastSeen: 77 });
  t.match(list.find('10.77.0.6'), { name: 'cellar' });
  t.equal(list.find('attic'), null);
});

t.test('however often somebody looks, it is asked every three seconds; while nobody does, never', async t => {
  const { clock, asked, list, names } = bench([
    { members: [member('cellar')], whole: true, at: 5 },
    { members: [member('office')], gone: ['cellar-id'], at: 8 },
  ]);
  list.welcomed();
  t.same(asked, [], 'the log-in alone is nobody that looks');
  for (let looks = 0; looks < 10; looks++) await list.look();
  t.same(asked, [0]);
  clock.advance(3_600_000);
  t.same(asked, [0]);
  await list.look();
  t.same(asked, [0, 5]);
  t.same(names(), ['office']);
});

t.test('with the server away the list stays; a new log-in begins from the start', async t => {
  const away = new GinnelError('SERVER_AWAY', 'away');
  const { clock, asked, list, names } = bench([
    { members: [member('cellar')], whole: true, at: 500 },
    away,
    { members: [member('office')], whole: true, at: 2 },
  ]);
  list.welcomed();
  await list.look();
  clock.advance(3_000);
  await list.look();
  t.same(names(), ['cellar']);
  list.welcomed();
  await list.look();
  t.same(asked, [0, 500, 0]);
  t.same(names(), ['office']);
});

t.test('a server that does not know the question is not asked again on that connection', async t => {
  const { clock, asked, list } = bench([new GinnelError('MESSAGE_INVALID', 'what?')]);
  list.welcomed();
  await list.look();
  clock.advance(60_000);
  await list.look();
  t.same(asked, [0]);
});

t.test('an answer that came late, from the connection before, says nothing', async t => {
  const clock = new ManualClock();
  const waiting: ((answer: RollAnswer) => void)[] = [];
  const control = { roll: () => new Promise<RollAnswer>(resolve => void waiting.push(resolve)) };
  const list = new Roll({ control, self: 'attic-id', clock, counters: new Counters() });
  list.welcomed();
  void list.look();
  list.welcomed();
  void list.look();
  const answer = { type: 'roll', re: 1, gone: [], whole: true, more: false } as const;
  waiting[1]!({ ...answer, members: [member('office')], at: 3 });
  waiting[0]!({ ...answer, members: [member('cellar')], at: 900 });
  await list.look();
  t.same(
    [...list.others.values()].map(({ name }) => name),
    ['office'],
  );
});

t.test('a server that says "and there are more" for ever is left', async t => {
  const { asked, list } = bench(Array.from({ length: 5000 }, (_, n) => ({ at: n + 1, more: true })));
  list.welcomed();
  await list.look();
  t.equal(asked.length, 512);
});
