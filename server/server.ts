// The location server: knows every node, brings them together, carries none of their data (V14). Builds its parts at
// `up`, takes them down at `down`; behind its narrow interface, admin.ts.
import { mkdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import { isDiskFull } from '../base/disk.ts';
import { baseErrors } from '../base/errors.ts';
import { examineFolder } from '../base/level-folder.ts';
import type { Log } from '../base/log.ts';
import type { SettingShown, SettingsChange } from '../base/settings.ts';
import { openStore } from '../base/store.ts';
import type { Store } from '../base/store.ts';
import { toBase64Url } from '../protocol/base64.ts';
import { encodeInvite } from '../protocol/location/invite.ts';
import type { Primitives } from '../protocol/primitives.ts';
import type {
  InviteOptions,
  IssuedInvite,
  ServerAdmin,
  ServerNode,
  ServerOptions,
  ServerSummary,
} from './admin.ts';
import { serverErrors } from './errors.ts';
import { openKeys } from './keys.ts';
import type { ServerKeys } from './keys.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import type { ServerLimits } from './limits.ts';
import { localNetworks, machineAddresses } from './machine-addresses.ts';
import { Registry } from './registry.ts';
import { openServerSettings, settingsOf } from './settings.ts';
import type { ServerSettings, ServerValues } from './settings.ts';
import { Station } from './station.ts';
import { ServerTime } from './time.ts';

export interface CreateServerOptions {
  /** Made where it is missing; holds the keys (0600) and the registry. */
  readonly stateDir: string;
  readonly primitives: Primitives;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly limits?: Partial<ServerLimits>;
  /** True: somebody else listens on the TCP port and hands connections to `accept`. Then the port must be given. */
  readonly sharedTcp?: boolean;
  /** Writes are refused when fewer bytes are free; default 4 MiB. */
  readonly keepFreeBytes?: number;
}

export interface LocationServer extends ServerAdmin {
  /** Takes over a TCP connection that came to a shared port, nothing read of it. Dropped while the server is down. */
  accept(socket: Socket): void;
}

export function createServer(options: CreateServerOptions): LocationServer {
  return new Server(options);
}

const DAY_MS = 86_400_000;
const INVITE_MAX_MS = 366 * DAY_MS;
const TOKEN_BYTES = 16;

interface Running {
  readonly store: Store;
  readonly keys: ServerKeys;
  readonly settings: ServerSettings;
  /** What it was started with. */
  readonly values: ServerValues;
  readonly registry: Registry;
  readonly station: Station;
  readonly time: ServerTime;
}

class Server implements LocationServer {
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
    const { keys, registry, station, values } = running;
    return {
      state: 'up',
      key: toBase64Url(keys.control.publicKey),
      network: keys.network,
      networkName: registry.networkName,
      pool4: registry.pool4,
      port: station.port,
      secondPort: values['second-port'],
      addresses: station.advertised(),
      seenFromOutside: station.seenFromOutside(),
      nodes: station.nodes(),
      counters,
    };
  }

  up(wanted: Partial<ServerOptions>): Promise<ServerSummary> {
    return this.#turn(async () => {
      if (this.#running === null) this.#running = await this.#start(wanted);
      else await this.#running.settings.changeSettings({ set: settingsOf(wanted, false) });
      return this.summary();
    });
  }

  down(): Promise<void> {
    return this.#turn(async () => {
      const running = this.#running;
      this.#running = null;
      if (running === null) return;
      try {
        await running.registry.keepLastSeen(await running.station.close());
      } catch (error) {
        this.#options.log.warn('when the boxes were last seen could not be kept', { error });
      } finally {
        await running.store.close();
      }
    });
  }

  settings(): Promise<readonly SettingShown[]> {
    return this.#withSettings(settings => settings.settings(), []);
  }

  /** Errors: SETTING_*, DISK_FULL; SERVER_DOWN where there never was a server. */
  async changeSettings(change: SettingsChange): Promise<readonly SettingShown[]> {
    const changed = await this.#withSettings(settings => settings.changeSettings(change), null);
    if (changed === null) throw serverErrors('SERVER_DOWN');
    return changed;
  }

  /** Errors: SERVER_DOWN, SERVER_OPTIONS, DISK_FULL. */
  async invite({ validMs = DAY_MS }: Partial<InviteOptions>): Promise<IssuedInvite> {
    const { keys, registry, station } = this.#up();
    if (!Number.isSafeInteger(validMs) || validMs < 1000 || validMs > INVITE_MAX_MS) {
      throw serverErrors('SERVER_OPTIONS', { problem: 'an invite is valid for one second to one year' });
    }
    const token = this.#options.primitives.randomBytes(TOKEN_BYTES);
    const expires = await registry.invites.add(token, validMs);
    const invite = encodeInvite({
      serverKey: keys.control.publicKey,
      serverIdentity: keys.identityKey,
      network: keys.networkBytes,
      token,
      addresses: station.advertised(),
    });
    return { invite, expires };
  }

  /** Errors: SERVER_DOWN, NODE_UNKNOWN, and the store's. */
  async approveNode(node: string): Promise<ServerNode> {
    const { registry, station } = this.#up();
    const entry = registry.find(node);
    if (entry === undefined) throw serverErrors('NODE_UNKNOWN');
    const approved = await registry.approve(entry.id);
    station.letIn(entry.id);
    return station.nodeOf(approved);
  }

  accept(socket: Socket): void {
    if (this.#running === null) socket.destroy();
    else this.#running.station.accept(socket);
  }

  #up(): Running {
    if (this.#running === null) throw serverErrors('SERVER_DOWN');
    return this.#running;
  }

  async #start(wanted: Partial<ServerOptions>): Promise<Running> {
    const { stateDir, primitives } = this.#options;
    await makeFolder(stateDir);
    const state = await examineFolder(this.#registryPath);
    const keys = await openKeys(primitives, stateDir, state === 'never');
    const store = await this.#openStore(state === 'never');
    try {
      return await this.#startOn(store, keys, wanted, state === 'never');
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  get #registryPath(): string {
    return join(this.#options.stateDir, 'registry');
  }

  #openStore(firstSetUp: boolean): Promise<Store> {
    const { counters, keepFreeBytes } = this.#options;
    const room = keepFreeBytes === undefined ? {} : { keepFreeBytes };
    return openStore({ path: this.#registryPath, firstSetUp, counters, ...room });
  }

  /** Of a server that is down they are read from its store; `otherwise` where there never was one. */
  async #withSettings<T, N>(work: (settings: ServerSettings) => Promise<T>, otherwise: N): Promise<T | N> {
    if (this.#running !== null) return work(this.#running.settings);
    return this.#turn(async () => {
      if (this.#running !== null) return work(this.#running.settings);
      if ((await examineFolder(this.#registryPath)) === 'never') return otherwise;
      const store = await this.#openStore(false);
      try {
        return await work(await openServerSettings(store));
      } finally {
        await store.close();
      }
    });
  }

  async #startOn(
    store: Store,
    keys: ServerKeys,
    wanted: Partial<ServerOptions>,
    isFirst: boolean,
  ): Promise<Running> {
    const { primitives, clock, counters, log } = this.#options;
    const time = new ServerTime(clock);
    const settings = await openServerSettings(store);
    const set = settingsOf(wanted, isFirst);
    const values = settings.tried({ set });
    const scoped = store.scope(`net/${keys.network}/`);
    const setUp = {
      pool4: wanted.pool4,
      networkName: wanted.networkName,
      localNetworks: localNetworks(machineAddresses()),
    };
    const registry = await Registry.open(
      { store: scoped, primitives, keys, time, clock, counters, log },
      setUp,
    );
    if (!time.isRight()) {
      log.warn(serverErrors('SERVER_CLOCK', { shown: new Date(time.now()).toISOString() }).message);
    }
    const limits = { ...DEFAULT_LIMITS, ...this.#options.limits };
    const sharedTcp = this.#options.sharedTcp ?? false;
    const station = new Station({
      primitives,
      clock,
      counters,
      log,
      limits,
      keys,
      registry,
      time,
      settings: values,
      sharedTcp,
    });
    await station.open();
    try {
      await settings.changeSettings({ set });
    } catch (error) {
      await station.close();
      throw error;
    }
    settings.started(values);
    settings.onChange(() => station.setAdvertise(settings.values.advertise));
    return { store, keys, settings, values, registry, station, time };
  }

  #turn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turns.then(work);
    this.#turns = done.catch(() => undefined);
    return done;
  }
}

const NOTHING = {
  state: 'down',
  key: '',
  network: '',
  networkName: '',
  pool4: '',
  port: 0,
  secondPort: null,
  addresses: [],
  seenFromOutside: [],
  nodes: [],
} as const;

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (isDiskFull(error)) throw baseErrors('DISK_FULL', { path, freeBytes: 0 }, error);
    const problem = error instanceof Error ? error.message : String(error);
    throw baseErrors('STORE_UNREADABLE', { path, problem }, error);
  }
}
