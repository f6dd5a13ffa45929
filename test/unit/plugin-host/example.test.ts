// The plugin that docs/plugins.md has newcomers copy: it works as it stands, and holds the contract.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { seededRandom } from '../../../base/random.ts';
import { CONTRACT, type PluginModule } from '../../../core/contract/plugin.ts';
import type { Primitives } from '../../../protocol/primitives.ts';
import { pluginContract } from '../../contract/plugin.ts';
import { repositoryRoot } from '../../support/repository.ts';
import { bench, keptChoices, memoryStore, Outside } from './made-up.ts';
import { noHome, noLinks, noSignals, noNetwork, noStreams } from '../../support/no-streams.ts';

const EXAMPLE = join(repositoryRoot, 'docs/example-plugin');

t.test('copied to the folder of third-party plugins, set and turned on, it offers its candidate', async t => {
  const folder = t.testdir();
  cpSync(EXAMPLE, join(folder, 'example-plugin'), { recursive: true });
  const b = bench(t, {}, keptChoices(), [{ path: folder, isThirdParty: true }]);
  await b.start();
  t.match(await b.host.list(), [{ name: 'example-plugin', state: 'off', thirdParty: true }]);
  t.match(await b.host.enable('example-plugin'), { state: 'failed', code: 'PLUGIN_SETTINGS' });
  const set = (values: Record<string, unknown>): Promise<unknown> =>
    b.host.configure('example-plugin', { set: values });
  t.match(await set({ address: '198.51.100.7' }), { state: 'ready', facts: { port: 41641 } });
  const [plugin] = b.host.traversal();
  let told = 0;
  plugin?.onChange(() => told++);
  const endpoint = (address: string, port: number): object => ({
    family: address.includes(':') ? 6 : 4,
    address,
    port,
  });
  const offered = { kind: 'mapped', transport: 'udp', foundBy: 'example-plugin' };
  t.same(plugin?.candidates(), [{ ...offered, endpoint: endpoint('198.51.100.7', 41641) }]);
  await set({ address: '2001:db8::7', port: 7000 });
  t.equal(told, 1, 'it tells of the change, and runs on');
  t.same(plugin?.candidates(), [{ ...offered, endpoint: endpoint('2001:db8::7', 7000) }]);
  t.match(await set({ address: 'home.example.net' }), { state: 'limited', code: 'EXAMPLE_NO_ADDRESS' });
  t.same(plugin?.candidates(), []);
});

const example = (await import(pathToFileURL(join(EXAMPLE, 'index.mjs')).href)) as PluginModule;

pluginContract(t, {
  name: 'example-plugin',
  contract: CONTRACT,
  create: given => example.createPlugin(given),
  context: signal => ({
    settings: { address: '198.51.100.7', port: 41641 },
    log: silentLog,
    clock: new ManualClock(),
    random: seededRandom(1),
    primitives: {} as Primitives,
    counters: new Counters(),
    store: memoryStore(),
    signal,
    stun: new Outside(),
    streams: noStreams,
    network: noNetwork,
    home: noHome,
    signals: noSignals,
    links: noLinks,
  }),
});
