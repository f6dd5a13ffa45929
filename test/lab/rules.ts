// Turns a kind of NAT into the nftables rules of one router. nft 1.0.6 wants a newline before each closing brace.
import type { Admission, NatKind, PortRule, Trait } from './kinds.ts';
import type { Forwards } from './plan.ts';

const TCP_UDP = 'meta l4proto { tcp, udp }';
const HASH_LENGTH = 2048;
const LOWEST_PORT = 20_000;

/** The rules of a router whose outer interface is `wan` and whose inner ones begin with `lan`. */
export function routerRules(
  nat: NatKind,
  wanAddress: string,
  traits: readonly Trait[],
  forwards: Forwards | null = null,
): string {
  const hairpin = traits.includes('hairpin');
  const learns = nat.admits !== 'flow' || hairpin;
  return table('ip lab', [
    ...(learns ? learnedSets(nat.admits) : []),
    chain('pre', 'type nat hook prerouting priority dstnat; policy accept;', [
      ...(forwards?.ports ?? []).map(
        port =>
          `iifname "wan" ip daddr ${wanAddress} ${TCP_UDP} th dport ${port} dnat to ${forwards?.to}:${port}`,
      ),
      ...(nat.admits === 'flow'
        ? []
        : [`iifname "wan" ip daddr ${wanAddress} ${TCP_UDP} ${guard(nat.admits)} ${TO_LEARNED}`]),
      ...(hairpin ? [`iifname "lan*" ip daddr ${wanAddress} ${TCP_UDP} ${TO_LEARNED}`] : []),
    ]),
    chain('post', 'type nat hook postrouting priority srcnat; policy accept;', [
      ...(hairpin
        ? [`iifname "lan*" oifname "lan*" ct status dnat ${TCP_UDP} ${hairpinSource(nat.ports, wanAddress)}`]
        : []),
      `oifname "wan" ${TCP_UDP} ${source(nat.ports, wanAddress)}`,
      'oifname "wan" masquerade',
    ]),
    ...(learns
      ? [chain('learn', 'type filter hook postrouting priority 110; policy accept;', learning(nat.admits))]
      : []),
    chain(
      'input',
      `type filter hook input priority filter; policy ${nat.input === 'accept' ? 'accept' : 'drop'};`,
      [
        'iifname "lo" accept',
        'ct state established,related accept',
        'iifname "lan*" accept',
        OWN_CARD,
        ...(traits.includes('rst') ? ['iifname "wan" meta l4proto tcp reject with tcp reset'] : []),
        ...(traits.includes('icmp') || nat.input === 'reject'
          ? ['iifname "wan" meta l4proto { tcp, udp } reject']
          : []),
      ],
    ),
    chain('forward', 'type filter hook forward priority filter; policy drop;', [
      ...traits.flatMap(trait => FORWARD_TRAITS[trait] ?? []),
      'ct state established,related accept',
      'iifname "lan*" oifname "wan" accept',
      'ct status dnat accept',
    ]),
    chain('output', 'type filter hook output priority filter; policy accept;', [
      ...(traits.includes('pppoe') ? ['icmp type destination-unreachable drop'] : []),
      // Where Ginnel runs on the router.
      ...(traits.includes('noudp') ? [`oifname "wan" ${NO_UDP}`] : []),
    ]),
  ]);
}

/** An IPv6 firewall as homes have it: out goes everything, in come answers and ICMPv6. */
export function firewall6(): string {
  return table('ip6 lab6', [
    chain('input', 'type filter hook input priority filter; policy drop;', [
      'iifname "lo" accept',
      'ct state established,related accept',
      'iifname "lan*" accept',
      'meta l4proto ipv6-icmp accept',
    ]),
    chain('forward', 'type filter hook forward priority filter; policy drop;', [
      'ct state established,related accept',
      'meta l4proto ipv6-icmp accept',
      'iifname "lan*" accept',
    ]),
  ]);
}

/** For the far end of a line with a small MTU: it drops what is too big and tells nobody. */
export function silentAboutMtu(): string {
  return table('ip pppoe', [
    chain('output', 'type filter hook output priority filter; policy accept;', [
      'icmp type destination-unreachable drop',
    ]),
  ]);
}

/** Where Ginnel runs on the router, its packaging opens the firewall to the virtual card. */
const OWN_CARD = 'iifname "ginnel*" accept';

const TO_LEARNED = 'dnat ip to meta l4proto . th dport map @eim';

const NO_UDP = 'meta l4proto udp drop';

const FORWARD_TRAITS: Partial<Record<Trait, readonly string[]>> = {
  noudp: [NO_UDP],
  web: ['tcp dport != { 80, 443 } ct direction original drop', 'meta l4proto != tcp drop'],
  lim: ['ct state new ct count over 256 drop'],
  lim4k: ['ct state new ct count over 4096 drop'],
  loss3: ['numgen random mod 100 < 3 drop'],
};

function source(ports: PortRule, wanAddress: string): string {
  switch (ports.type) {
    case 'kept':
      return 'masquerade';
    case 'range':
      return `snat to ${wanAddress}:10000-30000`;
    case 'random':
      return 'masquerade random,fully-random';
    case 'sequence':
      // `numgen … offset` writes the port byte-swapped: only a map counts right.
      return `snat to ${wanAddress} : numgen inc mod ${ports.length} map ${portMap(sequence(ports))}`;
    case 'perAddress':
      return `snat to ${wanAddress} : jhash ip saddr . th sport . ip daddr mod ${HASH_LENGTH} seed 0x5eed map ${portMap(HASHED)}`;
  }
}

function hairpinSource(ports: PortRule, wanAddress: string): string {
  return `snat to ${wanAddress}${ports.type === 'range' ? ':10000-30000' : ''}`;
}

const HASHED = Array.from({ length: HASH_LENGTH }, (_, index) => LOWEST_PORT + index);

/** Every port of the range once, from so many before its end on. */
export function sequence({
  step,
  lowest,
  length,
  before,
}: Extract<PortRule, { type: 'sequence' }>): number[] {
  const first = step > 0 ? lowest : lowest - step * (length - 1);
  return Array.from({ length }, (_, index) => first + ((length - before + index) % length) * step);
}

function portMap(ports: readonly number[]): string {
  return `{ ${ports.map((port, index) => `${index} : ${port}`).join(', ')}\n}`;
}

function learnedSets(admits: Admission): string[] {
  const lives = 'flags dynamic,timeout; timeout 180s;';
  const sets = [
    `map eim {\n type inet_proto . inet_service : ipv4_addr . inet_service; size 65535; ${lives}\n}`,
  ];
  if (admits === 'address')
    sets.push(`set flt {\n type inet_proto . inet_service . ipv4_addr; size 65535; ${lives}\n}`);
  if (admits === 'addressAndPort')
    sets.push(
      `set flt {\n type inet_proto . inet_service . ipv4_addr . inet_service; size 65535; ${lives}\n}`,
    );
  return sets;
}

/** Sees packets after their source was changed: `th sport` is the outer port. */
function learning(admits: Admission): string[] {
  const out = `oifname "wan" ${TCP_UDP}`;
  const mapping = (direction: string) =>
    `${out} ct direction ${direction} update @eim { meta l4proto . th sport : ct ${direction} ip saddr . ct ${direction} proto-src }`;
  const key = filterKey(admits);
  return [mapping('original'), mapping('reply'), ...(key === null ? [] : [`${out} update @flt { ${key} }`])];
}

function filterKey(admits: Admission): string | null {
  if (admits === 'address') return 'meta l4proto . th sport . ip daddr';
  if (admits === 'addressAndPort') return 'meta l4proto . th sport . ip daddr . th dport';
  return null;
}

function guard(admits: Admission): string {
  if (admits === 'address') return 'meta l4proto . th dport . ip saddr @flt';
  if (admits === 'addressAndPort') return 'meta l4proto . th dport . ip saddr . th sport @flt';
  return '';
}

function table(name: string, parts: readonly string[]): string {
  return `table ${name} {\n${parts.join('\n')}\n}\n`;
}

function chain(name: string, hook: string, rules: readonly string[]): string {
  return `chain ${name} {\n ${hook}\n ${rules.join('\n ')}\n}`;
}
