// The one token bucket of the house.
import t from 'tap';
import { TokenBucket } from '../../../base/token-bucket.ts';

t.test('so many at once, so many a second, and never more than the burst', t => {
  const bucket = new TokenBucket(2, 3, 1000);
  const taken = (nowMs: number): number => [1, 2, 3, 4, 5].filter(() => bucket.take(nowMs)).length;
  t.equal(taken(1000), 3);
  t.notOk(bucket.full(1000));
  t.equal(taken(1499), 0);
  t.equal(taken(1500), 1);
  t.equal(taken(2500), 2);
  t.equal(taken(60_000), 3);
  t.ok(bucket.full(62_000));
  t.end();
});

t.test('several tokens are taken together or not at all', t => {
  const bucket = new TokenBucket(1, 10, 0);
  t.notOk(bucket.take(0, 11));
  t.ok(bucket.take(0, 10));
  t.notOk(bucket.take(0, 1));
  t.end();
});

t.test('a new rate counts from when it was set', t => {
  const bucket = new TokenBucket(1, 10, 0);
  t.ok(bucket.take(0, 10));
  bucket.setRate(5, 1000);
  t.notOk(bucket.take(1000, 2));
  t.ok(bucket.take(1200, 2));
  t.end();
});
