// Ginnel over a WebRTC data channel: the daemons' own sockets are shut, so that nothing else is left.
import { startNode } from '../../lab/ginnel.ts';
import type { GinnelNode } from '../../lab/ginnel.ts';
import type { Place } from '../../lab/place.ts';
import { until } from '../../lab/waiting.ts';
import { meets } from '../contender.ts';
import type { Contender, Running } from '../contender.ts';
import { ownVersion } from '../versions.ts';
import { pidOf, usesFastProfile } from './ginnel.ts';

export const ginnelWebrtc = (door: string): Contender => ({
  name: 'ginnel-webrtc',
  label: 'Ginnel, WebRTC',
  setUp: 'the webrtc plugin with nothing else left: DTLS and SCTP around the fast profile, MTU 1400',
  tools: { nft: 'nftables' },
  version: () => Promise.resolve(ownVersion()),
  async start(ground): Promise<Running> {
    const server = await ground.locationServer();
    const environment = { GINNEL_DOOR: door };
    const start = async (place: Place, name: string): Promise<GinnelNode> => {
      const node = await startNode(server, place, name, {
        ...{ environment, on: ['webrtc'], off: ['relay-tcp'] },
        settings: { 'tcp-port': null },
      });
      await shut(place, (await node.status()).udpPort);
      return node;
    };
    const one = await start(ground.one, 'one-webrtc');
    const other = await start(ground.other, 'other-webrtc');
    const { ip4 } = await other.status();
    await meets(ground.one, ip4);
    await until('the channel to carry it', 15_000, async () => {
      const ends = await Promise.all([one.peer(other.name), other.peer(one.name)]);
      return ends.every(end => end?.path?.transport === 'webrtc');
    });
    await usesFastProfile(ground, one, ip4);
    return { target: ip4, pids: [pidOf(one), pidOf(other)] };
  },
});

/** What leaves by the daemon's own UDP socket is dropped. */
async function shut(place: Place, udpPort: number | null): Promise<void> {
  if (udpPort === null) throw new Error(`${place.name} has no UDP port`);
  const rules = `table inet shut {
    chain output {
      type filter hook output priority 0; policy accept;
      udp sport ${udpPort} drop
    }
  }`;
  await place.exec('nft -f -', { input: `${rules}\n` });
}
