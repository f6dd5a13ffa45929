// Writes the shell script that builds a planned lab: namespaces, cables, addresses, routes, rules. One process per
// namespace and step keeps two homes under a second.
import { shapeOf } from './kinds.ts';
import { CORE_GATEWAY, SERVER_ADDRESSES, SERVER_ADDRESSES6 } from './plan.ts';
import type { HomePlan, HostPlan, LabPlan, RouterPlan } from './plan.ts';
import { firewall6, routerRules, silentAboutMtu } from './rules.ts';

/** The lowest port of a sequence, and how many come before the end of its range. */
export interface NextPorts {
  readonly lowest?: number;
  readonly before?: number;
}

export interface ScriptOptions {
  readonly serverAddresses: number;
}

/** Settings that every namespace starts with; interfaces made later inherit them. */
const SETTINGS = [
  'ipv4/conf/all/rp_filter 0',
  'ipv4/conf/default/rp_filter 0',
  'ipv4/conf/all/send_redirects 0',
  'ipv4/conf/default/send_redirects 0',
  'ipv6/conf/all/accept_dad 0',
  'ipv6/conf/default/accept_dad 0',
  'ipv6/conf/default/accept_ra 0',
];
const FORWARDING = ['ipv4/ip_forward 1', 'ipv6/conf/all/forwarding 1', 'bridge/bridge-nf-call-iptables 0'];

export function buildScript(plan: LabPlan, options: ScriptOptions): string {
  const routers = [...plan.carriers, ...plan.homes.flatMap(home => home.router ?? [])];
  const hosts = plan.homes.flatMap(home => home.hosts.map(({ name }) => name));
  return [
    'set -eu',
    'settings() { ns=$1; shift; nsenter --net=/run/netns/$ns bash -c \'for s; do f=/proc/sys/net/${s% *}; [ ! -e $f ] || echo ${s#* } >$f; done\' - "$@"; }',
    batch(
      null,
      ['core', 'server', ...routers.map(router => router.name), ...hosts].map(name => `netns add ${name}`),
    ),
    ...['server', ...hosts].map(name => settings(name, SETTINGS)),
    ...['core', ...routers.map(router => router.name)].map(name =>
      settings(name, [...SETTINGS, ...FORWARDING]),
    ),
    batch(null, cables(plan)),
    batch('server', serverLines(options)),
    batch('core', coreLines(plan)),
    ...plan.carriers.map(carrier =>
      batch(carrier.name, [...wanLines(carrier), ...carrierLines(plan, carrier)]),
    ),
    ...plan.homes.flatMap(home => homeScripts(home)),
    ...plan.homes.filter(home => home.shape.traits.includes('pppoe')).map(dropTooBig),
    ...routers.map(router => rulesScript(router)),
  ].join('\n');
}

/** Loads the rules of a router anew, with empty sets; a sequence of ports goes on as `next` says. */
export function rulesScript(router: RouterPlan, next: NextPorts = {}): string {
  const { nat: kind, traits, ipv6 } = shapeOf(router.kind);
  if (kind === null) return '';
  const nat = kind.ports.type === 'sequence' ? { ...kind, ports: { ...kind.ports, ...next } } : kind;
  const rules = routerRules(nat, router.wanAddress, traits, router.forwards) + (ipv6 ? firewall6() : '');
  const timeouts =
    router.udpTimeoutS === null
      ? []
      : [
          settings(
            router.name,
            ['', '_stream'].map(kind => `netfilter/nf_conntrack_udp_timeout${kind} ${router.udpTimeoutS}`),
          ),
        ];
  return [loadRules(router.name, `flush ruleset\n${rules}`), ...timeouts].join('\n');
}

/** Addresses and routes of a router's outer side. */
export function wanLines(router: RouterPlan): string[] {
  const { ipv4 } = shapeOf(router.kind);
  const gateway = gatewayOf(router);
  return [
    'link set lo up',
    `link set wan mtu ${router.wanMtu} up`,
    ...(ipv4
      ? [
          `addr add ${router.wanAddress}/32 dev wan`,
          `route add ${gateway} dev wan scope link`,
          `route add default via ${gateway} dev wan`,
        ]
      : []),
    'addr add fe80::2/64 dev wan nodad',
    'route add default via fe80::1 dev wan',
  ];
}

function gatewayOf(router: RouterPlan): string {
  return router.parent === 'core'
    ? CORE_GATEWAY
    : `192.0.2.${2 + Number(router.parent.slice('carrier'.length))}`;
}

function cables(plan: LabPlan): string[] {
  const cable = (near: string, nearName: string, far: string, farName: string) =>
    `link add ${nearName} netns ${near} type veth peer name ${farName} netns ${far}`;
  return [
    cable('core', 'server', 'server', 'eth0'),
    ...plan.carriers.map(carrier => cable('core', carrier.name, carrier.name, 'wan')),
    ...plan.homes.flatMap(home => {
      if (home.router === null)
        return [cable('core', `home${home.index}`, home.hosts[0]?.name ?? '', 'eth0')];
      const { name, parent } = home.router;
      const side = parent === 'core' ? `home${home.index}` : `lan${home.index}`;
      return [
        cable(parent, side, name, 'wan'),
        ...home.hosts.map((host, port) => cable(name, `port${port}`, host.name, 'eth0')),
      ];
    }),
  ];
}

function serverLines({ serverAddresses }: ScriptOptions): string[] {
  return [
    'link set lo up',
    'link set eth0 up',
    ...SERVER_ADDRESSES.slice(0, serverAddresses).map(address => `addr add ${address}/32 dev eth0`),
    ...SERVER_ADDRESSES6.slice(0, serverAddresses).map(address => `addr add ${address}/128 dev eth0 nodad`),
    `route add ${CORE_GATEWAY} dev eth0 scope link`,
    `route add default via ${CORE_GATEWAY} dev eth0 src ${SERVER_ADDRESSES[0]}`,
    'addr add fe80::2/64 dev eth0 nodad',
    `route add default via fe80::1 dev eth0 src ${SERVER_ADDRESSES6[0]}`,
  ];
}

function coreLines(plan: LabPlan): string[] {
  return [
    'link set lo up',
    ...downLink('server', CORE_GATEWAY, 1500),
    ...SERVER_ADDRESSES.map(address => `route add ${address}/32 dev server`),
    ...SERVER_ADDRESSES6.map(address => `route add ${address}/128 via fe80::2 dev server`),
    ...plan.carriers.flatMap(carrier => [
      ...downLink(carrier.name, CORE_GATEWAY, 1500),
      `route add ${carrier.wanAddress}/32 dev ${carrier.name}`,
    ]),
    ...plan.homes.flatMap(home => coreHomeLines(home)),
  ];
}

function coreHomeLines(home: HomePlan): string[] {
  if (home.carrier !== null)
    return home.prefix6 === null
      ? []
      : [`route add ${home.prefix6}::/64 via fe80::2 dev ${home.carrier.name}`];
  const device = `home${home.index}`;
  return [
    ...downLink(device, CORE_GATEWAY, home.router?.wanMtu ?? 1500),
    `route add ${home.outerAddress}/32 dev ${device}`,
    ...(home.prefix6 === null ? [] : [`route add ${home.prefix6}::/64 via fe80::2 dev ${device}`]),
  ];
}

function carrierLines(plan: LabPlan, carrier: RouterPlan): string[] {
  return plan.homes
    .filter(home => home.carrier === carrier)
    .flatMap(home => [
      ...downLink(`lan${home.index}`, carrier.gateway, home.router?.wanMtu ?? 1500),
      `route add ${home.router?.wanAddress ?? ''}/32 dev lan${home.index}`,
      ...(home.prefix6 === null ? [] : [`route add ${home.prefix6}::/64 via fe80::2 dev lan${home.index}`]),
    ]);
}

function downLink(device: string, gateway: string, mtu: number): string[] {
  return [
    `link set ${device} mtu ${mtu} up`,
    `addr add ${gateway}/32 dev ${device}`,
    `addr add fe80::1/64 dev ${device} nodad`,
  ];
}

function homeScripts(home: HomePlan): string[] {
  const { router } = home;
  if (router === null) return [batch(home.hosts[0]?.name ?? '', publicLines(home))];
  return [
    batch(router.name, [...wanLines(router), ...lanLines(home, router)]),
    ...home.hosts.map(host => batch(host.name, hostLines(home, router, host))),
  ];
}

function publicLines(home: HomePlan): string[] {
  return [
    'link set lo up',
    'link set eth0 up',
    `addr add ${home.outerAddress}/32 dev eth0`,
    `route add ${CORE_GATEWAY} dev eth0 scope link`,
    `route add default via ${CORE_GATEWAY} dev eth0`,
  ];
}

function lanLines(home: HomePlan, router: RouterPlan): string[] {
  return [
    'link add lan type bridge',
    'link set lan up',
    `addr add ${router.gateway}/24 dev lan`,
    ...(home.prefix6 === null ? [] : [`addr add ${home.prefix6}::1/64 dev lan nodad`]),
    ...home.hosts.flatMap((_, port) => [`link set port${port} master lan`, `link set port${port} up`]),
  ];
}

function hostLines(home: HomePlan, { gateway }: RouterPlan, { address, number }: HostPlan): string[] {
  return [
    'link set lo up',
    'link set eth0 up',
    `addr add ${address}/24 dev eth0`,
    `route add default via ${gateway} dev eth0`,
    ...(home.prefix6 === null
      ? []
      : [
          `addr add ${home.prefix6}::${number}/64 dev eth0 nodad`,
          `route add default via ${home.prefix6}::1 dev eth0`,
        ]),
  ];
}

/** PPPoE as it is met in the field: the smaller MTU, and nobody told of it. */
function dropTooBig(home: HomePlan): string {
  return loadRules(home.router?.parent ?? 'core', silentAboutMtu());
}

function loadRules(namespace: string, rules: string): string {
  return `nsenter --net=/run/netns/${namespace} nft -f - <<'RULES'\n${rules}RULES`;
}

function settings(namespace: string, values: readonly string[]): string {
  return `settings ${namespace} ${values.map(value => `'${value}'`).join(' ')}`;
}

function batch(namespace: string | null, lines: readonly string[]): string {
  return `ip ${namespace === null ? '' : `-n ${namespace} `}-batch - <<'LINES'\n${lines.join('\n')}\nLINES`;
}
