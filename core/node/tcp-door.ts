// The TCP door of this node: where other nodes connect to it. Shared with whoever else serves on this box; where the wanted
// port is another program's, any free one does, for nobody knows a node's port by heart.
import { GinnelError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { STREAM_FIRST_BYTE } from '../../protocol/stream/handshake.ts';
import type { ClaimedPort, TcpClaim, TcpPortsDoor } from '../../system/doors.ts';
import type { NodeValues } from './settings.ts';

export interface TcpDoor {
  /** Where it is open. */
  readonly ports: readonly number[];
  close(): Promise<void>;
}

/** Never rejects: a node without a door still connects to others. `problem` is told why a wanted port is not to be had. */
export async function openTcpDoor(
  tcp: TcpPortsDoor,
  { 'tcp-port': tcpPort, 'web-port': webPort }: NodeValues,
  take: TcpClaim['take'],
  log: Log,
  problem: (error: Error) => void,
): Promise<TcpDoor> {
  const wants: TcpClaim['wants'] = first => first === STREAM_FIRST_BYTE;
  const claim = async (port: number, setting: string): Promise<ClaimedPort | null> => {
    try {
      return await tcp.claim({ port, setting, wants, take, name: 'connections of other boxes' });
    } catch (error) {
      if (!(error instanceof GinnelError)) throw error;
      log.warn(error.message);
      problem(error);
      return null;
    }
  };
  if (tcpPort === null) return { ports: [], close: () => Promise.resolve() };
  const main = (await claim(tcpPort, 'tcp-port')) ?? (await claim(0, 'tcp-port'));
  const web = webPort === null ? null : await claim(webPort, 'web-port');
  const claimed = [main, web].filter(one => one !== null);
  return {
    ports: claimed.map(({ port }) => port),
    async close() {
      await Promise.all(claimed.map(one => one.close()));
    },
  };
}
