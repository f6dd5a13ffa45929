// Names of the server, asked afresh at every dial: addresses as the system finds them (hosts file, DNS), and ports by the
// SRV records of `_ginnel._tcp.NAME` (RFC 2782), so that a server behind a name may change its port too.
import { lookup, Resolver } from 'node:dns/promises';

export interface Service {
  readonly host: string;
  readonly port: number;
}

export interface Names {
  /** Rejects where there is no such name. */
  addresses(host: string): Promise<readonly string[]>;
  /** The best first; empty where there are none, or nobody answers within 2 s. */
  services(host: string): Promise<readonly Service[]>;
}

const ANSWER_MS = 2_000;
const MAX_SERVICES = 4;

export function systemNames(): Names {
  return {
    async addresses(host) {
      const found = await lookup(host, { all: true, verbatim: true });
      return found.map(({ address }) => address);
    },
    async services(host) {
      // `localhost`, `nas`: names of the house, not of DNS.
      if (!host.includes('.')) return [];
      const resolver = new Resolver({ timeout: ANSWER_MS, tries: 1 });
      const records = await resolver.resolveSrv(`_ginnel._tcp.${host}`).catch(() => []);
      return records
        .filter(({ name, port }) => name !== '' && port > 0)
        .sort((a, b) => a.priority - b.priority || b.weight - a.weight)
        .slice(0, MAX_SERVICES)
        .map(({ name, port }) => ({ host: name, port }));
    },
  };
}
