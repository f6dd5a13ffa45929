// relay-tcp holds the contract of all plugins, and of those that open ways through other nodes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createPlugin } from '../../../plugins/relay-tcp/index.ts';
import { pluginContract } from '../../contract/plugin.ts';
import { repositoryRoot } from '../../support/repository.ts';
import { stage, started, type Stage } from './stage.ts';

const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'plugins/relay-tcp/plugin.json'), 'utf8')) as {
  readonly name: string;
  readonly contract: number;
  readonly kind: string;
};

let last: Stage | null = null;

pluginContract(t, {
  name: manifest.name,
  contract: manifest.contract,
  create: context => createPlugin(context),
  context(signal) {
    last = stage({ signal });
    const relays = ['r1', 'r2'].map(name => last!.network.node(name));
    last.words.say(relays, [last.network.node('r3')]);
    return last.context;
  },
  holds() {
    const { box, words, news, clock } = last!;
    clock.advance(2_000);
    return box.listeners + words.listeners + news.listeners + box.streams.size;
  },
});

t.test('it is a transport of links that go through others', async t => {
  const s = await started();
  t.equal(manifest.kind, 'transport');
  t.equal(s.plugin.name, manifest.name);
  t.same(s.plugin.traits, {
    reliable: true,
    ordered: true,
    relayed: true,
    inbound: true,
    needsSignalling: false,
  });
  t.same(s.plugin.candidates(), []);
  await s.plugin.stop();
});
