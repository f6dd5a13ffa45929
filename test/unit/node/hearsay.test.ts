import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { Hearsay, type Topic } from '../../../core/node/hearsay.ts';

/** A topic whose news are numbers; a node lacks those above its highest. */
class Numbers implements Topic {
  readonly name = 'numbers';
  readonly known: number[];

  constructor(...known: number[]) {
    this.known = known;
  }

  digest(): string {
    return String(Math.max(0, ...this.known));
  }

  lacking(digest: string): readonly object[] {
    return this.known.filter(each => each > Number(digest)).map(value => ({ value }));
  }

  learn({ value }: Readonly<Record<string, unknown>>): boolean {
    if (typeof value !== 'number' || this.known.includes(value)) return false;
    this.known.push(value);
    return true;
  }
}

interface Speaker {
  readonly hearsay: Hearsay;
  readonly numbers: Numbers;
  readonly counters: Counters;
  readonly name: string;
}

/** Speakers with sessions between some of them; what is said waits until `pump`, and may be lost. */
class Room {
  readonly clock = new ManualClock();
  readonly speakers = new Map<string, Speaker>();
  #sayings: { from: string; to: string; body: Uint8Array }[] = [];

  speaker(name: string, ...known: number[]): Speaker {
    const numbers = new Numbers(...known);
    const counters = new Counters();
    const engine = {
      tell: (to: string, body: Uint8Array) => this.#sayings.push({ from: name, to, body }) > 0,
    };
    const hearsay = new Hearsay({
      echoHeard: () => undefined,
      engine,
      topics: [numbers],
      clock: this.clock,
      counters,
    });
    const speaker = { hearsay, numbers, counters, name };
    this.speakers.set(name, speaker);
    return speaker;
  }

  meet(a: Speaker, b: Speaker): void {
    a.hearsay.sessionChanged(b.name, true);
    b.hearsay.sessionChanged(a.name, true);
  }

  pump(): number {
    let passed = 0;
    for (let next = this.#sayings.shift(); next !== undefined; next = this.#sayings.shift()) {
      this.speakers.get(next.to)?.hearsay.heard(next.from, next.body);
      passed++;
    }
    return passed;
  }

  lose(): void {
    this.#sayings = [];
  }
}

t.test('who meets tells the other what that one lacks, and no more', t => {
  const room = new Room();
  const [a, b] = [room.speaker('a', 1, 2, 3), room.speaker('b', 1)];
  room.meet(a, b);
  room.pump();
  t.same(b.numbers.known, [1, 2, 3]);
  t.equal(b.counters.counter('hearsay.learnt').value, 2);
  t.end();
});

t.test('news goes on from node to node', t => {
  const room = new Room();
  const [a, b, c] = [room.speaker('a'), room.speaker('b'), room.speaker('c')];
  room.meet(a, b);
  room.meet(b, c);
  room.pump();
  a.numbers.known.push(7);
  a.hearsay.changed();
  room.pump();
  t.same(c.numbers.known, [7]);
  t.end();
});

t.test('a word that was lost is said again, and silence follows when all know all', t => {
  const room = new Room();
  const [a, b] = [room.speaker('a', 5), room.speaker('b')];
  room.meet(a, b);
  room.lose();
  room.clock.advance(2_000);
  room.pump();
  t.same(b.numbers.known, [5]);
  room.clock.advance(60_000);
  room.pump();
  room.clock.advance(3_600_000);
  t.equal(room.pump(), 0, 'an idle pair says nothing');
  t.end();
});

t.test('without a session nothing is said, and nothing is read', t => {
  const room = new Room();
  const [a, b] = [room.speaker('a', 5), room.speaker('b')];
  room.meet(a, b);
  b.hearsay.sessionChanged('a', false);
  room.pump();
  t.same(b.numbers.known, []);
  t.ok(b.counters.counter('hearsay.too-many').value > 0);
  a.hearsay.close();
  room.lose();
  room.clock.advance(60_000);
  t.equal(room.pump(), 0, 'nobody speaks after the end');
  t.end();
});

t.test('nonsense, an unknown topic and a flood are counted and bounded', t => {
  const room = new Room();
  const [a, b] = [room.speaker('a'), room.speaker('b')];
  room.meet(a, b);
  room.pump();
  const count = (name: string): number => b.counters.counter(`hearsay.${name}`).value;
  const say = (value: unknown): void => {
    b.hearsay.heard('a', new TextEncoder().encode(JSON.stringify(value)));
  };
  b.hearsay.heard('a', Uint8Array.of(0xff));
  say({ type: 'have', topics: { numbers: 3 }, reply: false });
  say({ type: 'news', topic: 'gossip', item: {} });
  t.same([count('word.not-json'), count('word.schema'), count('unknown-topic')], [1, 1, 1]);
  for (let times = 0; times < 1000; times++) say({ type: 'news', topic: 'numbers', item: { value: times } });
  t.ok(b.numbers.known.length <= 100, `${b.numbers.known.length} of 1000 were read`);
  t.ok(count('too-many') >= 900);
  t.end();
});
