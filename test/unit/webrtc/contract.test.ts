// webrtc holds the contract of all plugins; with its library there, and with one that is missing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { PluginContext } from '../../../core/contract/plugin.ts';
import { createPlugin } from '../../../plugins/webrtc/index.ts';
import { pluginContract } from '../../contract/plugin.ts';
import { fakeRtc, type FakeRtc } from '../../support/fake-rtc.ts';
import { repositoryRoot } from '../../support/repository.ts';
import { contextFor } from '../../support/webrtc-ends.ts';

const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'plugins/webrtc/plugin.json'), 'utf8')) as {
  readonly name: string;
  readonly contract: number;
  readonly kind: string;
  readonly enabled: boolean;
  readonly nativePackages: readonly string[];
};

let rtc: FakeRtc = fakeRtc();
let loaded = 0;

const context = (signal: AbortSignal): PluginContext => {
  rtc = fakeRtc();
  loaded = 0;
  return contextFor({ node: 'mia'.padEnd(43, '_'), signal }).context;
};

pluginContract(t, {
  name: manifest.name,
  contract: manifest.contract,
  context,
  create: given =>
    createPlugin(given, () => {
      loaded++;
      return rtc.load();
    }),
  holds: () => loaded - rtc.released,
});

t.test('where the library does not load it does not start, and stops all the same', async t => {
  const abort = new AbortController();
  const plugin = createPlugin(context(abort.signal), () =>
    Promise.reject(new Error('no binary for this machine')),
  );
  await t.rejects(plugin.start(abort.signal), /no binary/);
  t.same(plugin.candidates(), []);
  await plugin.stop();
});

t.test('it is off, of the kind that it says, and names its package', async t => {
  t.match(manifest, { kind: 'transport', enabled: false, nativePackages: ['node-datachannel'] });
  const plugin = createPlugin(context(new AbortController().signal), rtc.load);
  t.equal(plugin.name, manifest.name);
  t.match(plugin.traits, { ordered: false, reliable: false, needsSignalling: true });
  await plugin.stop();
});
