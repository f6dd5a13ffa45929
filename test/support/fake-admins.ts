// Made-up admins with one peer and one network, so that interface and command are tested without a kernel.
import { nodeHealth } from '../../core/node/health.ts';
import { GinnelError } from '../../base/errors.ts';
import type { SettingShown, SettingsChange } from '../../base/settings.ts';
import type {
  AbilitiesStatus,
  NodeAdmin,
  NodeRelays,
  NodeStatus,
  PathStatus,
  PeerStatus,
  PeerWhy,
  PingEvent,
} from '../../core/admin.ts';
import { NOTHING_CHECKED } from '../../core/contract/nat-report.ts';
import { netcheckSays } from '../../core/node/netcheck-sayings.ts';
import { openNodeSettings } from '../../core/node/settings.ts';
import { says } from '../../core/paths/sayings.ts';
import type {
  ExportedServer,
  ExportOptions,
  ImportOptions,
  InviteSummary,
  ServerAdmin,
  ServerNode,
  ServerSummary,
} from '../../server/admin.ts';
import { openServerSettings } from '../../server/settings.ts';
import type { PluginHost } from '../../core/plugin-host/host.ts';
import { FakeAccounts, fakeCertificates } from './fake-log-ins.ts';
import { memoryStore } from './memory-store.ts';
import { nothingOutside, restingPlugins } from './resting-plugins.ts';
import type { DaemonAdmin, LogLine } from '../../web/daemon-admin.ts';
import { FakeMembers } from './fake-members.ts';
import { fakeNodeRelays, fakeRelays } from './fake-relays.ts';

const RELAYED: PathStatus = {
  label: 'via office-vps',
  class: 'relay',
  transport: 'tcp',
  remote: '203.0.113.5:7443',
  foundBy: 'reflexive',
  rttMs: 61.2,
  loss: 0,
  mtu: 1400,
  mtuBy: 'probed',
};
const DIRECT: PathStatus = {
  label: 'direct UDP',
  class: 'direct',
  transport: 'udp',
  remote: '198.51.100.7:41641',
  foundBy: 'reflexive',
  rttMs: 22.4,
  loss: 0,
  mtu: 1400,
  mtuBy: 'probed',
};

export const ALL_ABILITIES: AbilitiesStatus = {
  ...{ tso: 'yes', uso: 'yes', gso: 'yes', gro: 'yes', fast: 'yes', aes: 'yes' },
};

const NO_CODE = { reasonCode: '', reasonFacts: {} };

export const cellar: PeerStatus = {
  id: 'cellar-id',
  name: 'cellar-router',
  ip4: '10.77.0.3',
  ip6: 'fd6a:91c2:44d0::3',
  state: 'direct',
  path: DIRECT,
  paths: [DIRECT, RELAYED],
  ...{ reason: 'the shortest that answers', reasonCode: '', reasonFacts: {} },
  bytesIn: 1_200_000_000,
  bytesOut: 310_000_000,
  lastHeardSecondsAgo: 0,
  lastSeen: null,
  sessionEstablished: true,
  profile: 'fast',
  cipher: 'aes-256-gcm',
};

export const till: PeerStatus = {
  ...cellar,
  id: 'till-id',
  name: 'shop-till',
  ip4: '10.77.0.9',
  state: 'relayed',
  path: RELAYED,
  ...{ reason: 'both ends have random symmetric NATs', reasonCode: '', reasonFacts: {} },
  lastHeardSecondsAgo: 130,
};

const fail = (code: string): GinnelError =>
  new GinnelError(code, `No. Because. Do this. (${code})`, { retry: code === 'SERVER_AWAY' });

/** What a made-up invite does: `ginnel:used` → INVITE_USED; `ginnel:crash` → an error of our own making. */
function check(invite: string): void {
  if (invite === 'ginnel:used') throw fail('INVITE_USED');
  if (invite === 'ginnel:away') throw fail('SERVER_AWAY');
  if (invite === 'ginnel:crash') throw new RangeError('a bug with a secret path');
}

export class FakeNode implements NodeAdmin {
  readonly #settings = openNodeSettings(memoryStore());
  #state: NodeStatus['state'] = 'down';
  #name = '';
  #joined: boolean;
  /** By `ginnel:removed`. */
  #isRemoved = false;
  pingsEnded = 0;
  closed = 0;

  readonly #onJoined: () => void;

  readonly plugins: PluginHost;

  constructor(joined = false, onJoined: () => void = () => undefined, plugins = restingPlugins()) {
    this.plugins = plugins;
    this.#joined = joined;
    this.#onJoined = onJoined;
  }

  /** How often somebody was about to look. */
  looks = 0;

  look(): Promise<void> {
    this.looks++;
    return Promise.resolve();
  }

  status(): NodeStatus {
    const up = this.#state === 'up';
    return {
      state: this.#state,
      name: this.#name,
      id: 'attic-id',
      network: this.#joined ? 'net-1' : '',
      ip4: this.#joined ? '10.77.0.2' : '',
      ip6: this.#joined ? 'fd6a:91c2:44d0::2' : '',
      door: 'koffi',
      sealing: { 'chacha20-poly1305': 'openssl-lowlevel', 'aes-256-gcm': 'openssl-evp' },
      abilities: up
        ? { ...ALL_ABILITIES, uso: 'no: the kernel lacks it', aes: 'off by GINNEL_WITHOUT' }
        : null,
      tun: up ? 'ginnel0' : '',
      udpPort: up ? 41641 : null,
      server: {
        state: up ? (this.#isRemoved ? 'refused' : 'connected') : 'stopped',
        address: up ? 'home.example.net:7443' : null,
        reason: '',
        heardSecondsAgo: up ? 4 : null,
        rttMs: up ? 20 : null,
      },
      peers: up ? [cellar, till] : [],
      plugins: this.plugins.known(),
      nat: NOTHING_CHECKED,
      health: [
        ...(this.#isRemoved
          ? [
              {
                code: 'NODE_REMOVED',
                severity: 'problem',
                words: 'Removed. (NODE_REMOVED)',
                todo: '',
                facts: {},
              } as const,
            ]
          : []),
        nodeHealth('CLOCK_WRONG', { skew: '3 minutes behind' }),
      ],
    };
  }

  async up(options: { invite?: string; name?: string }): Promise<NodeStatus> {
    await Promise.resolve();
    if (!this.#joined && options.invite === undefined) throw fail('INVITE_NEEDED');
    check(options.invite ?? '');
    this.#joined = true;
    this.#isRemoved =
      options.invite === 'ginnel:removed' || (this.#isRemoved && options.invite === undefined);
    this.#onJoined();
    this.#name = options.name ?? 'attic-nas';
    this.#state = 'up';
    await this.plugins.start(nothingOutside);
    return this.status();
  }

  async down(): Promise<void> {
    await this.plugins.rest();
    this.#state = 'down';
  }

  async *ping(options: { peer: string; count: number }, signal: AbortSignal): AsyncIterable<PingEvent> {
    await Promise.resolve();
    if (![cellar.name, cellar.ip4, 'silent', 'forever'].includes(options.peer)) throw fail('PEER_UNKNOWN');
    try {
      yield* options.peer === 'forever' ? this.#forever(signal) : this.#answers(options.peer, options.count);
    } finally {
      this.pingsEnded++;
    }
  }

  *#answers(peer: string, count: number): Iterable<PingEvent> {
    for (let sequence = 1; sequence <= count; sequence++) {
      if (peer === 'silent') {
        yield { type: 'lost', sequence, reason: 'no answer within 3 s', ...NO_CODE };
        continue;
      }
      if (sequence === 2)
        yield { type: 'path', path: DIRECT, afterMs: 612, reason: 'a direct path answers', ...NO_CODE };
      yield {
        type: 'reply',
        sequence,
        ms: sequence === 1 ? 61.2 : 22.4,
        path: sequence === 1 ? RELAYED : DIRECT,
      };
    }
    yield { type: 'done', sent: count, received: peer === 'silent' ? 0 : count };
  }

  async *#forever(signal: AbortSignal): AsyncIterable<PingEvent> {
    yield { type: 'reply', sequence: 1, ms: 1, path: DIRECT };
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()));
  }

  async netcheck(): ReturnType<NodeAdmin['netcheck']> {
    await Promise.resolve();
    const nat = {
      ...NOTHING_CHECKED,
      takenAt: 1,
      udp: 'yes',
      nat: 'yes',
      mapping: 'endpoint-independent',
    } as const;
    const said = { summary: netcheckSays('sum.steady'), conclusions: [netcheckSays('nat.steady')] };
    return {
      nat: { ...nat, mapped: ['203.0.113.9:41641'] },
      summary: said.summary.words,
      conclusions: ['Direct paths to most homes will work.'],
      said,
    };
  }

  why(peer: string): PeerWhy {
    if (peer === 'nobody') throw fail('PEER_UNKNOWN');
    return {
      lines: [`Tries at ${peer}:`, '1. direct UDP answered after 0.6 s.'],
      reason: says('reason.only', { quality: says('quality.ms', { ms: '22.4' }) }),
      advice: [],
      here: [netcheckSays('sum.steady')],
      there: [netcheckSays('there.steady'), netcheckSays('there.no-ipv6')],
      tries: [{ ...says('try.no-answer'), secondsAgo: 61.5 }],
    };
  }

  relays(): NodeRelays {
    return fakeNodeRelays;
  }

  async settings(): Promise<readonly SettingShown[]> {
    return (await this.#settings).settings();
  }

  async changeSettings(change: SettingsChange): Promise<readonly SettingShown[]> {
    return (await this.#settings).changeSettings(change);
  }

  counters(): Record<string, number> {
    return { 'dataplane.dropped.replay': 1 };
  }

  async close(): Promise<void> {
    this.closed++;
    await this.down();
  }
}

const NODES: readonly ServerNode[] = [
  {
    ...{ id: 'cellar-id', name: 'cellar-router', ip4: '10.77.0.3', ip6: '' },
    ...{ standing: 'member', online: true, lastSeen: 1 },
  },
];

export class FakeServer implements ServerAdmin {
  readonly accounts = new FakeAccounts();
  readonly certificates = fakeCertificates;
  readonly members = new FakeMembers(NODES).admin;
  readonly relays = fakeRelays;
  readonly #settings = openServerSettings(memoryStore());
  #invite: InviteSummary = {
    ...{ id: '0a1b2c3d', note: 'for the cellar', state: 'open', uses: 1, usesLeft: 1, approval: false },
    ...{ issued: Date.UTC(2026, 0, 1), expires: Date.UTC(2026, 0, 2) },
  };
  #state: ServerSummary['state'] = 'down';
  #port = 7443;
  closed = 0;

  summary(): ServerSummary {
    return {
      state: this.#state,
      key: 'public-key',
      network: 'net-1',
      networkName: 'home',
      pool4: '10.77.0.0/16',
      port: this.#port,
      secondPort: null,
      webPort: null,
      addresses: ['home.example.net'],
      networkAddress: 'ginnel:address',
      seenFromOutside: [],
      forwarding: null,
      nodes: this.members.nodes().nodes.map(({ id, name, ip4, ip6, standing, online, lastSeen }) => ({
        ...{ id, name, ip4, ip6, standing, online, lastSeen },
      })),
      health: [],
      counters: { 'server.stun.requests': 12 },
    };
  }

  async up(options: { port?: number }): Promise<ServerSummary> {
    await Promise.resolve();
    if (options.port === 1) throw fail('PORT_TAKEN');
    this.#port = options.port ?? this.#port;
    this.#state = 'up';
    return this.summary();
  }

  async down(): Promise<void> {
    await Promise.resolve();
    this.#state = 'down';
  }

  async export({ passphrase, move = false }: ExportOptions): Promise<ExportedServer> {
    if (move) await this.down();
    const sealed = passphrase !== undefined;
    return {
      file: '{"ginnel":"server export"}\n',
      made: 1,
      networkName: 'home',
      nodes: 1,
      sealed,
      moved: move,
    };
  }

  import({ file, port }: ImportOptions): Promise<ServerSummary> {
    if (!file.startsWith('{"ginnel":')) throw fail('EXPORT_FOREIGN');
    return this.up(port === undefined ? {} : { port });
  }

  async settings(): Promise<readonly SettingShown[]> {
    return (await this.#settings).settings();
  }

  async changeSettings(change: SettingsChange): Promise<readonly SettingShown[]> {
    return (await this.#settings).changeSettings(change);
  }

  async invite(options: { validMs?: number }): ReturnType<ServerAdmin['invite']> {
    await Promise.resolve();
    if (this.#state === 'down') throw fail('SERVER_DOWN');
    this.#invite = { ...this.#invite, state: 'open' };
    const expires = Date.UTC(2026, 0, 1) + (options.validMs ?? 86_400_000);
    return { ...this.#invite, invite: 'ginnel:fresh', expires };
  }

  invites(): readonly InviteSummary[] {
    return [this.#invite];
  }

  async revokeInvite(id: string): ReturnType<ServerAdmin['revokeInvite']> {
    await Promise.resolve();
    if (id !== this.#invite.id) throw fail('INVITE_UNKNOWN');
    this.#invite = { ...this.#invite, state: 'revoked' };
    return this.#invite;
  }

  async approveNode(node: string): ReturnType<ServerAdmin['approveNode']> {
    await Promise.resolve();
    return this.members.approveNode(node);
  }

  async close(): Promise<void> {
    this.closed++;
    await this.down();
  }
}

/** A daemon whose log has two lines, and then no more. */
export class FakeDaemon implements DaemonAdmin {
  followsEnded = 0;

  health(): [] {
    return [];
  }

  figures(): ReturnType<DaemonAdmin['figures']> {
    return { counters: { 'tcp.refused': 1 }, gauges: { 'node.up': 1 }, words: { 'node.up': '1 while up' } };
  }

  async *logs({ follow }: { follow: boolean }, signal: AbortSignal): AsyncIterable<LogLine> {
    const time = '2026-01-01T00:00:00.000Z';
    yield { time, level: 'info', part: '', message: 'ready', facts: { pid: 42 } };
    yield { time, level: 'warn', part: 'node.paths', message: 'silent', facts: {} };
    if (follow) await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()));
    this.followsEnded++;
  }

  bugReport({ mask }: { mask: boolean }): Promise<Record<string, unknown>> {
    return Promise.resolve({ about: { masked: mask } });
  }

  restart(): ReturnType<DaemonAdmin['restart']> {
    return Promise.resolve({ pid: 43 });
  }

  page(): ReturnType<DaemonAdmin['page']> {
    const addresses = ['http://192.168.1.2:7080/', 'http://127.0.0.1:7080/'];
    return Promise.resolve({
      addresses,
      isOn: true,
      problems: [],
      owner: 'none',
      code: 'abcde-23456',
      certificate: null,
    });
  }

  resetOwner(): ReturnType<DaemonAdmin['resetOwner']> {
    return this.page();
  }

  metrics(): ReturnType<DaemonAdmin['metrics']> {
    return Promise.resolve({ address: null, problem: '', token: 'a-secret' });
  }
}
