// The server's places as news: two nodes with a real membership each, words between them.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { MembershipFile } from '../../../core/control/membership.ts';
import { Whereabouts } from '../../../core/control/whereabouts.ts';
import { Hearsay } from '../../../core/node/hearsay.ts';
import { placesTopic } from '../../../core/node/places-topic.ts';
import type { ServerPlaces } from '../../../protocol/location/messages.ts';
import { signPlaces } from '../../../protocol/location/signed.ts';
import { primitives } from '../../../system/crypto.ts';
import { membershipOf, network, serverSeed, withFolder } from '../control/made-up.ts';

const placesOf = (issued: number, seed = serverSeed): ServerPlaces =>
  signPlaces(primitives, seed, {
    ...{ v: 1, network, serverKey: membershipOf().serverKey, moves: 0, issued },
    addresses: [`203.0.113.${issued}:7443`],
  });

interface Speaker {
  readonly whereabouts: Whereabouts;
  readonly membership: MembershipFile;
  readonly hearsay: Hearsay;
}

async function inRoom(work: (speakers: Speaker[], pump: () => number) => void): Promise<void> {
  await withFolder(async folder => {
    const said: { from: number; to: string; body: Uint8Array }[] = [];
    const clock = new ManualClock();
    const speakers: Speaker[] = [];
    for (const index of [0, 1, 2]) {
      const counters = new Counters();
      const membership = await MembershipFile.open({
        folder: `${folder}/${index}`,
        log: silentLog,
        counters,
      });
      await membership.replace(membershipOf());
      const whereabouts = new Whereabouts(membership, primitives, counters);
      const topic = placesTopic(() => ({
        places: whereabouts.newest,
        hearPlaces: places => whereabouts.learn(places),
      }));
      const engine = { tell: (to: string, body: Uint8Array) => said.push({ from: index, to, body }) > 0 };
      speakers.push({
        membership,
        whereabouts,
        hearsay: new Hearsay({ echoHeard: () => undefined, engine, topics: [topic], clock, counters }),
      });
    }
    const pump = (): number => {
      let passed = 0;
      for (let next = said.shift(); next !== undefined; next = said.shift(), passed++)
        speakers[Number(next.to)]?.hearsay.heard(String(next.from), next.body);
      return passed;
    };
    work(speakers, pump);
    for (const { hearsay, membership } of speakers) {
      hearsay.close();
      await membership.flush();
    }
  });
}

t.test('a box that knows where the server went tells the others, from one to the next', async t => {
  await inRoom(([a, b, c], pump) => {
    if (a === undefined || b === undefined || c === undefined) throw new TypeError('three speakers');
    a.whereabouts.learn(placesOf(1));
    b.whereabouts.learn(placesOf(1));
    a.hearsay.sessionChanged('1', true);
    b.hearsay.sessionChanged('0', true);
    b.hearsay.sessionChanged('2', true);
    c.hearsay.sessionChanged('1', true);
    pump();
    t.equal(c.whereabouts.newest?.issued, 1, 'one that knew nothing hears what there is');
    a.whereabouts.learn(placesOf(2));
    a.hearsay.changed();
    pump();
    t.equal(c.whereabouts.newest?.issued, 2, 'by way of the one in the middle');
    t.equal(pump(), 0, 'then all is said');
  });
});

t.test('nobody but the server can send the others elsewhere', async t => {
  await inRoom(([a, b], pump) => {
    if (a === undefined || b === undefined) throw new TypeError('two speakers');
    b.whereabouts.learn(placesOf(1));
    b.hearsay.sessionChanged('0', true);
    pump();
    const forged = { type: 'news', topic: 'places', item: placesOf(200, primitives.randomBytes(32)) };
    b.hearsay.heard('0', new TextEncoder().encode(JSON.stringify(forged)));
    t.equal(b.whereabouts.newest?.issued, 1);
  });
});
