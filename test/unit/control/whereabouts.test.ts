// Where the server is: which word of it is kept, and that it is tried in the right order.
import { join } from 'node:path';
import t from 'tap';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { writeKept } from '../../../base/kept-file.ts';
import { MEMBERSHIP_FILE, MembershipFile, serverAddresses } from '../../../core/control/membership.ts';
import { Whereabouts } from '../../../core/control/whereabouts.ts';
import type { ServerPlaces } from '../../../protocol/location/messages.ts';
import { decodePlaces } from '../../../protocol/location/places.ts';
import { signPlaces } from '../../../protocol/location/signed.ts';
import { encodeWord } from '../../../protocol/peer/words.ts';
import { primitives } from '../../../system/crypto.ts';
import { membershipOf, network, serverSeed, withFolder } from './made-up.ts';

const { serverKey } = membershipOf();

const placesOf = (change: Partial<ServerPlaces> = {}, seed = serverSeed): ServerPlaces =>
  signPlaces(primitives, seed, {
    ...{ v: 1, network, serverKey, addresses: ['203.0.113.9:7443'], moves: 0, issued: 1000 },
    ...change,
  });

t.test('the newest signed word of where the server is stays, whoever brought it', async t => {
  await withFolder(async folder => {
    const options = { folder, log: silentLog, counters: new Counters() };
    const membership = await MembershipFile.open(options);
    await membership.replace(membershipOf());
    const whereabouts = new Whereabouts(membership, primitives, options.counters);
    t.equal(whereabouts.learn(placesOf()), 'newer');
    t.equal(whereabouts.learn(placesOf()), 'known');
    t.equal(whereabouts.learn(placesOf({ issued: 999, addresses: ['192.0.2.1:1'] })), 'older');
    const moved = placesOf({ moves: 1, issued: 5, addresses: ['203.0.113.10:7444'] });
    t.equal(whereabouts.learn(moved), 'newer', 'a move outdates all before it, whatever the clock says');
    t.equal(whereabouts.learn(placesOf({ issued: 2_000_000 })), 'older');
    await membership.flush();
    const again = await MembershipFile.open(options);
    t.same(again.current?.places, moved, 'and lasts');
  });
});

t.test('a word of the server that it did not sign is refused', async t => {
  await withFolder(async folder => {
    const options = { folder, log: silentLog, counters: new Counters() };
    const membership = await MembershipFile.open(options);
    await membership.replace(membershipOf());
    const whereabouts = new Whereabouts(membership, primitives, options.counters);
    const signed = placesOf();
    const wrong = {
      'another signer': placesOf({}, primitives.randomBytes(32)),
      'another address under the same signature': { ...signed, addresses: ['192.0.2.66:7443'] },
      'a later time under the same signature': { ...signed, issued: 2000 },
      'another network': placesOf({ network: 'A'.repeat(22) }),
      'another key': placesOf({ serverKey: 'A'.repeat(43) }),
    };
    for (const [what, places] of Object.entries(wrong)) t.equal(whereabouts.learn(places), 'refused', what);
    t.equal(whereabouts.newest, null);
    t.equal(options.counters.snapshot()['places.refused'], 5);
  });
});

t.test("the owner's word is tried first, then the server's newest, then the invite's", async t => {
  const membership = membershipOf({
    chosenAddresses: ['chosen.example:1'],
    places: placesOf(),
    addresses: ['invite.example:7443', '203.0.113.9:7443'],
    learntAddresses: ['welcome.example:7443', 'chosen.example:1'],
  });
  t.same(serverAddresses(membership), [
    'chosen.example:1',
    '203.0.113.9:7443',
    'invite.example:7443',
    'welcome.example:7443',
  ]);
});

t.test('a membership of before there were places is read', async t => {
  await withFolder(async folder => {
    const options = { folder, log: silentLog, counters: new Counters() };
    const old: Record<string, unknown> = { ...membershipOf() };
    delete old['places'];
    delete old['chosenAddresses'];
    await writeKept(join(folder, MEMBERSHIP_FILE), old);
    t.match((await MembershipFile.open(options)).current, { places: null, chosenAddresses: [] });
  });
});

t.test('places brought by another node: what is too long or malformed is refused', t => {
  t.same(decodePlaces(placesOf()), { ok: true, value: placesOf() });
  const bad = {
    'too many': placesOf({ addresses: Array<string>(9).fill('a:1') }),
    'too long together': placesOf({ addresses: Array<string>(3).fill(`${'a'.repeat(220)}:1`) }),
    none: placesOf({ addresses: [] }),
    'no address': placesOf({ addresses: ['not an address'] }),
    'a field more': { ...placesOf(), more: 1 },
  };
  for (const [what, value] of Object.entries({ ...bad, nothing: undefined, text: 'places' }))
    t.match(decodePlaces(value), { ok: false, code: 'places.schema' }, what);
  const longest = placesOf({ addresses: Array<string>(8).fill(`${'a'.repeat(73)}:1`) });
  const word = encodeWord({ type: 'news', topic: 'places', item: { ...longest } });
  t.ok(word !== null, 'the longest that is taken fits a word');
  t.end();
});
