// Reverse proxies in front of the server that its owner trusts: from them alone it is believed for whom a connection is.
// Everybody else may write such headers, and is not heard.
import type { IncomingHttpHeaders } from 'node:http';
import type { Endpoint } from '../protocol/address.ts';
import { canonicalIp, familyOf } from '../protocol/ip/address.ts';
import { parseEndpoint } from '../protocol/ip/endpoint.ts';
import { parseInterface, prefixContains } from '../protocol/ip/prefix.ts';
import type { Prefix } from '../protocol/ip/prefix.ts';

/** An address or a prefix, as the setting takes it. */
export function proxyPrefix(text: string): Prefix | null {
  const parsed = parseInterface(text);
  return parsed.ok ? parsed.value.prefix : null;
}

export class TrustedProxies {
  #prefixes: readonly Prefix[] = [];

  constructor(trusted: readonly string[]) {
    this.set(trusted);
  }

  set(trusted: readonly string[]): void {
    this.#prefixes = trusted.flatMap(text => proxyPrefix(text) ?? []);
  }

  trusts(address: string): boolean {
    const parsed = parseInterface(address);
    return parsed.ok && this.#prefixes.some(prefix => prefixContains(prefix, parsed.value.address));
  }

  /**
   * For whom the proxy speaks: the last address in its header that is no trusted proxy itself. The proxy's own where it
   * says nothing, or where both kinds of header (one of them then comes from the client) do not agree.
   */
  clientOf(proxy: Endpoint, headers: IncomingHttpHeaders): Endpoint {
    const old = hopsOf(headers['x-forwarded-for']);
    const standard = forwardedHops(headers.forwarded);
    const named = [old, standard].flatMap(hops => (hops === null ? [] : [this.#client(hops)]));
    const [first, second = first] = named;
    return first != null && first.address === second?.address ? first : proxy;
  }

  /** Null where what stands there is no address, or nothing but proxies. */
  #client(hops: readonly string[]): Endpoint | null {
    for (const hop of hops.toReversed()) {
      const endpoint = hopEndpoint(hop);
      if (endpoint === null) return null;
      if (!this.trusts(endpoint.address)) return endpoint;
    }
    return null;
  }
}

/** `X-Forwarded-For: client, proxy`; null: there is none. */
function hopsOf(header: string | readonly string[] | undefined): string[] | null {
  if (header === undefined) return null;
  return [header]
    .flat()
    .join(',')
    .split(',')
    .map(hop => hop.trim());
}

/** RFC 7239: `Forwarded: for=192.0.2.60;proto=https, for="[2001:db8::1]:4711"`. */
function forwardedHops(header: string | undefined): string[] | null {
  const elements = hopsOf(header);
  return (
    elements?.map(
      element => /(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^\s;"]*))/i.exec(element)?.slice(1).join('') ?? '',
    ) ?? null
  );
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`. */
function hopEndpoint(text: string): Endpoint | null {
  const address = canonicalIp(text.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:(?=\d+\.)/i, ''));
  if (address !== null) return { family: familyOf(address), address, port: 0 };
  const endpoint = parseEndpoint(text);
  return endpoint.ok ? endpoint.value : null;
}
