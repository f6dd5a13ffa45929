// Getting to know others: in which order data plane and paths are told, and what happens to who is refused.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { seededRandom } from '../../../base/random.ts';
import { Introductions, type IntroductionsOptions } from '../../../core/node/introductions.ts';
import type { RouteFound } from '../../../core/control/types.ts';
import { madeUpNode } from '../../support/made-up-node.ts';

const DISABLED = new Uint8Array(32).fill(9);

interface Scene {
  readonly introductions: Introductions;
  readonly told: string[];
}

function scene(lookup: () => Promise<RouteFound>, isTaken = true): Scene {
  const told: string[] = [];
  const options: IntroductionsOptions = {
    book: {
      all: () => [],
      byAddress: () => null,
      isKeptOut: key => key === Buffer.from(DISABLED).toString('base64'),
    },
    control: { lookup },
    engine: {
      setPeer: () => {
        told.push('engine');
        return isTaken;
      },
      removePeer: () => void told.push('engine forgets'),
      routeUnknown: address => void told.push(`no route to ${address}`),
      inbound: () => void told.push('initiation once more'),
      flush: () => undefined,
    },
    paths: {
      setPeer: () => void told.push('paths'),
      removePeer: () => void told.push('paths forget'),
      routed: () => undefined,
      onlineChanged: (_, online) => void told.push(online ? 'online' : 'offline'),
    },
    clock: new ManualClock(),
    random: seededRandom(1),
    counters: new Counters(),
    log: silentLog,
  };
  return { introductions: new Introductions(options), told };
}
const found = (): Promise<RouteFound> =>
  Promise.resolve({ node: madeUpNode('cellar'), online: true, registration: null, tcp: [], relays: [] });
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

t.test(
  'V10: a wanted route is looked up, and paths know the peer before the data plane asks for one',
  async t => {
    const { introductions, told } = scene(found);
    introductions.routeWanted('10.77.0.3');
    await settled();
    t.same(told, ['paths', 'engine', 'online']);
  },
);

t.test('the same record is told once', async t => {
  const { introductions, told } = scene(found);
  introductions.introduce({ node: madeUpNode('cellar') });
  introductions.introduce({ node: madeUpNode('cellar') });
  t.same(told, ['paths', 'engine']);
  await settled();
});

t.test('V10: an address that nobody has is told to the data plane', async t => {
  const { introductions, told } = scene(() => Promise.reject(new Error('nobody')));
  introductions.routeWanted('10.77.0.9');
  await settled();
  t.same(told, ['no route to 10.77.0.9']);
});

t.test('V3: the handshake of a box that is disabled is refused unasked', async t => {
  const link = {} as Parameters<Introductions['stranger']>[1];
  let asked = 0;
  const { introductions, told } = scene(() => {
    asked++;
    return found();
  });
  introductions.stranger(DISABLED, link, new Uint8Array(148));
  await settled();
  t.equal(asked, 0);
  t.same(told, []);
  introductions.stranger(new Uint8Array(32).fill(8), link, new Uint8Array(148));
  await settled();
  t.equal(asked, 1, 'any other is looked up');
});

t.test('a key that the data plane refuses is forgotten everywhere', t => {
  const { introductions, told } = scene(found, false);
  introductions.introduce({ node: madeUpNode('cellar') });
  t.same(told, ['paths', 'engine', 'paths forget', 'engine forgets']);
  t.end();
});
