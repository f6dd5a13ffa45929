// The whole `ginnel` program with made-up admins behind it: real processes, sockets, store and signals; no kernel doors.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assembleAtRest, daemonSettings, pluginDirectories, takeStateFolder } from '../../bin/assemble.ts';
import { processSurroundings } from '../../bin/process.ts';
import { ginnel } from '../../bin/program.ts';
import { stateChecker } from '../../bin/state.ts';
import { FakeNode, FakeServer } from './fake-admins.ts';
import { restingPlugins } from './resting-plugins.ts';

// Loaded as root, run as somebody else.
const uid = process.env['FAKE_UID'];
if (uid !== undefined) process.setuid?.(Number(uid));

process.exitCode = await ginnel(
  process.argv.slice(2),
  processSurroundings({
    version: '1.2.3',
    script: fileURLToPath(import.meta.url),
    async assemble(ground) {
      const store = await takeStateFolder(ground);
      const membership = join(ground.places.state, 'joined');
      const plugins = restingPlugins(store.scope('node/'), pluginDirectories(ground.places));
      const node = new FakeNode(existsSync(membership), () => writeFileSync(membership, ''), plugins);
      if (process.env['FAKE_CRASH'] === '1')
        ground.clock.after(50, () => {
          throw new Error('a bug in a timer');
        });
      const server = new FakeServer();
      const settings = await daemonSettings(store, ground);
      const takesBlame = (error: unknown): boolean => plugins.takesBlame(error);
      const checkState = stateChecker(ground.places.state, store, { withStore: work => work(null) });
      return {
        ...{ node, server, settings, checkState, takesBlame, stateHealth: () => [] },
        wishes: store.scope('roles/'),
        close: () => store.close(),
      };
    },
    preload: () =>
      process.env['FAKE_NO_SUCCESSOR'] === '1'
        ? Promise.reject(new Error('made to fail'))
        : Promise.resolve(),
    atRest: assembleAtRest,
  }),
);
setTimeout(() => process.exit(), 500).unref();
