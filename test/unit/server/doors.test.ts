// When TCP doors are looked at: nobody starves, closed ones seldom, and who comes and goes is no news.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import type { Endpoint } from '../../../protocol/address.ts';
import type { DoorAnswer } from '../../../server/relays/door-check.ts';
import { Doors } from '../../../server/relays/doors.ts';

const MINUTE = 60_000;
const KEY = new Uint8Array(32);

const place = (number: number, port = 7443): Endpoint => ({
  ...{ family: 4, address: `198.51.100.${number}`, port },
});
const subject = (number: number, isRelay = false) => ({
  ...{ places: [place(number)], controlKey: KEY, isRelay },
});

interface Look {
  readonly at: string;
  readonly ms: number;
  answer(answer: DoorAnswer): Promise<void>;
}

const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** `answers`: at once, what is said of the address; absent: the test answers each look. */
function bench(most: number, answers?: (address: string) => DoorAnswer) {
  const clock = new ManualClock();
  const looks: Look[] = [];
  const changed: string[] = [];
  const begin = clock.monotonicMs();
  const look = ({ address, port }: Endpoint): Promise<DoorAnswer> =>
    new Promise(resolve => {
      const answer = async (said: DoorAnswer): Promise<void> => {
        resolve(said);
        await settle();
      };
      looks.push({ at: `${address.split('.')[3]}:${port}`, ms: clock.monotonicMs() - begin, answer });
      if (answers !== undefined) resolve(answers(address));
    });
  const doors = new Doors({
    ...{ clock, counters: new Counters(), look, most, againMs: 10_000 },
    changed: node => void changed.push(node),
  });
  const pass = async (ms: number): Promise<void> => {
    await settle();
    for (let left = ms; left > 0; left -= 1_000) {
      clock.advance(Math.min(left, 1_000));
      await settle();
    }
  };
  return { clock, doors, looks, changed, pass, at: () => looks.map(each => each.at) };
}

t.test('first come, first served, relays and others alike', async t => {
  const { doors, looks, at } = bench(1);
  for (let number = 1; number <= 5; number++) doors.watch(`n${number}`, subject(number, number % 2 === 0));
  for (let turn = 0; turn < 5; turn++) await looks[turn]!.answer('answers');
  t.same(at(), ['1:7443', '2:7443', '3:7443', '4:7443', '5:7443']);
  doors.close();
});

t.test('newcomers go before regular looks, but a crowd of them does not keep those off', async t => {
  const { doors, looks, at, pass } = bench(1);
  doors.watch('old', subject(200, true));
  await looks[0]!.answer('answers');
  doors.watch('other', subject(201));
  await pass(2 * MINUTE);
  for (let number = 1; number <= 20; number++) doors.watch(`n${number}`, subject(number, true));
  for (let turn = 1; turn <= 8; turn++) await looks[turn]!.answer('answers');
  const turns = at();
  t.ok(turns.indexOf('1:7443') < turns.lastIndexOf('200:7443'), 'a newcomer first');
  t.ok(turns.lastIndexOf('200:7443') > 0, 'and among them the one that is due');
  doors.close();
});

t.test('one that has many places gets no more turns than others', async t => {
  const { doors, looks, at } = bench(1);
  doors.watch('busy', subject(9));
  doors.watch('many', { ...subject(1), places: [1, 2, 3, 4].map(port => place(1, port)) });
  doors.watch('few', subject(2));
  for (let turn = 0; turn < 6; turn++) await looks[turn]!.answer('refused');
  t.same(at(), ['9:7443', '1:1', '2:7443', '1:2', '1:3', '1:4']);
  doors.close();
});

t.test('a door that stays closed is looked at after 2, 10, 30 minutes; new places begin anew', async t => {
  const { doors, looks, pass } = bench(20, () => 'refused');
  doors.watch('node', subject(1, true));
  await pass(80 * MINUTE);
  t.same(
    looks.map(({ ms }) => ms / MINUTE),
    [0, 2, 12, 42, 72],
  );
  doors.watch('node', subject(2, true));
  await pass(3 * MINUTE);
  t.same(
    looks.slice(5).map(({ at, ms }) => [at, ms / MINUTE]),
    [
      ['2:7443', 80],
      ['2:7443', 82],
    ],
  );
  doors.close();
});

t.test('a door that answers is looked at as before: relays every 2 minutes, others every 10', async t => {
  const { doors, at, pass } = bench(20, () => 'answers');
  doors.watch('relay', subject(1, true));
  doors.watch('other', subject(2));
  await pass(21 * MINUTE);
  t.equal(at().filter(each => each === '1:7443').length, 11);
  t.equal(at().filter(each => each === '2:7443').length, 3);
  doors.close();
});

t.test('who leaves and comes back is looked at once in ten seconds, and known meanwhile', async t => {
  const { doors, looks, pass } = bench(20, () => 'answers');
  doors.watch('node', subject(1));
  await pass(1_000);
  for (let time = 0; time < 5; time++) {
    doors.left('node');
    t.equal(doors.door('node').state, 'none');
    doors.watch('node', subject(1));
    t.equal(doors.door('node').state, 'answers');
    await pass(1_000);
  }
  t.equal(looks.length, 1);
  await pass(5_000);
  t.equal(looks.length, 2, 'then it is looked at');
  doors.left('node');
  await pass(11_000);
  doors.watch('node', subject(1));
  t.equal(doors.door('node').state, 'checking', 'what was seen longer ago counts for nothing');
  t.equal(looks.length, 3);
  doors.close();
});

t.test('places that changed over a log-out are not known', async t => {
  const { doors, pass } = bench(20, () => 'answers');
  doors.watch('node', subject(1));
  await pass(1_000);
  doors.left('node');
  doors.watch('node', subject(2));
  t.equal(doors.door('node').state, 'checking');
  doors.close();
});

t.test('who left takes its looks along', async t => {
  const { doors, looks, at } = bench(1);
  for (let number = 1; number <= 4; number++) doors.watch(`n${number}`, subject(number));
  doors.forget('n2');
  doors.left('n3');
  await looks[0]!.answer('refused');
  t.same(at(), ['1:7443', '4:7443']);
  doors.close();
});

t.test('twenty thousand that left while they waited are passed over in one go', async t => {
  const { doors, looks, at } = bench(1);
  doors.watch('first', subject(1));
  for (let number = 0; number < 20_000; number++) doors.watch(`n${number}`, subject(2));
  for (let number = 0; number < 20_000; number++) doors.forget(`n${number}`);
  doors.watch('last', subject(3));
  await looks[0]!.answer('refused');
  t.same(at(), ['1:7443', '3:7443']);
  doors.close();
});
