// What a run of a plugin may do with connections and with the location server's word, and that it is over when the run is.
import t from 'tap';
import { silentLog } from '../../../base/log.ts';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import type { Candidate } from '../../../core/contract/candidate.ts';
import type { Link } from '../../../core/contract/link.ts';
import type { LinkDoor, StreamDoor, TransportPlugin } from '../../../core/contract/plugin.ts';
import { ServerWords, withFacts } from '../../../core/node/network-words.ts';
import type { AnswerChecks } from '../../../core/plugin-host/answers.ts';
import { Blame } from '../../../core/plugin-host/blame.ts';
import { guardedLinks, guardedNetwork, guardedStreams } from '../../../core/plugin-host/doors.ts';
import { Guard } from '../../../core/plugin-host/guard.ts';
import { GuardedTransport } from '../../../core/plugin-host/transport.ts';
import type { Registration } from '../../../protocol/location/messages.ts';
import { noStreams } from '../../support/no-streams.ts';

const guard = (): Guard =>
  new Guard({
    blame: new Blame<Guard>(),
    scrub: text => text,
    wrong: () => undefined,
    crashed: () => undefined,
  });

/** The host's part at the end of a run. */
function over(one: Guard, guarded: { end(): void }): void {
  one.end();
  guarded.end();
}

function serverWords() {
  const counts = { asked: 0, changed: 0 };
  const words = new ServerWords({
    lookup: () => {
      counts.asked++;
      return Promise.reject(new Error('nobody'));
    },
    counters: new Counters(),
    remembered: () => null,
    relays: [],
    keep: () => undefined,
    changed: () => {
      counts.changed++;
    },
  });
  return { words, counts };
}

const MEASURED: Registration = {
  ...{ privateAddresses: [], publicAddresses: [], tcpPorts: [], candidates: [], reachable: 'no' },
  ...{ bandwidth: 1e9, cpuLoad: 0.5, relay: null, region: '', relays: [] },
};
const OFFER = { limit: null, spare: 1e8, nodes: 0, mostNodes: 512 };

t.test('what a run told is taken back when it ends: what the node measured stands again', t => {
  const { words, counts } = serverWords();
  const one = guard();
  const network = guardedNetwork(words, one);
  network.door.tell({ relay: OFFER, region: 'here', bandwidth: 1e8, cpuLoad: 0.9 });
  network.door.tell({ relays: [{ node: 'r1', state: 'kept', rttMs: 2 }] });
  t.match(withFacts(MEASURED, words.facts), {
    ...{ relay: OFFER, region: 'here', bandwidth: 1e8, cpuLoad: 0.9 },
    relays: [{ node: 'r1' }],
  });
  t.equal(counts.changed, 2);
  over(one, network);
  t.same(withFacts(MEASURED, words.facts), MEASURED);
  t.equal(counts.changed, 3, 'the server is told');
  network.door.tell({ region: 'late' });
  t.same(words.facts, {});
  t.end();
});

t.test('one run takes back nothing of another', t => {
  const { words } = serverWords();
  const [one, other] = [guard(), guard()];
  const [first, second] = [guardedNetwork(words, one), guardedNetwork(words, other)];
  first.door.tell({ region: 'first', bandwidth: 1 });
  second.door.tell({ region: 'second' });
  t.same(words.facts, { region: 'second', bandwidth: 1 });
  over(other, second);
  t.same(words.facts, { region: 'first', bandwidth: 1 });
  over(one, first);
  t.same(words.facts, {});
  t.end();
});

t.test('a run that is over hears nothing and asks nothing', async t => {
  const { words, counts } = serverWords();
  const one = guard();
  const network = guardedNetwork(words, one);
  over(one, network);
  let heard = 0;
  network.door.onRelays(() => heard++)();
  words.relaysTold({ keep: [], measure: [] });
  t.equal(heard, 0);
  await t.rejects(network.door.route({ node: 'n' }), { message: /over/ });
  t.equal(counts.asked, 0);
});

t.test('a run that is over neither serves nor listens nor opens', async t => {
  const used: string[] = [];
  const note = (what: string) => () => {
    used.push(what);
    return () => void used.push(`${what} no more`);
  };
  const streams: StreamDoor = {
    ...noStreams,
    serve: note('serve'),
    onChange: note('listen'),
    open: () => {
      used.push('open');
      return Promise.reject(new Error('nobody'));
    },
  };
  const one = guard();
  const guarded = guardedStreams(streams, one);
  guarded.door.serve(() => undefined);
  guarded.door.onChange(() => undefined);
  over(one, guarded);
  t.same(used, ['serve', 'listen', 'serve no more', 'listen no more']);
  guarded.door.serve(() => undefined)();
  guarded.door.onChange(() => undefined)();
  const to = { node: {}, places: [] } as unknown as Parameters<StreamDoor['open']>[0];
  await t.rejects(guarded.door.open(to, new AbortController().signal), { message: /over/ });
  t.equal(used.length, 4, 'it does not take the place of its successor');
});

t.test('a dial that is not wanted any more is nobody’s fault', async t => {
  const plugin = { dial: () => new Promise(() => undefined) } as unknown as TransportPlugin;
  const around = {
    log: silentLog,
    name: 'slow',
    guard: guard(),
    clock: new ManualClock(),
    checks: {} as unknown as AnswerChecks,
  };
  const transport = new GuardedTransport(plugin, around);
  const abort = new AbortController();
  const peer = { node: 'n', name: 'n', ip6: 'fd00::1' };
  const dialling = transport.dial({} as Candidate, peer, abort.signal);
  abort.abort(new Error('enough'));
  const error: unknown = await dialling.catch((thrown: unknown) => thrown);
  t.match(error, { message: /not waited for/, cause: { message: 'enough' }, code: undefined });
});

t.test('links that a run left standing end with it, and what its links throw harms nobody', t => {
  const one = guard();
  const events: string[] = [];
  const held: Link[] = [];
  const door: LinkDoor = {
    opened(link) {
      held.push(link);
      return { received: () => void events.push('received'), closed: reason => void events.push(reason) };
    },
    isPlace: () => true,
  };
  const guarded = guardedLinks(door, one);
  const link = (send: () => unknown): Link =>
    ({
      id: 'x',
      transport: 'x',
      traits: {},
      remote: null,
      local: null,
      mtu: 1,
      send,
      close() {},
    }) as unknown as Link;
  const inlet = guarded.door.opened(link(() => 'sent'));
  const batch = { bytes: new Uint8Array(1), offset: 0, length: 1, segment: 1 };
  inlet.received(batch);
  t.equal(held[0]!.send(batch), 'sent');
  guarded.door.opened(link(() => 'nonsense'));
  guarded.door.opened(
    link(() => {
      throw new Error('broken');
    }),
  );
  t.same([held[1]!.send(batch), held[2]!.send(batch), held[2]!.send(batch)], ['closed', 'closed', 'closed']);
  over(one, guarded);
  inlet.received(batch);
  t.same(events, ['received', ...Array<string>(3).fill('the plugin stopped')]);
  t.equal(held[0]!.send(batch), 'closed');
  guarded.door.opened(link(() => 'sent')).received(batch);
  t.equal(held.length, 3, 'a run that is over hands in none');
  t.end();
});
