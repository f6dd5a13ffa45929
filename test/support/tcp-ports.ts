// TCP ports of a test's own, by the real clock; what they count is for nobody unless counters are given.
import { systemClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { TcpPorts } from '../../system/tcp-ports.ts';
import type { TcpLimits } from '../../system/tcp-silent.ts';

export const testTcp = (counters = new Counters(), limits: Partial<TcpLimits> = {}): TcpPorts =>
  new TcpPorts({ clock: systemClock, counters: counters.scope('system.tcp'), limits });

/** One that nobody has now. */
export async function freePort(): Promise<number> {
  const nobody = { name: 'a test', setting: 'port', wants: () => false, take: () => undefined };
  const claimed = await testTcp().claim({ ...nobody, port: 0, address: '127.0.0.1' });
  await claimed.close();
  return claimed.port;
}
