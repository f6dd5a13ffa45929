// Ginnel with many peers: boxes that joined for real and are away, and that the first place met in an earlier run. They
// are written into its state while it is down, as its own peer book keeps them, and it starts with all of them.
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { Counters } from '../../../base/counters.ts';
import { openStore } from '../../../base/store.ts';
import type { SignedNode } from '../../../protocol/location/messages.ts';
import type { IssuedInvite } from '../../../server/admin.ts';
import { startNode } from '../../lab/ginnel.ts';
import type { GinnelNode, LocationServer } from '../../lab/ginnel.ts';
import { until } from '../../lab/waiting.ts';
import { meets } from '../contender.ts';
import type { Contender, Ground, Running } from '../contender.ts';
import { ginnelAes, isDirect, pidOf, usesFastProfile } from './ginnel.ts';

const REGISTRANTS = fileURLToPath(new URL('../registrants.js', import.meta.url));
const PORT = 7443;
/** Of the core router, which the boxes that leave again come from. */
const SOURCES = ['192.0.2.101', '192.0.2.102', '192.0.2.103', '192.0.2.104'];
/** After a log-in a node looks up its peers again, at most 128 of them, about one in 0.3 s: idling begins after that. */
const LOOKED_UP_AGAIN = 128;
const LOOK_UP_MS = 350;
/** And then V8 tidies up once, a tenth of a second's work. */
const REST_MS = 20_000;

export const ginnelWithPeers = (door: string, count: number): Contender => ({
  ...ginnelAes(door),
  start: ground => startPair(ground, door, count),
});

async function startPair(ground: Ground, door: string, count: number): Promise<Running> {
  const server = await ground.locationServer();
  const environment = { GINNEL_DOOR: door };
  const one = await startNode(server, ground.one, 'one-of-many', { environment });
  const other = await startNode(server, ground.other, 'busy', { environment });
  const peers = await register(ground, server, count);
  await one.stop();
  await writePeers(one.folder, peers);
  await one.start();
  await one.up();
  const isBack = async (): Promise<boolean> => {
    const { server: told, peers: known } = await one.status();
    return told.state === 'connected' && known.length >= count;
  };
  await until(`the box to be back with ${count} peers`, 30_000, isBack);
  const { ip4 } = await other.status();
  await meets(ground.one, ip4);
  await isDirect(ground, one, other.name);
  await usesFastProfile(ground, one, ip4);
  await pause(Math.min(count, LOOKED_UP_AGAIN) * LOOK_UP_MS + REST_MS);
  return { target: ip4, pids: [pidOf(one), pidOf(other)] };
}

async function register(ground: Ground, server: LocationServer, count: number): Promise<SignedNode[]> {
  const { invite } = await server.api<IssuedInvite>('POST', '/v1/server/invites', { uses: count });
  const line = `'${process.execPath}' '${REGISTRANTS}' ${server.place.address} ${PORT} ${count} ${SOURCES.join(' ')}`;
  for (const source of SOURCES) await ground.lab.core.exec(`ip addr add ${source}/32 dev lo`);
  const { stdout } = await ground.lab.core.exec(line, { input: invite, timeoutMs: 180_000 });
  return stdout
    .trim()
    .split('\n')
    .map(told => JSON.parse(told) as SignedNode);
}

/** Where and how core/peers keeps them. */
async function writePeers(folder: GinnelNode['folder'], nodes: readonly SignedNode[]): Promise<void> {
  const store = await openStore({ path: `${folder}/store`, firstSetUp: false, counters: new Counters() });
  const book = store.scope('node/').scope('peers/');
  await book.batch(
    nodes.map(node => {
      const value = { node, candidates: [], goodEndpoints: [], signalSerial: 0 };
      return { type: 'put', key: node.record.id, value };
    }),
  );
  await store.close();
}
