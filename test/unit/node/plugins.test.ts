// Plugins over a node's comings and goings: what is chosen while it is down holds when it comes up, and what a plugin
// finds out reaches the paths.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startServer } from '../../support/location-server.ts';
import { repositoryRoot } from '../../support/repository.ts';
import { openNode, until } from './bench.ts';

t.test(
  'a third-party plugin chosen while the node is down starts with it, rests with it, and starts anew',
  async t => {
    const { invite } = await startServer(t);
    const path = t.testdir();
    cpSync(join(repositoryRoot, 'docs/example-plugin'), join(path, 'example-plugin'), { recursive: true });
    const { node } = await openNode(t, { pluginDirectories: [{ path, isThirdParty: true }] });
    t.same(node.status().plugins, [], 'nobody has looked yet');
    t.match(await node.plugins.list(), [{ name: 'example-plugin', state: 'off' }]);
    await node.plugins.configure('example-plugin', { set: { address: '198.51.100.7' } });
    t.match(await node.plugins.enable('example-plugin'), { state: 'waiting' });
    const stateNow = (): string =>
      node
        .status()
        .plugins.map(({ state }) => state)
        .join();
    for (const given of [{ invite: await invite() }, {}]) {
      await node.up(given);
      await until(() => stateNow() === 'ready', 'the plugin to start');
      t.match(await node.plugins.disable('example-plugin'), { state: 'off' });
      t.match(await node.plugins.enable('example-plugin'), { state: 'ready' });
      await node.down();
      t.equal(stateNow(), 'waiting');
    }
    await t.rejects(node.plugins.retry('example-plugin'), { code: 'PLUGIN_AT_REST' });
    t.notOk(node.takesBlame(new Error('a bug of ours')));
  },
);
