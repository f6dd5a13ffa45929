// Node and server of one box: the server's ports are passed on by the home's router if a plugin of the node gets it to; at
// which outer place, the server is told, and names it in its invites.
import type { ServerPorts } from '../core/node/home.ts';
import type { MappedPort } from '../core/contract/plugin.ts';
import { formatEndpoint } from '../protocol/address.ts';
import type { ForwardedPort, PortMapper } from '../server/port-mapper.ts';

type Granted = Parameters<PortMapper['keep']>[2];

export class Forwarding implements PortMapper, ServerPorts {
  readonly #listeners = new Set<() => void>();
  #ports: readonly ForwardedPort[] = [];
  #granted: Granted | null = null;
  #mapped: readonly MappedPort[] = [];

  keep(ports: readonly ForwardedPort[], signal: AbortSignal, granted: Granted): void {
    if (signal.aborted) return;
    this.#ports = ports;
    this.#granted = granted;
    signal.addEventListener('abort', () => this.#drop(granted), { once: true });
    this.#tell();
    this.#changed();
  }

  wanted(): ReturnType<ServerPorts['wanted']> {
    return this.#ports.map(({ protocol, port }) => ({ transport: protocol === 'TCP' ? 'tcp' : 'udp', port }));
  }

  onChange(changed: () => void): () => void {
    const listener = (): void => changed();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  mapped(mapped: readonly MappedPort[]): void {
    this.#mapped = mapped;
    this.#tell();
  }

  /** Of the first port, by which nodes come. */
  #tell(): void {
    const [first] = this.wanted();
    const places = this.#mapped.filter(
      ({ transport, port }) => transport === first?.transport && port === first.port,
    );
    this.#granted?.(places.map(({ outer }) => formatEndpoint(outer)));
  }

  /** That server is down; another one may have come up since. */
  #drop(granted: Granted): void {
    if (this.#granted !== granted) return;
    this.#ports = [];
    this.#granted = null;
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
