// Peers and plugins that mean harm or fail: what they can make this node spend is bounded.
import t from 'tap';
import type { Clock } from '../../../base/clock.ts';
import { silentLog } from '../../../base/log.ts';
import type { TraversalPlugin } from '../../../core/contract/plugin.ts';
import { Attempt, MAX_TARGETS } from '../../../core/paths/attempt.ts';
import type { Way } from '../../../core/paths/path.ts';
import { AnswerChecks } from '../../../core/plugin-host/answers.ts';
import { Blame } from '../../../core/plugin-host/blame.ts';
import { Guard } from '../../../core/plugin-host/guard.ts';
import { GuardedTraversal } from '../../../core/plugin-host/traversal.ts';
import type { PathSignal } from '../../../protocol/location/messages.ts';
import { SimWorld } from './sim-node.ts';

const way = (port: number): Way => ({
  key: `udp 192.0.2.66:${port}`,
  transport: 'udp',
  endpoint: { family: 4, address: '192.0.2.66', port },
  class: 'direct',
});

t.test('a peer that speaks from ever other ports does not fill the try', async t => {
  const attempt = new Attempt('', 'answerer', 0);
  for (let port = 1; port <= 60_000; port++) attempt.aim(way(port), 'peer-reflexive', 0);
  t.equal(attempt.size, MAX_TARGETS);
  let shots = 0;
  for (let now = 0; now <= 10_000; now += 10) shots += attempt.due(now).length;
  t.ok(shots <= 13 * MAX_TARGETS, `${shots} probes`);
  attempt.aim(way(60_001), 'peer-reflexive', 10_000);
  t.same(
    attempt.due(10_000).map(shot => shot.way.key),
    ['udp 192.0.2.66:60001'],
    'places that were asked in vain make room',
  );
});

t.test('a peer that floods with offers is answered at a pace', async t => {
  const world = new SimWorld(1);
  t.teardown(() => world.stop());
  const [one, two] = [world.home('public'), world.home('prc')];
  world.acquaint(one, two);
  await world.run(500);
  const offer: PathSignal = {
    type: 'offer',
    attempt: '',
    serial: 0,
    candidates: [],
    nat: { mapping: 'none', filtering: 'not-checked', ports: 'not-checked' },
    serverRttMs: null,
  };
  for (let round = 0; round < 300; round++) {
    await one.control.signal(two.asPeer().node!, { ...offer, attempt: `round ${round}` });
    await world.run(100);
  }
  const answers = two.control.sent.filter(({ type }) => type === 'answer').length;
  t.ok(answers > 0 && answers <= 36, `${answers} answers in 30 s`);
  t.ok(two.count('paths.signal.too-many') > 200);
});

t.test('a plugin that throws where it should tell what it knows: the node lives on without it', async t => {
  const world = new SimWorld(1);
  t.teardown(() => world.stop());
  const [one, two] = [world.home('public'), world.home('prc')];
  world.acquaint(one, two);
  await world.run(500);
  const fail = (): never => {
    throw new Error('no luck');
  };
  Object.assign(one.plugin, { natReport: fail, candidates: fail, refresh: fail, onChange: fail });
  const faults: string[] = [];
  one.paths.setTraversal([guarded(one.plugin, world.clock, fault => faults.push(fault))]);
  t.equal(one.paths.natReport.mapping, 'not-checked');
  one.send(two);
  const ms = await world.until(() => one.stateOf(two) === 'direct', 3_000);
  t.ok(ms <= 3_000, 'they meet all the same');
  t.same(new Set(faults).size, faults.length, 'each fault is told once');
  t.match(faults, ['onChange()', 'candidates()', 'natReport()']);
});

/** As the plugin host hands it out. */
function guarded(plugin: TraversalPlugin, clock: Clock, wrong: (part: string) => void): GuardedTraversal {
  const guard = new Guard({
    blame: new Blame(),
    scrub: text => text,
    wrong: fault => wrong(fault.part),
    crashed: () => undefined,
  });
  const around = { name: 'fails', guard, clock, checks: new AnswerChecks(), log: silentLog };
  const traversal = new GuardedTraversal(plugin, around);
  traversal.begin();
  return traversal;
}
