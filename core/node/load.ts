// How loaded this machine is, for the registration (V4): real figures from the kernel, smoothed over about a minute.
import { cpus, loadavg } from 'node:os';

/** CPU load of the last minute, 0 to 1 a core. */
export function cpuLoad(): number {
  return Math.min(1, Math.max(0, (loadavg()[0] ?? 0) / Math.max(1, cpus().length)));
}
