// A household to look at: a made-up node with peers of every state whose traffic moves, and a made-up network around it.
// For pictures of the page, for what is in people's way on it, and for a crowd that is too large for one machine.
import type { Said } from '../../base/said.ts';
import type { NodeStatus, PathStatus, PeerStatus, PeerWhy } from '../../core/admin.ts';
import { NOTHING_CHECKED, type NatReport, type NatWords } from '../../core/contract/nat-report.ts';
import { conclusions, otherSide, summary } from '../../core/node/netcheck.ts';
import { says } from '../../core/paths/sayings.ts';
import { UNKNOWN_NAT, verdictOf } from '../../core/paths/verdict.ts';
import type { AuditShown, InviteSummary, ServerNode, ServerSummary } from '../../server/admin.ts';
import type { RelaysShown } from '../../server/relays/admin.ts';
import { FakeNode, FakeServer } from './fake-admins.ts';
import { FakeMembers } from './fake-members.ts';
import { fakePeers } from './fake-peers.ts';
import { fakeRelays } from './fake-relays.ts';
import type { PeersAdmin } from '../../web/peers-admin.ts';

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
  reason: Said,
  bitsIn: number,
  bitsOut: number,
  ago: number | null,
];

const at = (path: PathStatus, rttMs: number, more: Partial<PathStatus> = {}): PathStatus => ({
  ...path,
  rttMs,
  ...more,
});

const quality = (ms: string): Said => says('quality.ms', { ms });
const best = (count: number, ms: string): Said => says('reason.best', { count, quality: quality(ms) });
const viaOffice = says('path.via', { relay: 'office-vps' });
const RANDOM: NatWords = {
  mapping: 'address-and-port-dependent',
  filtering: 'address-and-port-dependent',
  ports: 'random',
};
const KNOWN = {
  nat: { ...UNKNOWN_NAT, mapping: 'endpoint-independent', ports: 'preserved' },
  can: [],
  hasIpv6: false,
};
const HARD = { nat: RANDOM, can: [], hasIpv6: true } as const;
const because = (why: Said): Said => says('reason.because', { path: viaOffice, why });
const THEIRS = verdictOf({ nat: KNOWN.nat, can: [] }, { nat: RANDOM, can: [] }, 'none').said;

const SKETCHES: readonly Sketch[] = [
  ['cellar-router', 'direct', at(DIRECT_UDP, 22.4), best(2, '22.4'), 18e6, 2.4e6, 0],
  ['office-vps', 'direct', at(DIRECT_UDP, 9.1, { remote: '203.0.113.9:41641' }), best(3, '9.1'), 3e5, 9e4, 0],
  ['living-room-tv', 'direct', at(LAN_UDP, 0.6), best(2, '0.6'), 0, 4.2e6, 0],
  ['shop-till', 'relayed', at(RELAY, 88.3), because(THEIRS), 2e5, 6e4, 2],
  ['grandma-nas', 'relayed', at(RELAY, 64), because(says('verdict.blocked-there')), 1.4e6, 1e5, 1],
  ['hut', 'trying', null, says('reason.unused'), 0, 0, 41],
  ['workshop', 'idle', null, says('reason.unused'), 0, 0, 1900],
  ['campervan', 'unreachable', null, says('verdict.no-answer'), 0, 0, 7300],
  ['garden-cam', 'offline', null, says('verdict.offline'), 0, 0, 259_200],
];

const NAT: NatReport = {
  ...{
    ...NOTHING_CHECKED,
    takenAt: 1,
    udp: 'yes',
    nat: 'yes',
    mapping: 'endpoint-independent',
    hairpin: 'no',
  },
  ...{
    filtering: 'address-and-port-dependent',
    ports: { rule: 'preserved' },
    ipv6: 'no',
    lifetimeMs: 120_000,
  },
  mapped: ['198.51.100.21:41641'],
};

const OFFER = says('try.new', { cause: says('cause.packet') });

/** As the core would tell it of a peer in that state. */
function whyOf({ state, name, reasonCode, reasonFacts, reason }: PeerStatus): PeerWhy {
  const isRelayed = state === 'relayed';
  const isBlocked = name === 'grandma-nas';
  const relayed = isBlocked
    ? ['advice.ipv6-here', 'advice.udp-there']
    : ['advice.predict-here', 'advice.predict-there', 'advice.ipv6-here', 'advice.port'];
  const there = isBlocked ? { ...HARD, nat: { ...RANDOM, mapping: 'blocked' } } : HARD;
  const advice = isRelayed ? relayed : state === 'unreachable' ? ['advice.port', 'advice.relay'] : [];
  const failed = says('try.failed', { why: isBlocked ? says('verdict.blocked-there') : THEIRS });
  return {
    lines: [`${name} is ${state}: ${reason}`],
    reason: { code: reasonCode, facts: reasonFacts, words: reason },
    advice: (state === 'offline' ? ['advice.wake'] : advice).map(code => says(code as 'advice.port')),
    here: [summary(NAT, [], false), ...conclusions(NAT)],
    there: state === 'offline' || state === 'idle' ? [] : otherSide(isRelayed ? there : KNOWN),
    tries:
      state === 'idle'
        ? []
        : [
            { ...OFFER, secondsAgo: 840.2 },
            { ...says('try.its-places', { places: says('places.many', { count: 3 }) }), secondsAgo: 839.9 },
            { ...(isRelayed ? failed : says('try.no-answer')), secondsAgo: 812 },
          ],
  };
}

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

  override why(peer: string): PeerWhy {
    const found = this.#peers.find(({ peer: { id, name } }) => id === peer || name === peer);
    return found === undefined ? super.why(peer) : whyOf(found.peer);
  }
}

/** Time that goes a little faster, a little slower: no traffic is even. */
const swayed = (ms: number, index: number): number => ms + 600 * (1 + Math.sin(ms / 3000 + index));

/** The location server of the same network. */
export class HouseholdServer extends FakeServer {
  override readonly members: FakeServer['members'];

  constructor(peers: readonly MadeUpPeer[]) {
    super();
    const { admin } = new FakeMembers([...peers.map(({ peer }) => memberOf(peer)), WAITING]);
    this.members = { ...admin, audit: () => ({ entries: audited(Date.now()) }) };
  }

  override readonly relays: FakeServer['relays'] = { ...fakeRelays, shown: () => RELAYS };

  /** Behind a router that nobody told anything yet. */
  override summary(): ServerSummary {
    const shown = super.summary();
    if (shown.state === 'down') return shown;
    const ports = [shown.port, shown.port + 1];
    const forwarding = { to: '192.168.1.2', tcp: ports, udp: ports, outside: ['198.51.100.21'], mapped: [] };
    return { ...shown, secondPort: shown.port + 1, forwarding: { ...forwarding, reachedAs: null } };
  }

  /** As long as a real one. */
  override async invite(options: { validMs?: number }): ReturnType<FakeServer['invite']> {
    const made = await super.invite(options);
    const text = Buffer.from(Array.from({ length: 162 }, (_, i) => (i * i * 31 + i * 7) & 255));
    const expires = Date.now() + (options.validMs ?? DAY_MS);
    return { ...made, expires, invite: `ginnel:${text.toString('base64url')}` };
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

const RELAYS: RelaysShown = {
  choice: 'balanced',
  relays: [
    {
      ...{ id: 'office-vps-id', name: 'office-vps', region: 'falkenstein', usable: true, problem: '' },
      ...{ door: ['203.0.113.9:7443'], nodes: 4, firsts: 3, mostNodes: 512 },
      ...{ limit: 200e6, spare: 150e6, cpuLoad: 0.05, load: 0.17 },
    },
    ...['cellar-router', 'grandma-nas', 'shop-till', 'workshop'].map(name => noRelay(name, 512)),
    noRelay('living-room-tv', 0),
  ],
};

/** Most boxes of a household; `mostNodes` 0: its owner wants none to come. */
function noRelay(name: string, mostNodes: number): RelaysShown['relays'][number] {
  return {
    ...{ id: `${name}-id`, name, region: '', usable: false, door: [], nodes: 0, firsts: 0, mostNodes },
    problem: 'its TCP door does not answer from outside',
    ...{ limit: null, spare: null, cpuLoad: null, load: null },
  };
}

/** What happened to the network so far, oldest first. */
function audited(now: number): readonly AuditShown[] {
  const told: readonly (readonly [ago: number, AuditShown['what'], by: string, subject: string, string])[] = [
    [9 * DAY_MS, 'network-made', 'owner', 'home', 'the network home was set up'],
    [9 * DAY_MS - 6e4, 'node-joined', 'attic-nas', 'attic-nas', 'attic-nas joined as 10.77.0.2'],
    [4 * DAY_MS, 'invite-made', 'owner', '0a1b2c3d', 'invite 0a1b2c3d was made'],
    [4 * DAY_MS - 9e5, 'invite-used', 'hut', '0a1b2c3d', 'hut came in by invite 0a1b2c3d'],
    [4 * DAY_MS - 9e5, 'node-joined', 'hut', 'hut', 'hut joined as 10.77.0.8'],
    [DAY_MS / 2, 'node-disabled', 'owner', 'campervan', 'campervan was disabled'],
  ];
  return told.map(([ago, what, by, subject, words], index) => ({
    ...{ seq: index + 1, at: now - ago, what, by, subject, facts: {}, words },
  }));
}

/** An hour of a line that changed a quarter of an hour ago: direct before, a gap, through a relay since. */
export const householdPeers: PeersAdmin = {
  ...fakePeers,
  history: () => {
    const everyMs = 15_000;
    const began = Date.now() - 240 * everyMs;
    const direct = { class: 'direct', label: 'direct UDP' } as const;
    const relayed = { class: 'relay', label: 'via office-vps' } as const;
    const [lost, back] = [183, 186];
    const samples = Array.from({ length: 240 }, (_, index) => {
      const at = began + index * everyMs;
      if (index >= lost && index < back)
        return { at, class: 'none', label: '', rttMs: null, loss: 1 } as const;
      const way = index < lost ? direct : relayed;
      return {
        ...way,
        at,
        rttMs: (index < lost ? 31 : 84) + jitter(index),
        loss: index % 53 === 40 ? 0.1 : 0,
      };
    });
    const changes = [
      { at: began + lost * everyMs, from: direct.label, to: '', ...asReason(FELL_SILENT) },
      { at: began + back * everyMs, from: '', to: relayed.label, ...asReason(because(THEIRS)) },
    ];
    return { everyMs, samples, changes };
  },
};

/** Milliseconds as a line at home adds them: mostly few, now and then many; the same each time. */
function jitter(index: number): number {
  const chance = ((Math.imul(index + 1, 0x9e3779b1) >>> 8) & 0xffff) / 0x10000;
  return 2 * Math.sin(index / 19) + 6 * chance ** 3 + (chance > 0.985 ? 30 : 0);
}

const FELL_SILENT = says('reason.lost', { path: says('path.direct', { transport: 'UDP' }) });

const asReason = ({ words, code, facts }: Said) => ({
  ...{ reason: words, reasonCode: code, reasonFacts: facts },
});

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
      ...{ id: `${name}-id`, name, state, path, paths, ...asReason(reason) },
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
