// UDP by node:dgram. It does not tell which local address a datagram came to, so a door without an address of its own holds
// a socket for each address of the machine beside the one for all: what arrives there is answered from there.
//
// Two things it cannot do: take the Don't Fragment bit off (the kernel's path MTU discovery stays on: what is too large for
// a hop whose ICMP is lost does not arrive), and send or receive more than one datagram a call. So `dontFragment` asks for
// what is so anyway, but for ways of which ICMP told this kernel: there it fragments all the same.
import type { Socket, RemoteInfo } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { Counters } from '../../base/counters.ts';
import type { Batch, SendResult } from '../../core/contract/link.ts';
import type { Endpoint, IpFamily } from '../../protocol/address.ts';
import type { UdpDoor, UdpOptions, UdpRemote, UdpSendOptions } from '../doors.ts';
import { wordsOf } from '../sockaddr.ts';
import { PLAIN_ROOM } from '../udp-receive.ts';
import { Remote, RemoteTable, type AddressWords } from '../udp-remotes.ts';
import { MAX_DATAGRAM } from '../udp-send.ts';
import { bindNow, freePort, sendWithTtl } from './dgram.ts';

/** What a send answers where the address it should leave from is no longer one of this machine. */
const SOURCE_GONE: ReadonlySet<string> = new Set(['EINVAL', 'EADDRNOTAVAIL', 'ENETUNREACH']);
const MAX_KNOWN_TEXTS = 1024;

/** Throws PORT_TAKEN, PORT_FORBIDDEN, ADDRESS_UNAVAILABLE, ADDRESS_INVALID, KERNEL_LACKS. */
export function openDgram(options: UdpOptions, counters: Counters): UdpDoor {
  const { family, address, port } = options;
  if (address !== undefined) {
    wordsOf(address, family);
    return new DgramDoor(family, bindNow(family, { address, port }), address, counters);
  }
  const socket = bindNow(family, { port: freePort(family, port), shared: true });
  return new DgramDoor(family, socket, null, counters);
}

class DgramDoor implements UdpDoor {
  readonly family: IpFamily;
  readonly localPort: number;
  readonly offloads = { cut: false, coalesce: false };
  onBatch: (remote: UdpRemote, batch: Batch) => void = () => undefined;
  onTurnEnded: () => void = () => undefined;
  readonly #main: Socket;
  /** Bound to one address each, by that address; none where the door itself is. */
  readonly #own = new Map<string, Socket>();
  readonly #isBound: boolean;
  readonly #remotes: RemoteTable;
  readonly #words = new Map<string, AddressWords>();
  readonly #zones = new Map<number, string>();
  readonly #counts;
  #isOpen = true;
  #isInTurn = false;

  constructor(family: IpFamily, main: Socket, address: string | null, counters: Counters) {
    this.family = family;
    this.localPort = main.address().port;
    this.#main = main;
    this.#isBound = address !== null;
    this.#remotes = new RemoteTable(family);
    this.#counts = {
      received: counters.counter('received'),
      truncated: counters.counter('dropped.truncated'),
      errors: counters.counter('errors'),
      sent: counters.counter('sent'),
      busy: counters.counter('dropped.busy'),
      tooLarge: counters.counter('dropped.too-large'),
      refused: counters.counter('dropped.refused'),
      sourceGone: counters.counter('source-gone'),
    };
    this.#listen(main, address);
    this.#followAddresses();
  }

  remote(endpoint: Endpoint): UdpRemote {
    if (endpoint.family !== this.family) {
      throw new TypeError(`an IPv${this.family} socket has no IPv${endpoint.family} remotes`);
    }
    const remote = this.#remotes.heard(wordsOf(endpoint.address, this.family), endpoint.port, 0);
    this.#remotes.know(remote);
    return remote;
  }

  send(remote: UdpRemote, batch: Batch, options?: UdpSendOptions): SendResult {
    if (!this.#isOpen) return 'closed';
    if (!(remote instanceof Remote) || remote.family !== this.family) {
      throw new TypeError('a remote of another kind of socket');
    }
    if (!(batch.segment > 0)) throw new TypeError('a batch needs a segment size');
    this.#remotes.know(remote);
    let result: SendResult = 'sent';
    const end = batch.offset + batch.length;
    for (let from = batch.offset; from < end; from += batch.segment) {
      const length = Math.min(batch.segment, end - from);
      // Copied: what the socket cannot take at once, it keeps.
      const datagram = Buffer.from(batch.bytes.subarray(from, from + length));
      if (this.#sendOne(remote, datagram, options?.ttl ?? 0) !== 'sent') result = 'busy';
    }
    return result;
  }

  flush(): void {
    // Nothing is laid up: with one datagram a call there is nothing to be gained by it.
  }

  forgetLocalAddresses(): void {
    for (const remote of this.#remotes) remote.forgetLocal();
    if (this.#isOpen) this.#followAddresses();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const socket of [this.#main, ...this.#own.values()]) socket.close();
  }

  // ---- its sockets

  /** A socket for each address that the machine has now, and none for those it has lost. */
  #followAddresses(): void {
    if (this.#isBound) return;
    const present = new Set(ownAddresses(this.family));
    for (const [address, socket] of this.#own) {
      if (present.has(address)) continue;
      this.#own.delete(address);
      socket.close();
    }
    for (const address of present) if (!this.#own.has(address)) this.#openOwn(address);
  }

  #openOwn(address: string): void {
    try {
      const socket = bindNow(this.family, { address, port: this.localPort, shared: true });
      this.#own.set(address, socket);
      this.#listen(socket, address);
    } catch {
      // An address that is still being tested for duplicates, or gone again: the socket for all hears for it.
      this.#counts.errors.value++;
    }
  }

  #listen(socket: Socket, address: string | null): void {
    const local = address === null ? null : wordsOf(address, this.family);
    socket.on('message', (bytes, from) => this.#heard(bytes, from, local));
    socket.on('error', () => this.#counts.errors.value++);
  }

  // ---- in

  #heard(bytes: Uint8Array, from: RemoteInfo, local: AddressWords | null): void {
    if (!this.#isOpen) return;
    this.#beginTurn();
    if (bytes.length > PLAIN_ROOM.bytes) {
      this.#counts.truncated.value++;
      return;
    }
    this.#counts.received.value++;
    const [address = '', zone] = from.address.split('%');
    const scope = zone === undefined ? 0 : this.#scopeOf(zone);
    const remote = this.#remotes.heard(this.#wordsOf(address), from.port, scope);
    if (local !== null) remote.setLocal(local.w0, local.w1, local.w2, local.w3);
    this.onBatch(remote, { bytes, offset: 0, length: bytes.length, segment: bytes.length });
  }

  /** All that the loop finds on these sockets now is one turn. */
  #beginTurn(): void {
    if (this.#isInTurn) return;
    this.#isInTurn = true;
    setImmediate(() => {
      this.#isInTurn = false;
      if (this.#isOpen) this.onTurnEnded();
    });
  }

  #wordsOf(address: string): AddressWords {
    const known = this.#words.get(address);
    if (known !== undefined) return known;
    if (this.#words.size >= MAX_KNOWN_TEXTS) this.#words.clear();
    const words = wordsOf(address, this.family);
    this.#words.set(address, words);
    return words;
  }

  // ---- link-local remotes: a number in what is interned, a card's name in what node reads and writes

  #scopeOf(zone: string): number {
    for (const info of networkInterfaces()[zone] ?? []) {
      if (info.family !== 'IPv6' || info.scopeid === 0) continue;
      this.#zones.set(info.scopeid, zone);
      return info.scopeid;
    }
    return 0;
  }

  #textOf({ endpoint, scope }: Remote): string {
    const zone = this.#zones.get(scope);
    return zone === undefined ? endpoint.address : `${endpoint.address}%${zone}`;
  }

  // ---- out

  #sendOne(remote: Remote, datagram: Buffer, ttl: number): SendResult {
    if (datagram.length > MAX_DATAGRAM) {
      this.#counts.tooLarge.value++;
      return 'busy';
    }
    const own = remote.localAddress === null ? undefined : this.#own.get(remote.localAddress);
    const socket = own ?? this.#main;
    if (socket.getSendQueueCount() > 0) {
      this.#counts.busy.value++;
      return 'busy';
    }
    const done = (error: NodeJS.ErrnoException | null): void => {
      if (error !== null && own !== undefined && SOURCE_GONE.has(error.code ?? '')) {
        // Once more, from whichever address there is.
        this.#counts.sourceGone.value++;
        remote.forgetLocal();
        if (this.#isOpen) this.#sendOne(remote, datagram, ttl);
      } else this.#count(error);
    };
    sendWithTtl(socket, datagram, { port: remote.port, address: this.#textOf(remote) }, ttl, done);
    return 'sent';
  }

  #count(error: NodeJS.ErrnoException | null): void {
    const { sent, tooLarge, busy, refused } = this.#counts;
    if (error === null) sent.value++;
    else if (error.code === 'EMSGSIZE') tooLarge.value++;
    else if (error.code === 'EAGAIN' || error.code === 'ENOBUFS') busy.value++;
    else refused.value++;
  }
}

const nodeFamily = (family: IpFamily): 'IPv4' | 'IPv6' => `IPv${family}`;

/** Without those that need a zone; with this machine's own. */
const ownAddresses = (family: IpFamily): string[] =>
  Object.values(networkInterfaces())
    .flatMap(infos => infos ?? [])
    .filter(info => info.family === nodeFamily(family) && !info.address.startsWith('fe80:'))
    .map(({ address }) => address);
