// What this process may do, from /proc, without starting another.
import { readFileSync } from 'node:fs';

const CAP_NET_ADMIN = 12n;

/** May it make network cards and routes? */
export function mayAdministerNetwork(status = readFileSync('/proc/self/status', 'latin1')): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}

/** Has the CPU instructions for AES (and the GHASH that goes with it)? Without them AES-GCM is slow. */
export function cpuHasAes(cpuinfo = readFileSync('/proc/cpuinfo', 'latin1')): boolean {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? '';
  const flags = new Set(line.trim().split(/\s+/));
  return flags.has('aes') && (flags.has('pclmulqdq') || flags.has('pmull'));
}
