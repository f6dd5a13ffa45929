// Links that plugins hand in: found by id, sorted, taken over, and never more than there is room for.
import t from 'tap';
import { Counters } from '../../../base/counters.ts';
import type { Batch, Link } from '../../../core/contract/link.ts';
import { HandedLinks, MAX_HANDED } from '../../../core/paths/handed-links.ts';

interface Made extends Link {
  readonly sent: Batch[];
  isClosed: boolean;
}

function linkOf(id: string): Made {
  const made: Made = {
    ...{ id, transport: 'made-up', remote: null, local: null, mtu: 5_000, sent: [], isClosed: false },
    traits: { reliable: false, ordered: false, relayed: false },
    send: batch => (made.sent.push(batch), 'sent'),
    close: () => void (made.isClosed = true),
  };
  return made;
}

function bench() {
  const counters = new Counters();
  const links = new HandedLinks({ counters, isPlace: ({ port }) => port !== 9 });
  const heard: string[] = [];
  links.events = {
    wireguard: (link, { length, segment }) => void heard.push(`${link.id}: session ${length}/${segment}`),
    stun: (link, _, __, length) => void heard.push(`${link.id}: stun ${length}`),
    sent: link => void heard.push(`${link.id}: sent`),
    turnEnded: () => void heard.push('turn'),
    closed: (link, reason) => void heard.push(`${link.id}: ${reason}`),
  };
  const told = () => heard.splice(0);
  return { links, told, count: (name: string) => counters.counter(name).value };
}

const batch = (bytes: Uint8Array, segment = bytes.length): Batch => ({
  ...{ bytes, offset: 0, length: bytes.length, segment },
});
const session = (length: number): Uint8Array => new Uint8Array(length).fill(0).fill(4, 0, 1);
const stun = (): Uint8Array => Uint8Array.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...new Uint8Array(12));
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

t.test('what comes is sorted, and the turn ended once', async t => {
  const { links, told, count } = bench();
  const inlet = links.opened(linkOf('one'));
  inlet.received(batch(session(300), 100));
  inlet.received(batch(stun()));
  inlet.received(batch(new Uint8Array(50).fill(9)));
  inlet.received(batch(session(100), 0));
  await turn();
  t.same(told(), ['one: session 300/100', 'one: stun 20', 'turn']);
  t.equal(count('links.unknown-datagram'), 1);
});

t.test('it sends by the link, tells once where it is armed, and has no use for openers', t => {
  const { links, told } = bench();
  const one = linkOf('one');
  links.opened(one);
  const handed = links.linkBy('one')!;
  handed.armed = true;
  t.same([handed.send(batch(session(50))), handed.send(batch(session(50)))], ['sent', 'sent']);
  t.same(told(), ['one: sent']);
  handed.armed = true;
  t.equal(handed.sendOwn(stun(), 3), 'sent');
  t.equal(one.sent.length, 2, 'nothing with a hop limit');
  t.equal(handed.sendOwn(stun(), null), 'sent');
  t.equal(one.sent.length, 3);
  t.same(told(), [], "the core's own is no use of it");
  t.match(handed, { mtu: 5_000, transport: 'made-up', remote: { address: '0.0.0.0' } });
  t.end();
});

t.test('one of the same id takes over: the same link to whoever uses it', t => {
  const { links, told } = bench();
  const [older, newer] = [linkOf('one'), linkOf('one')];
  const before = links.opened(older);
  const handed = links.linkBy('one')!;
  const after = links.opened(newer);
  t.equal(links.linkBy('one'), handed);
  handed.send(batch(session(50)));
  t.same([older.sent.length, newer.sent.length], [0, 1]);
  before.received(batch(session(40)));
  before.closed('replaced');
  t.same(told(), ['one: session 40/40'], 'its last words arrive, its end is nobody’s concern');
  after.closed('over');
  t.same(told(), ['one: over']);
  t.equal(links.linkBy('one'), null);
  t.equal(handed.send(batch(session(50))), 'closed');
  after.received(batch(session(40)));
  t.same(told(), [], 'nothing comes by a closed one');
  t.end();
});

t.test('the core may close it; no more stand than there is room for; places are asked for', t => {
  const { links, told, count } = bench();
  const one = linkOf('one');
  links.opened(one);
  const handed = links.linkBy('one')!;
  handed.close();
  handed.close();
  t.ok(one.isClosed);
  t.same(told(), [], 'whoever closes it need not be told');
  for (let made = 0; made < MAX_HANDED; made++) links.opened(linkOf(`link ${made}`));
  const last = linkOf('last');
  links.opened(last).received(batch(session(40)));
  t.ok(last.isClosed);
  t.equal(links.linkBy('last'), null);
  t.equal(count('links.too-many'), 1);
  const place = { family: 4, address: '192.0.2.1' } as const;
  t.same([links.isPlace({ ...place, port: 9 }), links.isPlace({ ...place, port: 10 })], [false, true]);
  t.end();
});
