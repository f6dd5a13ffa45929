// While the node is not on the network its plugins rest: they are known and can be chosen, and none of their code runs.
import t from 'tap';
import { bench, code, heardFrom, manifest } from './made-up.ts';

const folders = (name: string, changes = {}): Record<string, Record<string, string>> => ({
  [name]: { 'plugin.json': manifest(name, changes), 'index.js': code(name) },
});

t.test(
  'at rest: listed, turned on and off, set; the code is not loaded; the choice holds at the start',
  async t => {
    const settings = { type: 'object', properties: { n: { type: 'integer', default: 1 } } };
    const b = bench(t, folders('rests', { settings }));
    t.match(await b.host.list(), [{ name: 'rests', state: 'waiting', enabled: true }]);
    t.match(await b.host.disable('rests'), { state: 'off', enabled: false });
    t.match(await b.host.configure('rests', { set: { n: 7 } }), { state: 'off', settings: { n: 7 } });
    await t.rejects(b.host.retry('rests'), { code: 'PLUGIN_AT_REST' });
    await b.start();
    t.same(heardFrom('rests'), [], 'off it stays');
    await b.host.rest();
    t.match(await b.host.enable('rests'), { state: 'waiting', enabled: true });
    t.same(heardFrom('rests'), []);
    await b.start();
    t.same(heardFrom('rests'), ['loaded', 'created {"n":7}', 'start']);
  },
);

t.test('the node goes down and up again: each plugin stops and starts, its code is loaded once', async t => {
  const b = bench(t, folders('returns'));
  for (let time = 0; time < 3; time++) {
    await b.start();
    t.equal(b.host.traversal().length, 1);
    await b.host.rest();
    t.equal(b.host.traversal().length, 0);
  }
  const heard = heardFrom('returns');
  const count = (what: string): number => heard.filter(said => said === what).length;
  t.same([count('loaded'), count('start'), count('stop'), count('abort')], [1, 3, 3, 3]);
});
