// What is told of a peer's paths: why this one, what would help, what was tried: in English, and by codes for the page.
import t from 'tap';
import type { Said } from '../../../base/said.ts';
import { SimWorld, type HomeKind } from './sim-node.ts';

const codesOf = (said: readonly Said[]): string[] => said.map(({ code }) => code);

/** Two homes where one sends to the other, a while later. */
async function tried(a: HomeKind, b: HomeKind, isOff = false) {
  const world = new SimWorld(4);
  const [one, two] = [world.home(a), world.home(b)];
  world.acquaint(one, two);
  await world.run(500);
  if (isOff) {
    two.stop();
    world.nodes.delete(two.id);
  }
  const off = one.stream(two, 1_000);
  await world.run(5_000);
  const why = one.paths.why(two.id);
  const status = one.paths.status(two.id);
  off();
  world.stop();
  if (why === null || status === null) throw new TypeError('it is known');
  return { why, status };
}

t.test('two hard homes: the plugin at both ends would not help, a port and a relay would', async t => {
  const { why, status } = await tried('sym', 'sym');
  t.equal(status.state, 'unreachable');
  t.equal(why.reason.code, 'verdict.no-relay');
  const { why: cause } = why.reason.facts;
  t.match(cause, { code: 'verdict.both' });
  t.same(codesOf(why.advice), ['advice.port', 'advice.relay']);
  t.same([status.reasonCode, status.reason], [why.reason.code, why.reason.words]);
  t.equal(why.lines.at(-1), `what would help: ${why.advice.map(({ words }) => words).join('; or ')}.`);
  t.match(
    why.lines[0],
    new RegExp(` is unreachable: both NATs pick a new port for every destination \\(symm`),
  );
});

t.test('a hard home and an ordinary one: cheapest first, and whose plugin it is', async t => {
  const { why } = await tried('seq', 'prc');
  t.same(codesOf(why.advice), [
    ...['advice.predict-here', 'advice.predict-there', 'advice.port', 'advice.relay'],
  ]);
  t.match(why.reason.words, /this node's NAT picks a new port .*nat-portpredict could get through/);
  t.match(why.here.nat.ports, /^sequential/);
  t.equal(why.there?.nat.mapping, 'endpoint-independent');
});

t.test('where they meet directly nothing is to be done, and the tries say how it went', async t => {
  const { why, status } = await tried('prc', 'prc');
  t.equal(status.state, 'direct');
  t.same(why.advice, []);
  t.match(why.reason.code, /^reason\.(only|best)$/);
  t.equal(why.reason.words, status.reason);
  t.equal(why.tries[0]?.code, 'try.new');
  t.match(why.tries[0]?.words, 'a packet wants to go there: a new try');
  const ages = why.tries.map(({ secondsAgo }) => secondsAgo);
  t.same(
    ages,
    [...ages].sort((a, b) => b - a),
    'oldest first',
  );
  t.equal(why.lines.filter(line => / s ago: /.test(line)).length, why.tries.length, 'the same in the lines');
});

t.test('a box that is off is for somebody to look after', async t => {
  const { why, status } = await tried('prc', 'prc', true);
  t.equal(status.state, 'offline');
  t.same(codesOf(why.advice), ['advice.wake']);
});
