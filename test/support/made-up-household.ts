// A household to look at: a made-up node with peers of every state whose traffic moves, and a made-up network around it.
// For pictures of the page, for what is in people's way on it, and for a crowd that is too large for one machine.
import type { NodeStatus, PathStatus, PeerStatus } from '../../core/admin.ts';
import { NOTHING_CHECKED, type NatReport } from '../../core/contract/nat-report.ts';
import type { ServerNode } from '../../server/admin.ts';
import { FakeNode, FakeServer } from './fake-admins.ts';
import { FakeMembers } from './fake-members.ts';
import { fakePeers } from './fake-peers.ts';
import type { PeersAdmin } from '../../web/peers-admin.ts';
import type { InviteSummary } from '../../server/admin.ts';

/** A peer, and what passes between it and this box, in bits per second. */
export interface MadeUpPeer {
  readonly peer: PeerStatus;
  readonly bitsIn: number;
  readonly bitsOut: number;
}

const BITS_IN_MS = 8000;
const DAY_MS = 86_400_000;
const DIRECT_UDP: PathStatus = {
  ...{ label: 'direct UDP', class: 'direct', transport: 'udp', remote: '198.51.100.7:41641' },
  ...{ foundBy: 'reflexive', rttMs: 22.4, loss: 0, mtu: 1400, mtuBy: 'probed' },
};
const RELAY: PathStatus = {
  ...{ ...DIRECT_UDP, label: 'via office-vps', class: 'relay', transport: 'relay-tcp' },
  ...{ remote: '203.0.113.9:7443', foundBy: 'tcp', rttMs: 61.2 },
};
const LAN_UDP: PathStatus = {
  ...{ ...DIRECT_UDP, label: 'LAN UDP', class: 'lan', remote: '192.168.1.7:41641', foundBy: 'host' },
  rttMs: 0.6,
};

type Sketch = readonly [
  name: string,
  state: PeerStatus['state'],
  path: PathStatus | null,
  reason: string,
  bitsIn: number,
  bitsOut: number,
  ago: number | null,
];

const at = (path: PathStatus, rttMs: number, more: Partial<PathStatus> = {}): PathStatus => ({
  ...path,
  rttMs,
  ...more,
});

const SKETCHES: readonly Sketch[] = [
  ['cellar-router', 'direct', at(DIRECT_UDP, 22.4), 'the shortest that answers', 18e6, 2.4e6, 0],
  ['office-vps', 'direct', at(DIRECT_UDP, 9.1, { remote: '203.0.113.9:41641' }), 'the shortest', 3e5, 9e4, 0],
  ['living-room-tv', 'direct', at(LAN_UDP, 0.6), 'both are on one LAN', 0, 4.2e6, 0],
  ['shop-till', 'relayed', at(RELAY, 88.3), 'both ends have random symmetric NATs', 2e5, 6e4, 2],
  ['grandma-nas', 'relayed', at(RELAY, 64), 'UDP does not get out of the peer’s network', 1.4e6, 1e5, 1],
  ['hut', 'trying', null, 'paths are being tried', 0, 0, 41],
  ['workshop', 'idle', null, 'nothing was sent for a while', 0, 0, 1900],
  ['campervan', 'unreachable', null, 'no path answered, and no relay is reached', 0, 0, 7300],
  ['garden-cam', 'offline', null, 'it is not connected to the location server', 0, 0, 259_200],
];

const NAT: NatReport = {
  ...{ ...NOTHING_CHECKED, udp: 'yes', nat: 'yes', mapping: 'endpoint-independent', hairpin: 'no' },
  ...{
    filtering: 'address-and-port-dependent',
    ports: { rule: 'preserved' },
    ipv6: 'no',
    lifetimeMs: 120_000,
  },
  mapped: ['198.51.100.21:41641'],
};

const WHY: Readonly<Record<string, readonly string[]>> = {
  'shop-till': [
    'shop-till is relayed: both NATs pick a new port for every destination (symmetric, ports random): neither end can tell the other where to send',
    'this node: NAT mapping endpoint-independent, filtering address-and-port-dependent, ports preserved; reachable at 192.168.1.2:41641 (host), 198.51.100.21:41641 (reflexive)',
    '14 min ago: it told where it is: 192.168.5.9:41641 (host), 198.51.100.40:29117 (reflexive)',
    '14 min ago: 2 places tried, 5 times each: no answer',
    '13 min ago: guessing: 256 ports opened there, 2,048 tried from here: no guess met the port that the router had picked',
    '13 min ago: via office-vps is used: 88.3 ms',
    'what would help: turn IPv6 on there: the other home has it, and it needs no luck; or give one of the two boxes a port of its own: UPnP, NAT-PMP or PCP in its router, or a UDP port forwarded by hand and named with ginnel set external-addresses.',
  ],
};

/** This box among its peers: bytes grow as their traffic says, from when it came up. */
export class HouseholdNode extends FakeNode {
  readonly #peers: readonly MadeUpPeer[];
  readonly #since = Date.now();

  constructor(peers: readonly MadeUpPeer[], hasJoined = true) {
    super(hasJoined);
    this.#peers = peers;
  }

  override status(): NodeStatus {
    const shown = super.status();
    if (shown.state !== 'up') return shown;
    const ms = Date.now() - this.#since;
    const peers = this.#peers.map(({ peer, bitsIn, bitsOut }, index) => ({
      ...peer,
      bytesIn: peer.bytesIn + Math.round((bitsIn * swayed(ms, index)) / BITS_IN_MS),
      bytesOut: peer.bytesOut + Math.round((bitsOut * swayed(ms, index)) / BITS_IN_MS),
    }));
    return { ...shown, ip6: 'fd6a:91c2:44d0::2', nat: NAT, peers };
  }

  override why(peer: string): readonly string[] {
    const found = this.#peers.find(({ peer: { id, name } }) => id === peer || name === peer);
    return (found && WHY[found.peer.name]) ?? super.why(peer);
  }
}

/** Time that goes a little faster, a little slower: no traffic is even. */
const swayed = (ms: number, index: number): number => ms + 600 * (1 + Math.sin(ms / 3000 + index));

/** The location server of the same network. */
export class HouseholdServer extends FakeServer {
  override readonly members: FakeServer['members'];

  constructor(peers: readonly MadeUpPeer[]) {
    super();
    this.members = new FakeMembers([...peers.map(({ peer }) => memberOf(peer)), WAITING]).admin;
  }

  override invites(): readonly InviteSummary[] {
    const now = Date.now();
    return [
      {
        ...{ id: '0a1b2c3d', note: 'for the hut', state: 'open', uses: 2, usesLeft: 1, approval: false },
        ...{ issued: now - DAY_MS / 2, expires: now + DAY_MS / 2 },
      },
    ];
  }
}

/** An hour of a peer that came over from its relay, and lost one packet on the way. */
export const householdPeers: PeersAdmin = {
  ...fakePeers,
  history: () => {
    const everyMs = 15_000;
    const began = Date.now() - 240 * everyMs;
    const relayed = { class: 'relay', label: 'via office-vps' } as const;
    const direct = { class: 'direct', label: 'direct UDP' } as const;
    const changeAt = 96;
    const samples = Array.from({ length: 240 }, (_, index) => ({
      ...(index < changeAt ? relayed : direct),
      at: began + index * everyMs,
      rttMs: (index < changeAt ? 88 : 31) + 3 * Math.sin(index / 7) + ((index * 7) % 5),
      loss: 0,
    }));
    const at = began + changeAt * everyMs;
    const change = { at, from: relayed.label, to: direct.label, reason: 'a direct path answers' };
    return { everyMs, samples, changes: [change] };
  },
};

const WAITING: ServerNode = {
  ...{ id: 'phone-id', name: 'anna-phone', ip4: '10.77.0.30', ip6: '', standing: 'pending' },
  ...{ online: true, lastSeen: Date.now() },
};

const memberOf = ({ id, name, ip4, ip6, state }: PeerStatus): ServerNode => ({
  ...{ id, name, ip4, ip6, standing: name === 'campervan' ? 'disabled' : 'member' },
  ...{ online: state !== 'offline', lastSeen: Date.now() - (state === 'offline' ? 3 * DAY_MS : 0) },
});

/** The household of the pictures. */
export const household = (): readonly MadeUpPeer[] => SKETCHES.map(sketched);

/** So many peers in all states, for what a large network costs. The same each time. */
export function crowd(count: number): readonly MadeUpPeer[] {
  return Array.from({ length: count }, (_, index) => {
    const [, state, path, reason, bitsIn, bitsOut, ago] = SKETCHES[(index * 7) % SKETCHES.length]!;
    const near = path === null ? null : at(path, 2 + ((index * 37) % 180));
    return sketched([`box-${index + 1}`, state, near, reason, bitsIn, bitsOut, ago], index);
  });
}

function sketched([name, state, path, reason, bitsIn, bitsOut, ago]: Sketch, index: number): MadeUpPeer {
  const isHere = path !== null;
  const paths = path === null ? [] : state === 'relayed' ? [path] : [path, at(RELAY, 61.2)];
  const number = index + 3;
  return {
    peer: {
      ...{ id: `${name}-id`, name, state, path, paths, reason },
      ip4: `10.77.${number >> 8}.${number & 255}`,
      ip6: `fd6a:91c2:44d0::${number.toString(16)}`,
      ...{ bytesIn: bitsIn * 64, bytesOut: bitsOut * 64, lastHeardSecondsAgo: ago },
      lastSeen: state === 'offline' ? Date.now() - (ago ?? 0) * 1000 : null,
      ...{
        sessionEstablished: isHere,
        profile: isHere ? 'fast' : null,
        cipher: isHere ? 'aes-256-gcm' : null,
      },
    },
    bitsIn,
    bitsOut,
  };
}
