// Who counts as one source where something is limited for each.
import { parseIp } from './address.ts';
import { formatPrefix, networkOf } from './prefix.ts';

/** An IPv4 address, or an IPv6 /64, since one home may use all addresses of it; what is no address, as it is. */
export function sourceOf(address: string): string {
  const ip = parseIp(address);
  if (!ip.ok || ip.value.family === 4) return address;
  return formatPrefix(networkOf(ip.value, 64));
}
