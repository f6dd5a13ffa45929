// Ginnel in both roles at once: the first box is a node and the location server of its network, in one process.
import { GinnelNode, LocationServer, startNode } from '../../lab/ginnel.ts';
import { until } from '../../lab/waiting.ts';
import { meets } from '../contender.ts';
import type { Contender, Ground, Running } from '../contender.ts';
import { ginnelAes, isDirect, pidOf, usesFastProfile } from './ginnel.ts';

export const BOTH_ROLES = 'both-roles';

export const ginnelWithServer = (door: string): Contender => ({
  ...ginnelAes(door),
  start: ground => startPair(ground, door),
});

async function startPair(ground: Ground, door: string): Promise<Running> {
  const environment = { GINNEL_DOOR: door };
  const server = new LocationServer(ground.one, BOTH_ROLES, { environment });
  await server.up({ advertise: [ground.one.address], listen: [ground.one.address], secondPort: null });
  const one = await joinOwn(ground, server);
  const other = await startNode(server, ground.other, 'other', { environment });
  const { ip4 } = await other.status();
  await meets(ground.one, ip4);
  await isDirect(ground, one, other.name);
  await usesFastProfile(ground, one, ip4);
  return { target: ip4, pids: [pidOf(server), pidOf(other)] };
}

/** The node of the same daemon: it runs already. */
async function joinOwn(ground: Ground, server: LocationServer): Promise<GinnelNode> {
  const node = new GinnelNode(ground.one, BOTH_ROLES);
  await node.api('POST', '/v1/node/up', { name: BOTH_ROLES, invite: await server.invite() });
  await until(`${BOTH_ROLES} to join`, 15_000, async () => {
    const { state, server: told } = await node.status();
    return state === 'up' && told.state === 'connected';
  });
  return node;
}
