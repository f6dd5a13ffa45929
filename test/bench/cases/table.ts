// Every case of the bench, in the order in which a round goes through them.
import { bareVeth } from '../contenders/veth.ts';
import { ginnelAes, ginnelChacha } from '../contenders/ginnel.ts';
import { n2n } from '../contenders/n2n.ts';
import { nebula } from '../contenders/nebula.ts';
import { openvpn } from '../contenders/openvpn.ts';
import { tinc } from '../contenders/tinc.ts';
import { wireguardGo, withPeers } from '../contenders/wireguard-go.ts';
import type { Case, Stage } from '../case.ts';
import type { Contender } from '../contender.ts';
import { ginnelWithPeers } from '../contenders/ginnel-many.ts';
import { ginnelWebrtc } from '../contenders/ginnel-webrtc.ts';
import { ginnelWithPage } from '../contenders/ginnel-page.ts';
import { ginnelWithServer } from '../contenders/ginnel-server.ts';
import { lan } from './lan.ts';
import { LOSSY, lossy } from './lossy.ts';
import { nogso } from './nogso.ts';
import { page } from './page.ts';
import { idle, ping, pingLoaded } from './quiet.ts';
import { peers } from './peers.ts';
import { both, eight, one, reverse } from './tcp.ts';
import { udp } from './udp.ts';
import { ws } from './ws.ts';

export const everyone = (door: string): readonly Contender[] => [
  bareVeth,
  wireguardGo,
  nebula,
  openvpn,
  n2n,
  tinc,
  ginnelAes(door),
  ginnelChacha(door),
];

const ALL_ROUNDS = Infinity;

export function cases(door: string): readonly Case[] {
  const cable: Stage = {
    name: 'cable',
    homes: [{ kind: 'public' }, { kind: 'public' }],
    contenders: everyone(door),
  };
  const channel: Stage = { ...cable, name: 'channel', contenders: [ginnelWebrtc(door)] };
  return [
    { ...idle, stage: cable, rounds: 1, isQuick: true },
    { ...ping, stage: cable, rounds: ALL_ROUNDS, isQuick: true },
    { ...one, stage: cable, rounds: ALL_ROUNDS, isQuick: true },
    { ...pingLoaded, stage: cable, rounds: 1 },
    { ...eight, stage: cable, rounds: 1 },
    { ...reverse, stage: cable, rounds: 1 },
    { ...both, stage: cable, rounds: 1 },
    { ...udp(64), stage: cable, rounds: 1 },
    { ...udp(1200), stage: cable, rounds: 1 },
    { ...nogso, stage: cable, rounds: 1 },
    { ...lossy, stage: { ...cable, name: 'lossy', trouble: LOSSY }, rounds: 1 },
    ...[10, 1000].map(count => ({
      ...peers(count),
      stage: {
        ...cable,
        name: `${count} peers`,
        contenders: [withPeers(count), ginnelWithPeers(door, count)],
      },
      rounds: 1,
    })),
    {
      ...lan,
      stage: { ...cable, name: 'lan', contenders: [bareVeth, wireguardGo, ginnelAes(door)] },
      rounds: 1,
    },
    { ...idle, name: 'webrtc-idle', stage: channel, rounds: 1 },
    { ...ping, name: 'webrtc-ping', stage: channel, rounds: 1 },
    { ...one, name: 'webrtc-tcp', stage: channel, rounds: ALL_ROUNDS },
    {
      ...lossy,
      name: 'webrtc-lossy',
      stage: { ...channel, name: 'lossy channel', trouble: LOSSY },
      rounds: 1,
    },
    { ...ws, stage: { ...cable, name: 'ws', contenders: [ginnelWithServer(door)] }, rounds: 1 },
    { ...page, stage: { ...cable, name: 'page', contenders: [ginnelWithPage(door)] }, rounds: 1 },
  ];
}
