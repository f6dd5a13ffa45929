// A small internet from kernel namespaces: a server, a core router, homes behind NATs. Call enterLab first.
//
//   const lab = await buildLab({ homes: [{ kind: 'prc' }, { kind: 'seq1' }], delayMs: 20 });
//   await lab.homes[0].host.exec('ping -c 1 203.0.113.1');
//   await lab.stop();
//
// server (203.0.113.1, .2) – core – [carrierN –] routerN (198.51.100.x) – hostN (192.168.1.2)
import { spawn } from 'node:child_process';
import { Delay } from './delay.ts';
import type { Trouble } from './delay.ts';
import { Place } from './place.ts';
import { planLab, SERVER_ADDRESSES, SERVER_ADDRESSES6 } from './plan.ts';
import type { HomeOptions, HomePlan, LabPlan, RouterPlan } from './plan.ts';
import { buildScript, rulesScript, wanLines } from './script.ts';
import type { NextPorts } from './script.ts';

export interface LabOptions extends Partial<Trouble> {
  readonly homes: readonly HomeOptions[];
  readonly server?: {
    /** 1 or 2; with two, RFC 5780's tests are whole. Default 1. */
    readonly addresses?: 1 | 2;
  };
}

export interface Home {
  readonly kind: string;
  /** Where Ginnel runs: the first host, or the router itself (`onrouter`). */
  readonly host: Place;
  /** Everything on its LAN. */
  readonly hosts: readonly Place[];
  /** Null: a public host without a router. */
  readonly router: Place | null;
  readonly carrier: Place | null;
  /** By which the rest of the lab sees it. */
  readonly outerAddress: string;
  /** The far end of its line to the outside, whose counters are those of the line. */
  readonly line: { readonly place: Place; readonly device: string };
  /** Bytes in and out over the line to the outside, by the kernel's count. */
  wanBytes(): Promise<number>;
  /** Forgets every mapping of the home's router, as a full table or a power cut does. */
  flushNat(): Promise<void>;
  /** The router restarts: line down and up, mappings and learnt sets gone. */
  rebootNat(): Promise<void>;
  /** Where the ports of new flows go on, in a home that gives them in sequence; the flows that stand keep theirs. */
  nextPorts(next: NextPorts): Promise<void>;
}

export interface Lab {
  readonly server: Place;
  /** All of its addresses, IPv4 and IPv6. */
  readonly serverAddresses: readonly string[];
  readonly core: Place;
  /** Null: packets cross the core at once. */
  readonly delay: Delay | null;
  readonly homes: readonly Home[];
  /** Makes what passes between two homes cross the server machine's interface, which forwards it. */
  forceThroughServer(one: Home, other: Home): Promise<void>;
  stop(): Promise<void>;
}

/** Builds in well under a second for two homes. One lab at a time per process: the names are fixed. */
export async function buildLab(options: LabOptions): Promise<Lab> {
  const plan = planLab(options.homes);
  const serverAddresses = options.server?.addresses ?? 1;
  await runScript(buildScript(plan, { serverAddresses }));
  const core = new Place('core', 'server', '192.0.2.1');
  const server = new Place('server', 'eth0', SERVER_ADDRESSES[0], SERVER_ADDRESSES6[0]);
  const carriers = new Map(
    plan.carriers.map(carrier => [carrier, new Place(carrier.name, 'wan', carrier.wanAddress)]),
  );
  const homes = plan.homes.map(home => homeOf(home, carriers, core));
  const delay =
    options.delayMs === undefined
      ? null
      : await Delay.start(core, { lossRate: 0, jitterMs: 0, ...options, delayMs: options.delayMs });
  const places = [
    server,
    core,
    ...carriers.values(),
    ...homes.flatMap(home => [...home.hosts, home.router ?? []]).flat(),
  ];
  return {
    server,
    serverAddresses: [SERVER_ADDRESSES, SERVER_ADDRESSES6].flatMap(all => all.slice(0, serverAddresses)),
    core,
    delay,
    homes,
    forceThroughServer: (one, other) => forceThroughServer(plan, { core, server, homes }, one, other),
    stop: () => tearDown(places),
  };
}

function homeOf(plan: HomePlan, carriers: ReadonlyMap<RouterPlan, Place>, core: Place): Home {
  const { router: routerPlan, shape, prefix6 } = plan;
  const router =
    routerPlan === null
      ? null
      : new Place(routerPlan.name, 'wan', routerPlan.wanAddress, prefix6 === null ? '' : `${prefix6}::1`);
  const hosts = plan.hosts.map(
    ({ name, address, number }) =>
      new Place(
        name,
        'eth0',
        address,
        prefix6 === null || routerPlan === null ? '' : `${prefix6}::${number}`,
      ),
  );
  const first = hosts[0];
  if (first === undefined) throw new TypeError('a home has at least one host');
  const host = shape.onRouter && router !== null ? router : first;
  const carrier = plan.carrier === null ? null : (carriers.get(plan.carrier) ?? null);
  return {
    kind: plan.kind,
    host,
    hosts,
    router,
    carrier,
    line:
      carrier === null
        ? { place: core, device: `home${plan.index}` }
        : { place: carrier, device: `lan${plan.index}` },
    outerAddress: plan.outerAddress,
    wanBytes: () => (router ?? host).bytes(),
    flushNat: async () => {
      if (router !== null) await router.exec('conntrack -F');
    },
    rebootNat: async () => {
      if (router === null || routerPlan === null) return;
      await router.exec('ip link set wan down; ip addr flush dev wan');
      await runScript(rulesScript(routerPlan));
      await router.exec('conntrack -F; ip -batch -', { input: wanLines(routerPlan).join('\n') });
    },
    nextPorts: async next => {
      if (routerPlan !== null) await runScript(`set -eu\n${rulesScript(routerPlan, next)}`);
    },
  };
}

async function forceThroughServer(
  plan: LabPlan,
  lab: Pick<Lab, 'core' | 'server' | 'homes'>,
  one: Home,
  other: Home,
): Promise<void> {
  const inner = (home: Home) => {
    const found = plan.homes[lab.homes.indexOf(home)];
    if (found === undefined) throw new TypeError('not a home of this lab');
    return found.carrier?.name ?? `home${found.index}`;
  };
  // Before the delay's rules: each packet still waits once, on its way back from the server.
  const rules = [
    `rule add pref 5 iif ${inner(one)} to ${other.outerAddress} lookup 200`,
    `rule add pref 5 iif ${inner(other)} to ${one.outerAddress} lookup 200`,
    `route replace default via ${SERVER_ADDRESSES[0]} dev server table 200 onlink`,
  ];
  await lab.core.exec('ip -batch -', { input: rules.join('\n') });
  await lab.server.exec('echo 1 > /proc/sys/net/ipv4/ip_forward');
}

async function tearDown(places: readonly Place[]): Promise<void> {
  await Promise.all(places.map(place => place.killChildren()));
  const names = places.map(place => place.name);
  await runScript(
    names
      .map(name => `for pid in $(ip netns pids ${name}); do kill -9 $pid || true; done; ip netns del ${name}`)
      .join('\n'),
  );
}

function runScript(script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const shell = spawn('bash', ['-'], { stdio: ['pipe', 'ignore', 'pipe'] });
    let complaint = '';
    shell.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    shell.once('close', code => {
      if (code === 0) resolve();
      else reject(new Error(`building the lab failed: ${complaint.trim()}`));
    });
    shell.stdin.end(script);
  });
}
