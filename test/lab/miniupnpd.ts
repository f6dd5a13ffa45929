// A router's port mapping by somebody else: Debian's miniupnpd in a home's router, as a household has it. Its mappings are
// real rules of the kernel, which is where this looks for them.
import { existsSync, writeFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { formatIp } from '../../protocol/ip/address.ts';
import { endOf, type Place } from './place.ts';
import { until } from './waiting.ts';
import { LAB_FOLDER } from './wrapper.ts';

export const MINIUPNPD_TOOLS = { miniupnpd: 'miniupnpd-nftables' };

const BOUND_MS = 5_000;
/** It fills these; without them it says that it did, and did not. */
const CHAINS = `
table inet miniupnpd {
 chain forward {
  type filter hook forward priority 0; policy accept;
  jump miniupnpd
  meta nfproto ipv6 iifname "wan" ct state new meta l4proto { tcp, udp } drop
 }
 chain miniupnpd {
 }
 chain prerouting {
  type nat hook prerouting priority -100; policy accept;
  jump prerouting_miniupnpd
 }
 chain postrouting {
  type nat hook postrouting priority 100; policy accept;
  jump postrouting_miniupnpd
 }
 chain prerouting_miniupnpd {
 }
 chain postrouting_miniupnpd {
 }
}
`;

export class Miniupnpd {
  readonly #router: Place;
  readonly #files: string;
  #child: ChildProcess | null = null;

  private constructor(router: Place) {
    this.#router = router;
    this.#files = `${LAB_FOLDER}/miniupnpd-${router.name}`;
  }

  /** In a router whose inner card is `lan`; `more`: further lines of its settings. */
  static async start(router: Place, more: readonly string[] = []): Promise<Miniupnpd> {
    const made = new Miniupnpd(router);
    await router.exec('ip route add 239.0.0.0/8 dev lan');
    const lines = [
      ...['ext_ifname=wan', 'listening_ip=lan', 'enable_natpmp=yes', 'enable_upnp=yes', 'secure_mode=yes'],
      ...['upnp_table_name=miniupnpd', 'upnp_nat_table_name=miniupnpd', 'system_uptime=no', 'http_port=5000'],
      ...['min_lifetime=120', 'max_lifetime=86400', 'uuid=b4a45b5e-4f4f-4a43-8a8e-000000000001'],
      ...['allow 1024-65535 192.168.1.0/24 1024-65535', 'deny 0-65535 0.0.0.0/0 0-65535'],
      ...more,
    ];
    writeFileSync(`${made.#files}.conf`, `${lines.join('\n')}\n`);
    await made.start();
    return made;
  }

  /** As after a power cut: it begins with nothing. */
  async start(): Promise<void> {
    await this.#router.exec('nft delete table inet miniupnpd 2>/dev/null; nft -f -', { input: CHAINS });
    const log = process.env['MINIUPNPD_LOG'] === undefined ? 'ignore' : 'inherit';
    this.#child = this.#router.spawn(
      'miniupnpd',
      ['-d', '-f', `${this.#files}.conf`, '-P', `${this.#files}.pid`],
      { stdio: ['ignore', log, log] },
    );
    await until('miniupnpd', BOUND_MS, () => existsSync(`${this.#files}.pid`));
  }

  async kill(): Promise<void> {
    const child = this.#child;
    child?.kill('SIGKILL');
    if (child !== null) await endOf(child);
    this.#child = null;
    await this.#router.exec(`rm -f ${this.#files}.pid; nft delete table inet miniupnpd`);
  }

  /** The kernel's own rules that lead in: `udp 41641 to 192.168.1.2:41641`, sorted. */
  async rules(): Promise<string[]> {
    const { stdout } = await this.#router.exec('nft list chain inet miniupnpd prerouting_miniupnpd', {
      mayFail: true,
    });
    return rulesIn(stdout, /dnat ip to ([\d.]+:\d+)/);
  }

  /** Holes in the IPv6 firewall: `udp 41641 to 2001:db8:10::2`, sorted. */
  async holes(): Promise<string[]> {
    const { stdout } = await this.#router.exec('nft list chain inet miniupnpd miniupnpd', { mayFail: true });
    return rulesIn(stdout, /@nh,192,128 0x([\da-f]{32})/);
  }
}

const PROTOCOLS: Readonly<Record<string, string>> = { '0x6': 'tcp', '0x11': 'udp', '6': 'tcp', '17': 'udp' };

/** nft has no words for what it put there, but shows where in the IP header to look: the protocol, the destination. */
function rulesIn(listing: string, where: RegExp): string[] {
  return listing
    .split('\n')
    .flatMap(line => {
      const transport = /(?:@nh,72,8|@nh,48,8|meta l4proto|ip6 nexthdr) (\w+)/.exec(line)?.[1] ?? '';
      const port = /dport (\d+)/.exec(line)?.[1];
      const to = plain(where.exec(line)?.[1]);
      return port === undefined || to === undefined
        ? []
        : [`${PROTOCOLS[transport] ?? transport} ${port} to ${to}`];
    })
    .sort();
}

const plain = (text: string | undefined): string | undefined =>
  text !== undefined && /^[\da-f]{32}$/.test(text) ? formatIp(Buffer.from(text, 'hex')) : text;
