// A WireGuard that nobody here wrote, in a network namespace of its own: Debian's wireguard-go with a TUN, and one peer.
import { execFileSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Endpoint } from '../../protocol/address.ts';
import { endOf, Place } from './place.ts';
import { until } from './waiting.ts';

const OUR_SIDE = '192.0.2.1';
const THEIR_SIDE = '192.0.2.2';
const FIRST_PORT = 51820;

// wireguard-go's control sockets lie in /run/wireguard: a file system of the lab's own hides the machine's.
const CABLE = `
mkdir -p /run/wireguard && mount -t tmpfs none /run/wireguard
ip netns add stock
ip link add v0 type veth peer name v1 netns stock
ip addr add ${OUR_SIDE}/24 dev v0
ip link set v0 up
ip -n stock addr add ${THEIR_SIDE}/24 dev v1
ip -n stock link set v1 up`;

/** A cable from here, inside a lab, to the namespace that is returned. */
export function layCable(): Place {
  execFileSync('bash', ['-ec', CABLE], { timeout: 10_000 });
  return new Place('stock', 'v1', THEIR_SIDE);
}

export interface StockPeer {
  readonly publicKey: string;
  readonly allowedIp: string;
  readonly presharedKey?: Uint8Array | undefined;
  /** A port on our side of the cable, where it is to begin by itself. */
  readonly port?: number | undefined;
}

export class StockWireguard {
  readonly #place: Place;
  readonly #name: string;
  readonly #child: ChildProcess;
  publicKey = '';
  #port = FIRST_PORT;

  constructor(place: Place, name: string) {
    this.#place = place;
    this.#name = name;
    this.#child = place.spawn('wireguard-go', ['-f', name], { stdio: 'ignore' });
  }

  /** Its own address and the one peer. */
  async start(address: string, peer: StockPeer): Promise<void> {
    await until('wireguard-go', 5000, () => existsSync(`/run/wireguard/${this.#name}.sock`));
    const secret = randomBytes(32).toString('base64');
    this.publicKey = (await this.#place.exec('wg pubkey', { input: secret })).stdout.trim();
    await this.#set(`private-key /dev/stdin listen-port ${this.#port}`, secret);
    await this.#set(`peer ${peer.publicKey} allowed-ips ${peer.allowedIp}`);
    if (peer.presharedKey !== undefined) {
      const key = Buffer.from(peer.presharedKey).toString('base64');
      await this.#set(`peer ${peer.publicKey} preshared-key /dev/stdin`, key);
    }
    if (peer.port !== undefined) await this.#set(`peer ${peer.publicKey} endpoint ${OUR_SIDE}:${peer.port}`);
    await this.#place.exec(
      `ip addr add ${address}/24 dev ${this.#name} && ip link set ${this.#name} mtu 1420 up`,
    );
  }

  get endpoint(): Endpoint {
    return { family: 4, address: THEIR_SIDE, port: this.#port };
  }

  async moveToAnotherPort(): Promise<void> {
    this.#port++;
    await this.#set(`listen-port ${this.#port}`);
  }

  /** What `wg show` says of the peer: `endpoints`, `latest-handshakes`. */
  async show(field: string): Promise<string> {
    const { stdout } = await this.#place.exec(`wg show ${this.#name} ${field}`);
    return stdout.trim().split('\t')[1] ?? '';
  }

  /** IP packets that came out of the tunnel, by the kernel's count. */
  async packetsReceived(): Promise<number> {
    return (await this.#place.counters())[this.#name]?.receivedPackets ?? 0;
  }

  /** Answers of that many pings, 0.2 s apart. */
  async ping(destination: string, count = 1): Promise<number> {
    const line = `ping -c ${count} -i 0.2 -W 6 ${destination}`;
    const { stdout } = await this.#place.exec(line, { mayFail: true, timeoutMs: 200_000 });
    return Number(/(\d+) received/.exec(stdout)?.[1] ?? 0);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await endOf(this.#child);
  }

  async #set(what: string, input = ''): Promise<void> {
    // Through a pipe: what Node hands a child is a socket, and that can't be opened as /dev/stdin.
    await this.#place.exec(`cat | wg set ${this.#name} ${what}`, { input });
  }
}
