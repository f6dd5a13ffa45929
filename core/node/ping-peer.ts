// The life of one `ginnel ping`: echoes in a row, and word of every change of path, so that a person sees relayed first,
// then direct.
import type { Clock } from '../../base/clock.ts';
import { familyOf, parseIp } from '../../protocol/ip/address.ts';
import type { PathStatus, PingEvent, PingOptions } from '../admin.ts';
import { nodeErrors } from './errors.ts';
import type { Stay } from './stay.ts';

export async function* pingPeer(
  stay: Stay,
  clock: Clock,
  options: PingOptions,
  signal: AbortSignal,
): AsyncGenerator<PingEvent> {
  const address = addressOf(stay, options.peer);
  const begun = clock.monotonicMs();
  let received = 0;
  let sent = 0;
  let shown = '';
  while (sent < options.count && !signal.aborted) {
    const sequence = ++sent;
    const startedAt = clock.monotonicMs();
    const { ms } = await stay.echo(address, options.timeoutMs);
    const { path, reason } = pathTo(stay, address);
    if (path !== null && shown !== path.label + String(path.remote)) {
      shown = path.label + String(path.remote);
      yield { type: 'path', path, afterMs: clock.monotonicMs() - begun, reason };
    }
    if (ms === null) yield { type: 'lost', sequence, reason };
    else {
      received++;
      yield { type: 'reply', sequence, ms, path };
    }
    if (sent < options.count)
      await pause(clock, options.intervalMs - (clock.monotonicMs() - startedAt), signal);
  }
  yield { type: 'done', sent, received };
}

/** A virtual address is taken as it is: the node behind it may not be known yet (V10). */
function addressOf(stay: Stay, peer: string): string {
  const own = stay.addresses;
  const known = stay.parts.book.find(peer)?.node.record;
  const address = parseIp(peer).ok ? peer : known?.ip4;
  if (address === undefined) throw nodeErrors('PEER_UNKNOWN', { peer });
  if (address === own.ip4 || address === own.ip6) throw nodeErrors('PEER_IS_SELF', { peer });
  return address;
}

function pathTo(stay: Stay, address: string): { readonly path: PathStatus | null; readonly reason: string } {
  const known = stay.parts.book.byAddress(address);
  if (known === null)
    return {
      path: null,
      reason: `No box has the ${familyOf(address) === 4 ? '' : 'IPv6 '}address ${address}.`,
    };
  const id = known.node.record.wireguardKey;
  return { path: stay.parts.paths.pathOf(id), reason: stay.parts.paths.status(id)?.reason ?? '' };
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise(resolve => {
    const timer = clock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
