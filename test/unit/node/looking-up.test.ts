// Who is looked up when: paced, bounded, and again after a log-in.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { GinnelError } from '../../../base/errors.ts';
import { silentLog } from '../../../base/log.ts';
import { seededRandom } from '../../../base/random.ts';
import { Introductions, type IntroductionsOptions } from '../../../core/node/introductions.ts';
import { EVERY_MS, MOST, Reacquaintance } from '../../../core/node/reacquaintance.ts';

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

function again(known: string[], answers: (id: string) => boolean) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const lookUp = (id: string): Promise<boolean> => Promise.resolve((asked.push(id), answers(id)));
  const reacquaintance = new Reacquaintance({ clock, random: seededRandom(1), known: () => known, lookUp });
  return { clock, asked, reacquaintance };
}

t.test(
  'V7: after a log-in the peers are asked for again, the last heard of first, a few a second',
  async t => {
    const { clock, asked, reacquaintance } = again(['old', 'middle', 'new'], () => true);
    reacquaintance.begin();
    t.same(asked, [], 'not at once: the log-in has its turn');
    clock.advance(1.5 * EVERY_MS);
    t.same(asked, ['new']);
    clock.advance(1_000);
    t.same(asked, ['new', 'middle', 'old']);
    clock.advance(60_000);
    t.equal(asked.length, 3, 'once');
  },
);

t.test('no more than a bounded number is asked for, and nobody while the server is away', async t => {
  const many = Array.from({ length: 1000 }, (_, index) => String(index));
  const all = again(many, () => true);
  all.reacquaintance.begin();
  all.clock.advance(600_000);
  t.equal(all.asked.length, MOST);
  const away = again(many, () => false);
  away.reacquaintance.begin();
  away.clock.advance(1.5 * EVERY_MS);
  await settled();
  away.clock.advance(600_000);
  t.equal(away.asked.length, 1);
});

t.test('V10: a scan of the overlay leaves room for other questions to the server', async t => {
  const clock = new ManualClock();
  const counters = new Counters();
  let asked = 0;
  const unknown: string[] = [];
  const rest = { setPeer: () => true, removePeer() {}, onlineChanged() {}, inbound() {}, flush() {} };
  const options: IntroductionsOptions = {
    ...{ clock, counters, log: silentLog, random: seededRandom(1) },
    book: { all: () => [], isKeptOut: () => false, byAddress: () => null },
    control: {
      lookup() {
        asked++;
        return Promise.reject(new GinnelError('NODE_UNKNOWN', 'No such box. (NODE_UNKNOWN)'));
      },
    },
    engine: { ...rest, routeUnknown: address => void unknown.push(address) },
    paths: { ...rest, setPeer() {}, routed() {} },
  };
  const introductions = new Introductions(options);
  for (let address = 1; address <= 1000; address++) {
    introductions.routeWanted(`10.77.${address >> 8}.${address & 255}`);
    clock.advance(10);
  }
  await settled();
  t.ok(asked <= 125, `${asked} questions in ten seconds`);
  t.equal(unknown.length, 1000, 'no packet waits for an answer that will not come');
  t.equal(counters.snapshot()['introductions.too-many'], 1000 - asked);
});
