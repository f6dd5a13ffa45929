// Which path is used: score, hysteresis, reasons.
import t from 'tap';
import { seededRandom } from '../../../base/random.ts';
import type { PathClass } from '../../../core/contract/link.ts';
import { choose } from '../../../core/paths/choice.ts';
import { Path } from '../../../core/paths/path.ts';
import { ALL_METHODS } from '../../../core/paths/plan.ts';
import { natWords, verdictOf } from '../../../core/paths/verdict.ts';
import { NOTHING_CHECKED } from '../../../core/contract/nat-report.ts';

let made = 0;

function pathOf(pathClass: PathClass, rttMs: number, learnt = 'host'): Path {
  made++;
  const endpoint = { family: 4 as const, address: '192.0.2.1', port: made };
  const path = new Path(
    { key: `udp 192.0.2.1:${made}`, transport: 'udp', endpoint, class: pathClass },
    learnt,
  );
  path.probed(`${made}`, 0);
  path.answered(`${made}`, rttMs);
  return path;
}

t.test('two paths that are alike do not take turns, however their round trips jitter', t => {
  const random = seededRandom(1);
  const paths = [pathOf('direct', 20), pathOf('direct', 20)];
  let active = choose(paths, null)!.path;
  let moves = 0;
  for (let round = 1; round < 5_000; round++) {
    for (const path of paths) {
      path.probed(`r${round}`, round * 1_000);
      path.answered(`r${round}`, round * 1_000 + 18 + random.below(5));
    }
    const next = choose(paths, active)!.path;
    if (next !== active) moves++;
    active = next;
  }
  t.equal(moves, 0);
  t.end();
});

t.test('a clearly better path takes over, and says why', t => {
  const slow = pathOf('direct', 80);
  const fast = pathOf('direct', 20);
  const choice = choose([slow, fast], slow)!;
  t.equal(choice.path, fast);
  t.match(choice.reason?.words, /20\.0 ms\) is better than .*80\.0 ms/);
  t.end();
});

t.test(
  'the LAN is preferred to the way around by the router, a direct path to a relay that is a little shorter',
  t => {
    const lan = pathOf('lan', 0.4);
    const around = pathOf('direct', 0.4);
    t.equal(choose([around, lan], around)!.path, lan);
    const relay = pathOf('relay', 20);
    const direct = pathOf('direct', 45);
    t.equal(choose([relay, direct], null)!.path, direct);
    t.equal(choose([pathOf('relay', 20), pathOf('direct', 300)], null)!.path.way.class, 'relay');
    t.end();
  },
);

t.test('a silent path gives way to whichever still answers', t => {
  const dead = pathOf('lan', 1);
  const alive = pathOf('direct', 90);
  dead.distrust();
  const choice = choose([dead, alive], dead)!;
  t.equal(choice.path, alive);
  t.match(choice.reason?.words, /fell silent/);
  t.equal(choose([dead], dead), null);
  t.end();
});

t.test('why not direct is told from both NAT reports', t => {
  const side = (mapping: string, filtering = 'address-and-port-dependent') => ({
    nat: { mapping, filtering, ports: 'random' },
    can: ALL_METHODS,
  });
  const [symmetric, cone] = [side('address-and-port-dependent'), side('endpoint-independent')];
  const without = { ...symmetric, can: [] };
  t.equal(verdictOf(symmetric, symmetric, 'none').code, 'both-symmetric');
  t.equal(verdictOf(symmetric, cone, 'plain').code, 'symmetric-against-port-filter');
  t.match(verdictOf(cone, symmetric, 'plain').words, /^the peer's NAT picks a new port/);
  t.match(verdictOf(cone, without, 'none').words, /nat-portpredict could get through, and is not there/);
  t.match(verdictOf(without, without, 'none').code, 'both-symmetric', 'no plugin helps these');
  const open = side('endpoint-independent', 'address-dependent');
  t.equal(verdictOf(symmetric, open, 'plain').code, 'possible');
  t.equal(verdictOf(cone, cone, 'plain').code, 'possible');
  const blocked = { nat: natWords({ ...NOTHING_CHECKED, udp: 'no' }), can: ALL_METHODS };
  t.equal(verdictOf(cone, blocked, 'plain').code, 'udp-blocked');
  const unknown = { nat: natWords(NOTHING_CHECKED), can: ALL_METHODS };
  t.equal(verdictOf(cone, unknown, 'plain').code, 'not-checked');
  t.equal(verdictOf(cone, symmetric, 'birthday').code, 'missed');
  t.end();
});

t.test(
  'plain TCP does not take the place of plain UDP that works, however full its queue makes it look',
  t => {
    const udp = pathOf('direct', 200);
    const way = { key: 'tcp fd00::3', transport: 'tcp', endpoint: null, class: 'direct' as const };
    const tcp = new Path(way, 'its TCP door');
    tcp.probed('tcp', 0);
    tcp.answered('tcp', 1);
    t.equal(choose([udp, tcp], udp)?.path, udp);
    t.equal(choose([udp, tcp], tcp)?.path, tcp, 'nor the other way round at such a price');
    udp.loss = 0.5;
    t.equal(choose([udp, tcp], udp)?.path, tcp, 'but where much is lost');
    t.end();
  },
);

t.test('a data channel is the last of the direct ways, and left for plain UDP whatever the round trip', t => {
  const channelOf = (pathClass: PathClass, rttMs: number): Path => {
    const way = {
      key: `webrtc ${made++}`,
      transport: 'webrtc',
      endpoint: null,
      class: pathClass,
      isUnordered: true,
    };
    const path = new Path(way, 'webrtc');
    path.probed('one', 0);
    path.answered('one', rttMs);
    return path;
  };
  const [channel, udp] = [channelOf('direct', 200), pathOf('direct', 202)];
  t.equal(choose([channel, udp], channel)!.path, udp, 'though that is not clearly better');
  t.equal(choose([channelOf('direct', 50), udp], udp)!.path, udp, 'and not the other way round');
  t.equal(choose([channelOf('turn', 20), pathOf('direct', 40)], null)!.path.way.class, 'direct');
  t.equal(choose([channelOf('turn', 40), pathOf('relay', 20)], null)!.path.way.class, 'turn');
  const lossy = pathOf('direct', 20);
  lossy.loss = 0.3;
  t.equal(choose([channel, lossy], channel)!.path, channel, 'unless that loses much');
  t.end();
});
