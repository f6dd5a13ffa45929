// Standings: the server's signed words on who is out, and the list of them that both ends keep.
import t from 'tap';
import { toBase64Url } from '../../../protocol/base64.ts';
import type { Standing } from '../../../protocol/location/messages.ts';
import { signAssignment, signStanding, verifyStanding } from '../../../protocol/location/signed.ts';
import { keepsOut, StandingList } from '../../../protocol/location/standings.ts';
import { primitives } from '../../../system/crypto.ts';

const seed = primitives.randomBytes(32);
const server = primitives.signingPublicKey(seed);
const network = toBase64Url(primitives.randomBytes(16));
const someId = (): string => toBase64Url(primitives.signingPublicKey(primitives.randomBytes(32)));
const attic = someId();

const standing = (state: Standing['state'], at: number, id = attic): Standing =>
  signStanding(primitives, seed, { v: 1, network, id, state, at });

t.test(
  "V3: a standing is believed by the server's signature over every field, and by nothing else",
  async t => {
    const removed = standing('removed', 5);
    t.ok(verifyStanding(primitives, server, removed).ok);
    const other = primitives.signingPublicKey(primitives.randomBytes(32));
    t.match(verifyStanding(primitives, other, removed), { ok: false, code: 'signed.signature' });
    const changes: Partial<Standing>[] = [
      { state: 'member' },
      { at: 6 },
      { id: someId() },
      { network: toBase64Url(primitives.randomBytes(16)) },
    ];
    for (const change of changes)
      t.notOk(verifyStanding(primitives, server, { ...removed, ...change }).ok, JSON.stringify(change));
    t.match(verifyStanding(primitives, server, { ...removed, id: 'AAAA' }), {
      ok: false,
      code: 'signed.key',
    });

    const fields = { v: 1, network, id: attic, ip4: '10.77.0.2', ip6: 'fd00::1', issued: 5 } as const;
    const { signature } = signAssignment(primitives, seed, fields);
    t.notOk(verifyStanding(primitives, server, { ...removed, signature }).ok, 'an assignment is no standing');
  },
);

t.test(
  'V3: a removal voids what was assigned up to then, a disabling everything, a restoring nothing',
  async t => {
    t.ok(keepsOut(standing('removed', 5), { issued: 4 }));
    t.ok(keepsOut(standing('removed', 5), { issued: 5 }));
    t.notOk(keepsOut(standing('removed', 5), { issued: 6 }), 'let in anew');
    t.ok(keepsOut(standing('disabled', 5), { issued: 6 }));
    t.notOk(keepsOut(standing('member', 5), { issued: 4 }));
    t.notOk(keepsOut(null, { issued: 4 }));
  },
);

t.test('V3: of several words on one node the latest counts, and of one instant the stricter', async t => {
  const list = new StandingList(primitives);
  t.ok(list.take(standing('disabled', 5)).isNews);
  t.notOk(list.take(standing('disabled', 5)).isNews, 'known');
  t.notOk(list.take(standing('member', 4)).isNews, 'older');
  t.notOk(list.take(standing('member', 5)).isNews, 'milder');
  t.ok(list.take(standing('removed', 5)).isNews, 'stricter');
  t.ok(list.take(standing('member', 6)).isNews, 'later');
  t.equal(list.of(attic)?.state, 'member');
  t.equal(list.size, 1);
});

t.test('V3: two ends find out what the other lacks, whatever the order it came in', async t => {
  const words = Array.from({ length: 300 }, (_, at) => standing('removed', at, someId()));
  const [one, other] = [new StandingList(primitives), new StandingList(primitives)];
  for (const word of words) one.take(word);
  for (const word of words.toReversed()) other.take(word);
  t.equal(one.digest(), other.digest());
  t.match(one.digest(), /^[\w-]{64}$/);
  t.same(one.differing(other.digest()), []);

  const news = standing('removed', 1000);
  one.take(news);
  const lacking = one.differing(other.digest());
  t.same(lacking[0], news, 'the newest first');
  t.ok(lacking.length < 60, `${lacking.length} of 301: only those near it`);
  t.equal(other.take(news).isNews, true);
  t.equal(one.digest(), other.digest());
  one.take(standing('member', 1001));
  one.take(standing('removed', 1002));
  t.not(one.digest(), other.digest(), 'another `at` is another word');
  t.equal(one.differing('?').length, 301, 'everything for who cannot be understood');
});

t.test('V3: the list is bounded: restored nodes go first, then the oldest', async t => {
  const list = new StandingList(primitives, 3);
  const ids = [someId(), someId(), someId(), someId(), someId()];
  list.take(standing('removed', 1, ids[0]));
  list.take(standing('member', 9, ids[1]));
  list.take(standing('removed', 3, ids[2]));
  t.match(list.take(standing('removed', 4, ids[3])), { isNews: true, dropped: { id: ids[1] } });
  t.match(list.take(standing('removed', 5, ids[4])), { isNews: true, dropped: { id: ids[0] } });
  t.equal(list.take(standing('removed', 0, ids[0])).isNews, false, 'older than all that are kept');
  t.equal(list.size, 3);
  const same = new StandingList(primitives, 3);
  for (const word of list.all()) same.take(word);
  t.equal(same.digest(), list.digest());
});
