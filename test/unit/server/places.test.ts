// The server's signed word of where it is: with the welcome, when it changes, and what a copy left behind makes of it.
import t from 'tap';
import { systemClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { toBase64Url } from '../../../protocol/base64.ts';
import { openStore } from '../../../base/store.ts';
import type { ServerPlaces, Welcome } from '../../../protocol/location/messages.ts';
import { verifyPlaces } from '../../../protocol/location/signed.ts';
import { IssuedPlaces } from '../../../server/issued-places.ts';
import { openKeys } from '../../../server/keys.ts';
import { ServerTime } from '../../../server/time.ts';
import { primitives } from '../../../system/crypto.ts';
import { expectWelcome, join, readInvite, TestConnection } from '../../support/location-client.ts';
import { LOOPBACK, startServer, temporaryFolder } from '../../support/location-server.ts';

function placesOf(welcome: Welcome): ServerPlaces {
  if (welcome.places === undefined) throw new TypeError('no places');
  return welcome.places;
}

t.test('a welcome carries the places, signed, and each start issues later ones', async t => {
  const { server, invite, port } = await startServer(t, { advertise: ['home.example.net'] });
  const text = await invite();
  const { connection, welcome } = await join(text, port);
  const places = placesOf(welcome);
  const { serverIdentity, network, serverKey } = readInvite(text);
  t.ok(verifyPlaces(primitives, serverIdentity, places));
  t.match(places, {
    ...{ network: toBase64Url(network), serverKey: toBase64Url(serverKey), moves: 0 },
    addresses: [`home.example.net:${port}`],
  });
  await server.down();
  await server.up({ ...LOOPBACK, port });
  const again = await TestConnection.open({ invite: readInvite(text), port, identity: connection.identity });
  const later = placesOf(expectWelcome(await again.login()));
  t.ok(later.issued > places.issued, 'what came back from a back-up outdates what was said before it');
});

t.test('issued times grow, whatever the clock does, and nothing is issued without news', async t => {
  const folder = temporaryFolder(t);
  const store = await openStore({ path: `${folder}/store`, firstSetUp: true, counters: new Counters() });
  t.teardown(() => store.close());
  const keys = await openKeys(primitives, folder, true);
  let wall = Date.UTC(2026, 5, 1);
  const time = new ServerTime({ ...systemClock, wallMs: () => wall });
  const open = () => IssuedPlaces.open({ store, keys, primitives, time, moves: 0 });
  const first = await open();
  t.equal(first.current, null, 'before it was issued in this run there is none');
  t.ok(await first.issue(['a:1']));
  const { issued = 0 } = first.current ?? {};
  t.notOk(await first.issue(['a:1']));
  wall = 0;
  t.ok(await first.issue(['b:1']));
  t.equal(first.current?.issued, issued + 1);
  const second = await open();
  t.ok(await second.issue(['b:1']), 'a new run says it anew');
  t.equal(second.current?.issued, issued + 2);
  t.notOk(await second.issue([]), 'nowhere is no place');
  await second.issue(Array.from({ length: 20 }, (_, index) => `${'x'.repeat(99)}${index}.example:1`));
  t.ok(second.current !== null && second.current.addresses.join('').length <= 600);
  t.equal(second.current?.addresses.length, 5);
});

t.test('a copy of the server that was left behind stops when a box proves where it went', async t => {
  const left = await startServer(t, { advertise: ['192.0.2.1'] });
  const text = await left.invite();
  const { connection } = await join(text, left.port);
  connection.close();
  const keys = await openKeys(primitives, left.stateDir, false);
  const time = new ServerTime(systemClock);
  const store = await openStore({
    ...{ path: `${temporaryFolder(t)}/store`, firstSetUp: true, counters: new Counters() },
  });
  t.teardown(() => store.close());
  const issued = async (moves: number): Promise<ServerPlaces> => {
    const elsewhere = await IssuedPlaces.open({ store, keys, primitives, time, moves });
    await elsewhere.issue(['192.0.2.2:7443']);
    if (elsewhere.current === null) throw new TypeError('none');
    return elsewhere.current;
  };
  const come = async (places: ServerPlaces): Promise<TestConnection> => {
    const { identity } = connection;
    const again = await TestConnection.open({ invite: readInvite(text), port: left.port, identity });
    // It may be closed before the answer comes.
    await again.login({ places }).catch(() => undefined);
    return again;
  };
  await come(await issued(0));
  t.equal(left.server.summary().state, 'up', 'a later word of the same machine says nothing of the kind');
  await come({ ...(await issued(1)), addresses: ['192.0.2.66:1'] });
  t.equal(left.server.summary().state, 'up', 'nor does one that it did not sign');
  const gone = await come(await issued(1));
  await gone.closed;
  await left.server.down();
  t.equal(left.server.summary().state, 'down');
  await t.rejects(left.server.up({}), { code: 'SERVER_MOVED', message: /192\.0\.2\.2:7443/ });
  t.match(await left.server.up({ again: true }), { state: 'up' }, 'its owner has the last word');
  const back = await TestConnection.open({
    ...{ invite: readInvite(text), port: left.server.summary().port, identity: connection.identity },
  });
  t.equal(placesOf(expectWelcome(await back.login())).moves, 2, 'and outdates the other machine');
});
