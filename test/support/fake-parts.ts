// What a made-up daemon is built from: admins that answer from memory, over a real store in a real folder.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemonSettings, pluginDirectories, takeStateFolder, type Ground } from '../../bin/assemble.ts';
import type { Parts } from '../../bin/daemon.ts';
import { stateChecker } from '../../bin/state.ts';
import { FakeNode, FakeServer } from './fake-admins.ts';
import { fakeBackup } from './fake-backup.ts';
import { restingPlugins } from './resting-plugins.ts';

export { assembleAtRest } from '../../bin/assemble.ts';

export async function fakeParts(ground: Ground): Promise<Parts> {
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
    backup: fakeBackup,
    wishes: store.scope('roles/'),
    pageStore: store.scope('page/'),
    close: () => store.close(),
  };
}
