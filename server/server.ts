// The location server: knows every node, brings them together, carries none of their data (V14). Builds its parts at
// `up`, takes them down at `down`; behind its narrow interface, admin.ts.
import type { Clock } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import type { Log } from '../base/log.ts';
import type { Store } from '../base/store.ts';
import type { Exports } from '../base/store/exports.ts';
import type { SettingShown, SettingsChange } from '../base/settings.ts';
import { toBase64Url } from '../protocol/base64.ts';
import { encodeInvite } from '../protocol/location/invite.ts';
import type { ServerPlaces } from '../protocol/location/messages.ts';
import type { Primitives } from '../protocol/primitives.ts';
import type { TcpPortsDoor } from '../system/doors.ts';
import type {
  ExportedServer,
  ImportOptions,
  InviteOptions,
  InviteSummary,
  IssuedInvite,
  ServerAdmin,
  ServerNode,
  ServerOptions,
  ServerSummary,
} from './admin.ts';
import { serverErrors } from './errors.ts';
import { checkedInvite } from './invite-options.ts';
import { contentsAtRest, exportAtRest, exportOf, refuseListen } from './export.ts';
import type { ExportWishes } from './export.ts';
import { decodeExport } from './export-file.ts';
import type { ExportContents } from './export-file.ts';
import type { AuditedChange } from './audit.ts';
import { accountsOf, certificatesOf } from './log-in-desk.ts';
import type { AccountsAdmin, CertificatesAdmin } from './log-in-admin.ts';
import type { ServerLimits } from './limits.ts';
import type { PortMapper } from './port-mapper.ts';
import { membersAdmin } from './members-admin.ts';
import { relaysAdmin } from './relays/admin.ts';
import { markMoved } from './moving.ts';
import { refuseOtherPool } from './network.ts';
import { openServerSettings, settingsOf } from './settings.ts';
import type { ServerSettings } from './settings.ts';
import { hasState, openRegistry, start } from './start.ts';
import type { Running } from './start.ts';
import { contentsOf, refuseWhereOneIs, takeIn } from './transfer.ts';

export interface CreateServerOptions {
  /** Made where it is missing; holds the keys (0600) and the registry. */
  readonly stateDir: string;
  readonly primitives: Primitives;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  /** Its ports, which other roles of the box may share. */
  readonly tcp: TcpPortsDoor;
  readonly limits?: Partial<ServerLimits>;
  /** Makes the router in front pass ports on; default: nobody does. */
  readonly portMapper?: PortMapper;
  /** Writes are refused when fewer bytes are free; default 4 MiB. */
  readonly keepFreeBytes?: number;
  /** Where the registry is exported to from time to time; absent: nowhere. */
  readonly exportsFolder?: string;
}

export interface LocationServer extends ServerAdmin {
  /** Its newest signed word of where it is; null while it is down. */
  readonly places: ServerPlaces | null;
  /** Where this box's own node measured that it is seen from outside. */
  noteOutside(addresses: readonly string[]): void;
  /** Works with the registry's store, null while the server is down; it neither comes up nor goes down meanwhile. */
  withStore<T>(work: (store: Store | null) => Promise<T>): Promise<T>;
  /** For a back-up of the whole box: of a server that runs or is down; null: there is none, or it moved away. */
  contents(): Promise<ExportContents | null>;
  /** Of the registry; null while the server is down. */
  readonly exports: Exports | null;
}

export function createServer(options: CreateServerOptions): LocationServer {
  return new Server(options);
}

class Server implements LocationServer {
  readonly members = membersAdmin(() => this.#up());
  readonly relays = relaysAdmin(() => this.#up());
  readonly #options: CreateServerOptions;
  #running: Running | null = null;
  /** `up` and `down` one after another. */
  #turns: Promise<unknown> = Promise.resolve();

  constructor(options: CreateServerOptions) {
    this.#options = options;
  }

  summary(): ServerSummary {
    const running = this.#running;
    const counters = this.#options.counters.snapshot();
    if (running === null) return { ...NOTHING, counters };
    const { keys, registry, station, values, health } = running;
    return {
      state: 'up',
      key: toBase64Url(keys.control.publicKey),
      network: keys.network,
      networkName: registry.networkName,
      pool4: registry.pool4,
      port: station.reach.port,
      secondPort: values['second-port'],
      webPort: values['web-port'],
      addresses: station.reach.advertised(),
      networkAddress: lineWith(running, new Uint8Array()),
      seenFromOutside: station.reach.seenFromOutside(),
      forwarding: station.reach.forwarding(),
      nodes: station.nodes(),
      health: health.lines(),
      counters,
    };
  }

  up(wanted: Partial<ServerOptions>): Promise<ServerSummary> {
    return this.#turn(async () => {
      if (this.#running === null)
        this.#running = await start(this.#options, wanted, places => this.#outdated(places));
      else {
        const set = settingsOf(wanted, false);
        refuseOtherPool(this.#running.registry.pool4, wanted.pool4);
        await this.#running.settings.changeSettings({ set });
        await this.#audit(this.#running, settingsChanged({ set }));
      }
      return this.summary();
    });
  }

  down(): Promise<void> {
    return this.#turn(async () => {
      if (this.#running !== null) await this.#stop(this.#running, () => Promise.resolve());
    });
  }

  /** `last` is done once nobody is served any more, before the store closes. */
  async #stop<T>(running: Running, last: (running: Running) => Promise<T>): Promise<T> {
    this.#running = null;
    const { registry, station, health, store, exports } = running;
    health.stop();
    try {
      await registry.keepLastSeen(await station.close()).catch((error: unknown) => {
        this.#options.log.warn('when the boxes were last seen could not be kept', { error });
      });
      return await last(running);
    } finally {
      await exports?.close();
      await store.close();
    }
  }

  settings(): Promise<readonly SettingShown[]> {
    return this.#withSettings(settings => settings.settings(), []);
  }

  /** Errors: SETTING_*, DISK_FULL; SERVER_DOWN where there never was a server. */
  async changeSettings(change: SettingsChange): Promise<readonly SettingShown[]> {
    const changed = await this.#withSettings(settings => settings.changeSettings(change), null);
    if (changed === null) throw serverErrors('SERVER_DOWN');
    if (this.#running !== null) await this.#audit(this.#running, settingsChanged(change));
    return changed;
  }

  /** Errors: SERVER_DOWN, SERVER_OPTIONS, DISK_FULL. */
  async invite(options: Partial<InviteOptions>): Promise<IssuedInvite> {
    const running = this.#up();
    const { token, summary } = await running.registry.invites.add(checkedInvite(options));
    return { ...summary, invite: lineWith(running, token) };
  }

  get accounts(): AccountsAdmin {
    return accountsOf(() => this.#up().registry.accounts);
  }

  get certificates(): CertificatesAdmin {
    return certificatesOf(() => this.#up().registry.certificates);
  }

  invites(): readonly InviteSummary[] {
    return this.#up().registry.invites.list();
  }

  async revokeInvite(id: string): Promise<InviteSummary> {
    return this.#up().registry.invites.revoke(id);
  }

  async approveNode(node: string): Promise<ServerNode> {
    return this.members.approveNode(node);
  }

  /** Two servers with one key would each know half: the one that was left behind stops. */
  #outdated({ addresses, moves }: ServerPlaces): void {
    const { log } = this.#options;
    this.#turn(async () => {
      if (this.#running === null) return;
      log.error(
        serverErrors('SERVER_MOVED', { where: ` (${addresses.join(', ')})`, when: 'before' }).message,
      );
      await this.#stop(this.#running, ({ store, time }) =>
        markMoved(store, { at: time.now(), to: addresses, moves }),
      );
    }).catch((error: unknown) => log.error('the outdated server did not stop cleanly', { error }));
  }

  /** Errors: SERVER_NOT_SET_UP, and the store's. */
  export({ passphrase = null, move = false }: Partial<ExportWishes>): Promise<ExportedServer> {
    const wishes = { passphrase, move };
    return this.#turn(async () => {
      if (this.#running === null) return exportAtRest(this.#options, wishes);
      await this.#audit(this.#running, { what: 'exported', subject: move ? 'to move it' : 'a copy' });
      // Who moves takes along what was said until the last moment: first nobody is served any more.
      if (move) return this.#stop(this.#running, ({ store }) => exportOf(this.#options, store, wishes));
      return exportOf(this.#options, this.#running.store, wishes);
    });
  }

  /** Errors: SERVER_EXISTS, EXPORT_*, and those of `up`. */
  import({ file, passphrase, ...wanted }: ImportOptions): Promise<ServerSummary> {
    return this.#turn(async () => {
      await refuseWhereOneIs(this.#options.stateDir);
      const contents = await decodeExport(file, passphrase ?? null);
      refuseListen(contents, wanted.listen);
      await takeIn(this.#options, contents);
      const running = await start(this.#options, wanted, places => this.#outdated(places));
      this.#running = running;
      await this.#audit(running, { what: 'imported', subject: running.registry.networkName });
      return this.summary();
    });
  }

  contents(): Promise<ExportContents | null> {
    return this.#turn(async () => {
      if (this.#running === null) return contentsAtRest(this.#options);
      await this.#audit(this.#running, { what: 'exported', subject: 'in a back-up of its box' });
      return contentsOf(this.#options.stateDir, this.#running.store);
    });
  }

  withStore<T>(work: (store: Store | null) => Promise<T>): Promise<T> {
    return this.#turn(() => work(this.#running?.store ?? null));
  }

  get exports(): Exports | null {
    return this.#running?.exports ?? null;
  }

  get places(): ServerPlaces | null {
    return this.#running?.station.places ?? null;
  }

  noteOutside(addresses: readonly string[]): void {
    this.#running?.station.reach.setOutside(addresses);
  }

  /** Of what was done already: that it could not be told is no failure of it. */
  async #audit({ registry }: Running, change: AuditedChange | null): Promise<void> {
    if (change === null) return;
    await registry.audit.batch([], change).catch((error: unknown) => {
      this.#options.counters.counter('audit.unwritten').value++;
      this.#options.log.warn('the audit log could not be written', { error });
    });
  }

  #up(): Running {
    if (this.#running === null) throw serverErrors('SERVER_DOWN');
    return this.#running;
  }

  /** Of a server that is down they are read from its store; `otherwise` where there never was one. */
  async #withSettings<T, N>(work: (settings: ServerSettings) => Promise<T>, otherwise: N): Promise<T | N> {
    if (this.#running !== null) return work(this.#running.settings);
    return this.#turn(async () => {
      if (this.#running !== null) return work(this.#running.settings);
      if (!(await hasState(this.#options))) return otherwise;
      const store = await openRegistry(this.#options, false);
      try {
        return await work(await openServerSettings(store));
      } finally {
        await store.close();
      }
    });
  }

  #turn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turns.then(work);
    this.#turns = done.catch(() => undefined);
    return done;
  }
}

function settingsChanged({ set = {}, unset = [] }: SettingsChange): AuditedChange | null {
  const keys = [...Object.keys(set), ...unset];
  return keys.length === 0 ? null : { what: 'settings-changed', subject: keys.join(', ') };
}

const NOTHING = {
  state: 'down',
  key: '',
  network: '',
  networkName: '',
  pool4: '',
  port: 0,
  secondPort: null,
  webPort: null,
  addresses: [],
  networkAddress: '',
  seenFromOutside: [],
  forwarding: null,
  nodes: [],
  health: [],
} as const;

/** An invite with that token; with an empty one, the network's address. */
const lineWith = ({ keys, station }: Running, token: Uint8Array): string =>
  encodeInvite({
    serverKey: keys.control.publicKey,
    serverIdentity: keys.identityKey,
    network: keys.networkBytes,
    token,
    addresses: station.reach.advertised(),
  });
