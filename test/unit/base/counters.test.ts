// The registry of figures, what they mean, and how they look to Prometheus: read back by a strict parser of the format,
// and by Prometheus' own where it is installed.
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { wordsOf } from '../../../base/counter-words.ts';
import { Counters } from '../../../base/counters.ts';
import { prometheusText } from '../../../base/prometheus.ts';
import { parseExposition } from '../../support/exposition.ts';

t.test('counters under a scope, gauges read when somebody looks', t => {
  const counters = new Counters();
  counters.scope('dataplane').scope('in').counter('tag').value += 3;
  counters.counter('api.refused.INVITE_USED').value++;
  let peers = 1;
  const stop = counters.scope('node').gauges(() => ({ 'peers.direct': peers, nothing: Number.NaN }));
  t.same(counters.readings(), {
    counters: { 'api.refused.INVITE_USED': 1, 'dataplane.in.tag': 3 },
    gauges: { 'node.peers.direct': 1 },
  });
  peers = 2;
  t.same(counters.readings().gauges, { 'node.peers.direct': 2 });
  stop();
  t.same(counters.readings().gauges, {});
  t.same(counters.snapshot(), { 'api.refused.INVITE_USED': 1, 'dataplane.in.tag': 3 });
  t.end();
});

t.test('a gauge that cannot be read keeps no other back, and is counted', t => {
  const counters = new Counters();
  counters.gauges(() => {
    throw new Error('gone');
  });
  counters.gauges(() => ({ 'node.up': 1 }));
  t.same(counters.readings().gauges, { 'node.up': 1 });
  t.equal(counters.snapshot()['gauges.unreadable'], 1);
  t.end();
});

t.test('the words of a name: its own, those of its area, none', t => {
  t.same(wordsOf('store.reopened'), { words: 'times the state was opened anew after an error' });
  t.match(wordsOf('api.refused.A.B'), { family: { name: 'api.refused', label: 'code', value: 'A.B' } });
  t.match(wordsOf('dataplane.in.something-new'), { words: /dropped/ });
  t.equal(wordsOf('unheard-of.thing'), null);
  t.equal(wordsOf('constructor'), null);
  t.end();
});

function everyKind(): Counters {
  const counters = new Counters();
  counters.counter('dataplane.in.packets').value = 12;
  counters.counter('api.refused.INVITE_USED').value = 2;
  counters.counter('api.refused.evil"} 9\n# TYPE x counter\\').value = 1;
  counters.counter('plugins.third party.größe-1').value = 4;
  counters.counter('same.name').value = 1;
  counters.counter('same-name').value = 2;
  counters.gauges(() => ({
    'node.server.rtt-ms': 20.5,
    'process.memory.rss-bytes': 4e7,
    'node.peers.idle': 0,
  }));
  return counters;
}

t.test('Prometheus: what comes out is what the format asks for, whatever is in the names', t => {
  const text = prometheusText(everyKind().readings(), '1.2.3 "x"');
  const families = parseExposition(text);
  t.match(families.get('ginnel_dataplane_in_packets_total'), {
    type: 'counter',
    help: 'data messages that came over links',
    samples: [{ labels: {}, value: 12 }],
  });
  t.same(families.get('ginnel_api_refused_total')?.samples, [
    { labels: { code: 'INVITE_USED' }, value: 2 },
    { labels: { code: 'evil"} 9\n# TYPE x counter\\' }, value: 1 },
  ]);
  t.equal(
    families.get('ginnel_same_name_total')?.samples[0]?.value,
    3,
    'names that come out the same are added up',
  );
  t.match(families.get('ginnel_node_server_rtt_seconds'), { type: 'gauge', samples: [{ value: 0.0205 }] });
  t.match(families.get('ginnel_node_peers'), { samples: [{ labels: { state: 'idle' }, value: 0 }] });
  t.match(families.get('ginnel_build_info'), { samples: [{ labels: { version: '1.2.3 "x"' }, value: 1 }] });
  t.end();
});

t.test('the parser of this test is strict', t => {
  for (const wrong of [
    'x 1\n',
    '# TYPE x counter\nx 1',
    '# TYPE x counter\nx{a="b} 1\n',
    '# TYPE x counter\nx{a="b"} one\n',
    '# TYPE x counter\nx 1\nx 2\n',
    '# TYPE x counter\n# TYPE x counter\nx 1\n',
    '# TYPE x-y counter\nx-y 1\n',
  ])
    t.throws(() => parseExposition(wrong), JSON.stringify(wrong));
  t.end();
});

const promtool = process.env['PROMTOOL'] ?? 'promtool';
const hasPromtool = spawnSync(promtool, ['--version']).status === 0;

t.test(
  'Prometheus itself accepts it',
  { skip: hasPromtool ? false : 'no promtool (package prometheus); the strict parser above stands in' },
  t => {
    const checked = spawnSync(promtool, ['check', 'metrics', '--extended'], {
      input: prometheusText(everyKind().readings(), '1.2.3'),
      encoding: 'utf8',
    });
    t.equal(checked.stderr, '', 'nothing to mend');
    t.equal(checked.status, 0);
    t.end();
  },
);
