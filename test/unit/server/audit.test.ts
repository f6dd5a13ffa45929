// The audit log: written with the change, bounded, without secrets, and nobody can flood it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { openStore } from '../../../base/store.ts';
import type { Store, StoreOperation } from '../../../base/store.ts';
import { Audit } from '../../../server/audit.ts';
import type { AuditOptions } from '../../../server/audit.ts';
import { ServerTime } from '../../../server/time.ts';

async function storeOf(t: Test): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'ginnel-audit-'));
  const store = await openStore({ path: join(folder, 's'), firstSetUp: true, counters: new Counters() });
  t.teardown(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return store;
}

interface Desk {
  readonly audit: Audit;
  readonly clock: ManualClock;
  readonly counters: Counters;
}

async function desk(store: AuditOptions['store'], more: Partial<AuditOptions> = {}): Promise<Desk> {
  const clock = new ManualClock(Date.UTC(2026, 10, 1));
  const counters = new Counters();
  const shared = { clock, counters, time: new ServerTime(clock), log: silentLog };
  return { audit: await Audit.open({ store, ...shared, ...more }), clock, counters };
}

t.test('V3: a change and its entry are one batch: both are there, or none', async t => {
  const store = await storeOf(t);
  const { audit } = await desk(store);
  await audit.batch([{ type: 'put', key: 'node/a', value: 1 }], {
    what: 'node-removed',
    subject: 'attic',
    facts: { address: '10.77.0.1' },
  });
  const failing = { ...store.scope(''), batch: () => Promise.reject(new Error('full')) };
  const other = await desk(failing);
  const put: StoreOperation = { type: 'put', key: 'node/b', value: 1 };
  await t.rejects(other.audit.batch([put], { what: 'node-removed', subject: 'cellar' }));
  t.equal(other.audit.latest(10).length, 1, 'only what was written is told');

  const again = await desk(store);
  t.match(again.audit.latest(10), [
    { seq: 1, what: 'node-removed', by: 'owner', subject: 'attic', facts: { address: '10.77.0.1' } },
  ]);
  t.equal(await store.get('node/a'), 1);
});

t.test('V3: the log is bounded in entries and bytes, on the disk too, and numbers go on', async t => {
  const store = await storeOf(t);
  const { audit } = await desk(store, { maxEntries: 10 });
  for (let n = 1; n <= 25; n++) await audit.batch([], { what: 'invite-made', subject: `i${n}` });
  t.same(
    audit.after(0, 100).map(({ seq }) => seq),
    [16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
  );
  t.equal((await store.entries('audit/')).length, 10);
  t.same(
    audit.after(23, 100).map(({ subject }) => subject),
    ['i24', 'i25'],
  );
  t.same(audit.after(25, 100), []);

  const small = await desk(store, { maxBytes: 600 });
  await small.audit.batch([], { what: 'invite-made', subject: 'x'.repeat(10_000) });
  const bytes = (await store.entries('audit/')).reduce((sum, [, v]) => sum + JSON.stringify(v).length, 0);
  t.ok(bytes <= 600, `${bytes} bytes`);
  t.equal(small.audit.latest(1)[0]?.seq, 26);
});

t.test('V3: refusals cannot fill the log: the rest is counted into the next entry', async t => {
  const store = await storeOf(t);
  const { audit, clock, counters } = await desk(store);
  for (let n = 0; n < 100; n++) audit.note({ what: 'login-refused', subject: '192.0.2.1', facts: { n } });
  await store.put('x', 1); // behind the notes
  t.equal(audit.latest(100).length, 5);
  t.equal(counters.counter('audit.untold').value, 95);
  clock.advance(60_000);
  audit.note({ what: 'login-refused', subject: '192.0.2.1' });
  await store.put('x', 2);
  t.match(audit.latest(1), [{ facts: { untold: 95 } }]);
  for (let n = 0; n < 100; n++) audit.note({ what: 'login-refused', subject: `192.0.2.${n}` });
  await store.put('x', 3);
  t.ok(audit.latest(1000).length <= 30, 'many sources together are bounded too');
});

t.test('V3: refusals push out refusals alone, however long somebody knocks', async t => {
  const store = await storeOf(t);
  const { audit, clock } = await desk(store, { maxEntries: 10, maxNotes: 4, maxBytes: 4000 });
  for (let n = 1; n <= 5; n++) await audit.batch([], { what: 'node-removed', subject: `n${n}` });
  const knock = async (n: number): Promise<void> => {
    clock.advance(60_000);
    audit.note({
      what: 'login-refused',
      subject: `${n} ${'x'.repeat(200)}`,
      facts: { why: 'y'.repeat(128) },
    });
    await store.put('x', n); // behind the note
  };
  for (let n = 1; n <= 60; n++) await knock(n);
  const kinds = (): string[] => audit.latest(100).map(({ what }) => what);
  t.equal(kinds().filter(what => what === 'node-removed').length, 5, 'every change is still told');
  t.equal(kinds().filter(what => what === 'login-refused').length, 4);
  t.match(audit.latest(1)[0]?.subject, /^60 /, 'the oldest note went');
  for (let n = 6; n <= 30; n++) await audit.batch([], { what: 'node-removed', subject: `n${n}` });
  t.equal(kinds().filter(what => what === 'login-refused').length, 4, 'nor do changes push out notes');
  t.equal(kinds().filter(what => what === 'node-removed').length, 10);
  t.equal((await store.entries('audit/')).length, 14);
  const again = await desk(store, { maxEntries: 10, maxNotes: 4, maxBytes: 4000 });
  await again.audit.batch([], { what: 'node-removed', subject: 'n31' });
  t.equal(again.audit.latest(100).length, 14, 'they are told apart after a restart too');
});

t.test('V3: after a burst one refusal a minute is written, whoever knocks', async t => {
  const store = await storeOf(t);
  const { audit, clock } = await desk(store);
  for (let second = 0; second < 600; second++) {
    audit.note({ what: 'login-refused', subject: `box ${second}` });
    clock.advance(1000);
  }
  await store.put('x', 1);
  t.ok(audit.latest(100).length <= 30, `${audit.latest(100).length} in ten minutes`);
});

t.test('V3: an entry that cannot be read is counted, left, and never overwritten', async t => {
  const store = await storeOf(t);
  await store.put(`audit/${'7'.padStart(16, '0')}`, { v: 9 });
  const { audit, counters } = await desk(store);
  t.equal(counters.counter('audit.unreadable').value, 1);
  await audit.batch([], { what: 'exported', subject: '' });
  t.equal(audit.latest(1)[0]?.seq, 8);
});
