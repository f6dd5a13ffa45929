// The page of a made-up household, served for real: by the page's own server and guards, over loopback.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import { Connections, createPageServer, type TlsParts } from '../../bin/daemon/page-server.ts';
import { openDaemonSettings } from '../../bin/settings.ts';
import { createPage } from '../../web/page/page.ts';
import { FakeDaemon } from './fake-admins.ts';
import { fakeBackup } from './fake-backup.ts';
import { HouseholdNode, householdPeers, HouseholdServer, type MadeUpPeer } from './made-up-household.ts';
import { memoryStore } from './memory-store.ts';
import { repositoryRoot } from './repository.ts';

export interface MadeUpPage {
  readonly address: string;
  readonly node: HouseholdNode;
  readonly server: HouseholdServer;
  close(): Promise<void>;
}

export interface MadeUpPageOptions {
  readonly peers: readonly MadeUpPeer[];
  /** Is the box on its network already? Default yes. */
  readonly isUp?: boolean;
  /** Default: one that is free. */
  readonly port?: number;
  /** Served by it alone; default: in plain. */
  readonly tls?: TlsParts | null;
}

export async function serveMadeUpPage({
  peers,
  isUp = true,
  port = 0,
  tls = null,
}: MadeUpPageOptions): Promise<MadeUpPage> {
  const node = new HouseholdNode(peers, isUp);
  const server = new HouseholdServer(peers);
  if (isUp) {
    await server.up({});
    await node.up({ name: 'attic-nas' });
    await node.changeSettings({ set: { name: 'attic-nas' } });
  }
  const page = await createPage({
    ...{ node, server, daemon: new FakeDaemon(), settings: await openDaemonSettings(memoryStore()) },
    ...{
      backup: fakeBackup,
      peers: householdPeers,
      version: '0.1.0',
      pid: 1,
      log: silentLog,
      counters: new Counters(),
    },
    checkState: () => Promise.resolve({ ok: true, parts: [], exports: [], todo: '' }),
    ...{ clock: systemClock, random: systemRandom, store: memoryStore() },
    // A slow hash guards a password; here there is none to guard.
    hashPassword: (password, salt) =>
      Promise.resolve(createHash('sha256').update(salt).update(password).digest()),
    folder: join(repositoryRoot, 'dist/web/client'),
    ...{ names: () => ['attic.lan'], name: () => 'attic-nas', isNear: () => true },
    ...{ isTlsNeeded: () => tls !== null, certificate: () => null },
  });
  const listener = createPageServer(page.callback, new Connections());
  listener.setTls(tls);
  const at = await listener.listen('127.0.0.1', port);
  return {
    ...{ address: `http${tls === null ? '' : 's'}://127.0.0.1:${at}/`, node, server },
    async close() {
      await page.close();
      await listener.close();
      await node.close();
    },
  };
}
