// nat-portmap: has the home's router pass this box's ports on (V6), by PCP, NAT-PMP or UPnP, whichever it speaks. What is got
// that way is told to others only where the outside view agrees that it is reached.
import { setMaxListeners } from 'node:events';
import type { Timer } from '../../base/clock.ts';
import type { Candidate } from '../../core/contract/candidate.ts';
import { NOTHING_CHECKED, type NatReport } from '../../core/contract/nat-report.ts';
import type {
  Gateway,
  MappedPort,
  PluginContext,
  PluginReport,
  TraversalPlugin,
  WantedPort,
} from '../../core/contract/plugin.ts';
import { formatEndpoint, type Endpoint } from '../../protocol/address.ts';
import { Kept } from './kept.ts';
import { askOutside, judge, type Verdict } from './outside.ts';
import { Router, type Mapping } from './router.ts';
import { readSettings, type PortmapSettings } from './settings.ts';
import { words, type RouterWords } from './words.ts';

export function createPlugin(context: PluginContext): TraversalPlugin {
  return new NatPortmap(context);
}

/** `start` waits no longer than this for the router; the asking goes on. */
const START_PATIENCE_MS = 1_500;
/** The outside view is taken again while it does not agree with the router. */
const DOUBT_MS = 60_000;
/** The network comes to rest. */
const SETTLE_MS = 500;

class NatPortmap implements TraversalPlugin {
  readonly #context: PluginContext;
  readonly #kept: Kept;
  readonly #listeners = new Set<() => void>();
  readonly #ended = new AbortController();
  #settings: PortmapSettings;
  #routers: readonly Router[] = [];
  /** Those that are being left: what they made is taken back. */
  readonly #leaving = new Set<Promise<void>>();
  #seen: readonly string[] = [];
  /** Of the router as it was when the outside view was taken. */
  #asked = '';
  #timers: { doubt: Timer | null; settle: Timer | null } = { doubt: null, settle: null };
  #unsubscribe: readonly (() => void)[] = [];

  constructor(context: PluginContext) {
    this.#context = context;
    this.#settings = readSettings(context.settings);
    this.#kept = new Kept(context);
    setMaxListeners(64, this.#ended.signal);
    const abort = (): void => this.#abort();
    if (context.signal.aborted) abort();
    else context.signal.addEventListener('abort', abort, { once: true });
  }

  // ---- life

  async start(signal: AbortSignal): Promise<void> {
    const { home, stun, clock } = this.#context;
    await this.#kept.load();
    if (signal.aborted || this.#ended.signal.aborted) return;
    this.#unsubscribe = [
      home.onChange(() => this.#networkChanged()),
      stun.onChange(() => this.#lookOutside()),
    ];
    this.#follow();
    const patience = new Promise<void>(resolve => {
      const timer = clock.after(START_PATIENCE_MS, resolve);
      const ended = (): void => {
        timer.cancel();
        resolve();
      };
      this.#ended.signal.addEventListener('abort', ended, { once: true });
    });
    await Promise.race([Promise.all(this.#routers.map(({ settled }) => settled)), patience]);
  }

  async stop(): Promise<void> {
    const routers = this.#routers;
    this.#routers = [];
    this.#end();
    await Promise.all([...routers.map(router => router.end()), ...this.#leaving]);
  }

  async reconfigure(settings: Readonly<Record<string, unknown>>): Promise<void> {
    this.#settings = readSettings(settings);
    this.#leave(this.#routers);
    this.#routers = [];
    await Promise.all(this.#leaving);
    this.#follow();
  }

  #abort(): void {
    this.#end();
    for (const router of this.#routers) router.abort();
  }

  #end(): void {
    this.#ended.abort();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe = [];
    this.#timers.doubt?.cancel();
    this.#timers.settle?.cancel();
  }

  // ---- what is wanted of whom

  #networkChanged(): void {
    if (this.#ended.signal.aborted) return;
    this.#timers.settle ??= this.#context.clock.after(SETTLE_MS, () => {
      this.#timers.settle = null;
      this.#follow();
      for (const router of this.#routers) router.wake();
    });
  }

  /** One router for each gateway that is there now; what others made is taken back. */
  #follow(): void {
    if (this.#ended.signal.aborted) return;
    const { home } = this.#context;
    const gateways = this.#settings.protocols.length === 0 ? [] : home.gateways();
    const wanted = this.#wanted();
    const left = this.#routers.filter(({ gateway }) => !gateways.some(each => sameGateway(each, gateway)));
    const kept = this.#routers.filter(router => !left.includes(router));
    for (const router of kept) router.setWanted(wanted);
    const fresh = gateways
      .filter(each => !kept.some(({ gateway }) => sameGateway(each, gateway)))
      .map(gateway => this.#router(gateway));
    this.#routers = [...kept, ...fresh];
    this.#leave(left);
    for (const router of fresh) router.begin(wanted);
    if (left.length > 0) this.#changed();
  }

  #leave(routers: readonly Router[]): void {
    for (const router of routers) {
      const left = router.end().finally(() => this.#leaving.delete(left));
      this.#leaving.add(left);
    }
  }

  #router(gateway: Gateway): Router {
    const { clock, random, log, counters } = this.#context;
    const { protocols, leaseS } = this.#settings;
    return new Router({
      ...{ gateway, clock, random, log, counters, protocols, leaseS },
      kept: this.#kept,
      changed: () => this.#routerChanged(),
    });
  }

  /** Each port once, whoever wants it. */
  #wanted(): readonly WantedPort[] {
    const ports = this.#context.home.ports();
    const wanted = ports.filter(({ purpose }) => purpose !== 'server' || this.#settings.server);
    return [...new Map(wanted.map(each => [`${each.transport} ${each.port}`, each])).values()];
  }

  // ---- the outside view

  #routerChanged(): void {
    if (this.#ended.signal.aborted) return;
    if (this.#routerAddress() === this.#asked) this.#changed();
    else this.#lookOutside();
  }

  /** As the IPv4 router says it. */
  #routerAddress(): string {
    const mappings = this.#routers.flatMap(({ mappings: made }) => made);
    return mappings.find(({ outer }) => outer.family === 4)?.outer.address ?? '';
  }

  #lookOutside(): void {
    this.#takeOutside().catch((error: unknown) =>
      this.#context.log.debug('the outside view could not be taken', { reason: String(error) }),
    );
  }

  async #takeOutside(): Promise<void> {
    const { clock } = this.#context;
    const { signal } = this.#ended;
    const asked = this.#routerAddress();
    const seen = asked === '' ? [] : await askOutside(this.#context, signal);
    if (signal.aborted) return;
    const isOther = this.#seen.length > 0 && !seen.some(address => this.#seen.includes(address));
    this.#seen = seen;
    this.#asked = asked;
    if (isOther && seen.length > 0) for (const router of this.#routers) router.renew();
    this.#timers.doubt?.cancel();
    const isDoubtful = asked !== '' && (seen.length === 0 || this.#verdict(asked) !== 'reached');
    this.#timers.doubt = isDoubtful ? clock.after(DOUBT_MS, () => this.#lookOutside()) : null;
    this.#changed();
  }

  #verdict(address: string): Verdict {
    const own = this.#context.stun.localAddresses().map(each => each.address);
    return judge(address, { seen: this.#seen, own });
  }

  // ---- what is told

  /** Those that the outside gets to. A hole in an IPv6 firewall is at this box's own address, or it is none. */
  #reached(): readonly Mapping[] {
    return this.#routers.flatMap(({ gateway, mappings }) =>
      mappings.filter(({ outer }) =>
        outer.family === 6
          ? outer.address === gateway.local
          : outer.address === this.#asked && this.#verdict(outer.address) === 'reached',
      ),
    );
  }

  #changed(): void {
    const mapped = this.#reached().map(({ transport, port, outer }): MappedPort => ({
      transport,
      port,
      outer,
    }));
    this.#context.home.tell(mapped);
    for (const listener of [...this.#listeners]) listener();
  }

  candidates(): readonly Candidate[] {
    const ports = this.#context.home.ports();
    const isOfNode = ({ transport, port }: Mapping): boolean =>
      ports.some(each => each.transport === transport && each.port === port && each.purpose !== 'server');
    return this.#reached()
      .filter(isOfNode)
      .map(({ transport, outer }) => ({
        ...{ kind: 'mapped', transport, endpoint: outer },
        foundBy: 'nat-portmap',
      }));
  }

  /** It measures nothing of the NAT; what a person should know goes beside what others measured. */
  natReport(): NatReport {
    return { ...NOTHING_CHECKED, notes: words(this.#words()).notes };
  }

  async refresh(depth: 'quick' | 'full', signal?: AbortSignal): Promise<void> {
    if (this.#ended.signal.aborted || signal?.aborted === true) return;
    if (depth === 'full') for (const router of this.#routers) router.wake();
    await this.#takeOutside();
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  report(): PluginReport {
    const { state, code } = words(this.#words());
    const reached = new Set(this.#reached().map(({ transport, outer }) => placeOf(transport, outer)));
    const routers = this.#routers.map(({ gateway, state: how, answer, mappings }) => ({
      ...{ gateway: gateway.address, state: how, answer },
      ports: mappings.map(mapping => ({
        ...{ transport: mapping.transport, port: mapping.port, by: mapping.protocol },
        ...{
          outside: formatEndpoint(mapping.outer),
          isReached: reached.has(placeOf(mapping.transport, mapping.outer)),
        },
      })),
    }));
    return { state, code, facts: { routers, seen: this.#seen } };
  }

  #words(): RouterWords[] {
    return this.#routers.map(({ gateway, state, answer, mappings }) => {
      const [first] = mappings;
      const address = first?.outer.address ?? '';
      return {
        ...{ family: gateway.family, state, answer, address, seen: this.#seen },
        verdict: gateway.family === 6 || state !== 'mapped' ? 'reached' : this.#verdict(address),
      };
    });
  }
}

const placeOf = (transport: string, outer: Endpoint): string => `${transport} ${formatEndpoint(outer)}`;

const sameGateway = (one: Gateway, other: Gateway): boolean =>
  one.family === other.family && one.address === other.address && one.local === other.local;
