// Addresses as the whole house says them.

export type IpFamily = 4 | 6;

/** An IP address and port. `address` is canonical text: dotted IPv4, or RFC 5952 IPv6 without a zone. */
export interface Endpoint {
  readonly family: IpFamily;
  readonly address: string;
  readonly port: number;
}

/** `192.0.2.1:4444`, `[2001:db8::1]:4444`. */
export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.family === 4
    ? `${endpoint.address}:${endpoint.port}`
    : `[${endpoint.address}]:${endpoint.port}`;
}

export const sameEndpoint = (a: Endpoint, b: Endpoint): boolean =>
  a.port === b.port && a.family === b.family && a.address === b.address;
