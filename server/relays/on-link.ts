// Which addresses are on the server's own local networks. With IPv6 they are global ones there, too, and behind the same
// firewall: that the server reaches one of them says nothing about who is outside.
import type { Clock } from '../../base/clock.ts';
import { parseIp } from '../../protocol/ip/address.ts';
import { parsePrefix, prefixContains } from '../../protocol/ip/prefix.ts';
import type { Prefix } from '../../protocol/ip/prefix.ts';
import { machineAddresses } from '../machine-addresses.ts';
import type { MachineAddress } from '../machine-addresses.ts';

const READ_EVERY_MS = 10_000;

export class OnLink {
  readonly #clock: Clock;
  readonly #read: () => readonly MachineAddress[];
  #own: ReadonlySet<string> = new Set();
  #networks: readonly Prefix[] = [];
  #readAt = -Infinity;

  constructor(clock: Clock, read: () => readonly MachineAddress[] = machineAddresses) {
    this.#clock = clock;
    this.#read = read;
  }

  /**
   * Another machine's, that is. IPv4 ones are judged by their scope alone: public ones on a link are those of a data
   * centre or a provider, whose machines share no firewall.
   */
  has(address: string): boolean {
    const ip = parseIp(address);
    if (!ip.ok || ip.value.family === 4) return false;
    this.#refresh();
    return !this.#own.has(address) && this.#networks.some(network => prefixContains(network, ip.value));
  }

  #refresh(): void {
    const now = this.#clock.monotonicMs();
    if (now - this.#readAt < READ_EVERY_MS) return;
    this.#readAt = now;
    const outer = this.#read().filter(({ internal, family }) => !internal && family === 6);
    this.#own = new Set(outer.map(({ address }) => address));
    this.#networks = [...new Set(outer.map(({ network }) => network))].flatMap(text => {
      const prefix = parsePrefix(text);
      return prefix.ok ? [prefix.value] : [];
    });
  }
}
