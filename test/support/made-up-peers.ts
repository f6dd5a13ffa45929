// Made-up boxes for the page: some direct, some through relays, some away, with traffic that changes from second to second.
import type { PathStatus, PeerStatus } from '../../core/admin.ts';

const NAMES = [
  'cellar-router',
  'office-vps',
  'shop-till',
  'garden-cam',
  'studio',
  'grandma',
  'cabin',
  'lab-bench',
];

export interface Rate {
  readonly in: number;
  readonly out: number;
}

export interface MadeUpPeers {
  /** What they are at that moment. */
  at(now: number): { readonly peers: readonly PeerStatus[]; readonly rates: Readonly<Record<string, Rate>> };
}

export function madeUpPeers(count: number): MadeUpPeers {
  const began = Date.now();
  return {
    at: now => {
      const seconds = Math.floor((now - began) / 1000);
      const peers = Array.from({ length: count }, (_, i) => peer(i, seconds));
      const busy = peers.filter((one, i) => one.path !== null && i % 3 === 0);
      const rates = busy.map(({ id }, i) => [id, rate(i, seconds)] as const);
      return { peers, rates: Object.fromEntries(rates) };
    },
  };
}

function peer(i: number, seconds: number): PeerStatus {
  const state = stateOf(i, seconds);
  const rtt = 4 + ((i * 37) % 180) + (seconds % 3);
  const path = state === 'relayed' ? relayed(rtt + 30) : state === 'direct' ? direct(i, rtt) : null;
  const nameOf = NAMES[i % NAMES.length] ?? 'box';
  return {
    id: `peer-${i}`,
    name: i < NAMES.length ? nameOf : `${nameOf}-${i}`,
    ip4: `10.77.${Math.floor((i + 3) / 250)}.${((i + 3) % 250) + 1}`,
    ip6: `fd6a:91c2:44d0::${(i + 3).toString(16)}`,
    state,
    path,
    paths: path === null ? [] : state === 'direct' ? [path, relayed(rtt + 31)] : [path],
    reason: state === 'relayed' ? 'both ends have random symmetric NATs' : 'the shortest that answers',
    ...{ reasonCode: '', reasonFacts: {} },
    bytesIn: i * 7_300_000 + seconds * 20_000,
    bytesOut: i * 2_100_000 + seconds * 5000,
    lastHeardSecondsAgo: state === 'offline' ? 86_400 * (1 + (i % 5)) : path === null ? null : i % 2,
    lastSeen: state === 'offline' ? Date.now() - 86_400_000 * (1 + (i % 5)) : null,
    sessionEstablished: path !== null,
    profile: path === null ? null : 'fast',
    cipher: path === null ? null : 'chacha20-poly1305',
  };
}

/** `shop-till` begins behind a relay and becomes direct after a quarter of a minute. */
function stateOf(i: number, seconds: number): PeerStatus['state'] {
  if (i === 1) return 'direct';
  if (i === 2) return seconds % 40 < 15 ? 'relayed' : 'direct';
  if (i % 11 === 3) return 'offline';
  if (i % 17 === 8) return 'idle';
  if (i % 29 === 9) return 'unreachable';
  return i % 5 === 4 ? 'relayed' : 'direct';
}

const rate = (i: number, seconds: number): Rate => ({
  in: 10 ** (3 + ((i + seconds) % 6)),
  out: 10 ** (2 + ((i * 3 + seconds) % 5)),
});

const around = { loss: 0, mtu: 1400, mtuBy: 'probed' } as const;

const direct = (i: number, rttMs: number): PathStatus =>
  i % 13 === 0
    ? {
        label: 'LAN UDP',
        class: 'lan',
        transport: 'udp',
        remote: `192.168.1.${i % 250}:41641`,
        foundBy: 'host',
        rttMs: rttMs / 20,
        ...around,
      }
    : {
        label: 'direct UDP',
        class: 'direct',
        transport: 'udp',
        remote: `198.51.100.${i % 250}:41641`,
        foundBy: 'reflexive',
        rttMs,
        ...around,
      };

const relayed = (rttMs: number): PathStatus => ({
  ...{ label: 'via office-vps', class: 'relay', transport: 'relay-tcp', remote: '203.0.113.5:7443' },
  ...{ foundBy: 'reflexive', rttMs, ...around },
});
