// The life of one `ginnel ping`: echoes in a row, and word of every change of path, so that a person sees relayed first,
// then direct.
import type { Clock } from '../../base/clock.ts';
import { canonicalIp, familyOf } from '../../protocol/ip/address.ts';
import type { NodeRecord } from '../../protocol/location/messages.ts';
import type { PathStatus, PingEvent, PingOptions, Reason } from '../admin.ts';
import { says } from '../paths/sayings.ts';
import { nodeErrors } from './errors.ts';
import { NAME } from './options.ts';
import { asReason, reasonOf } from './status.ts';
import type { Stay } from './stay.ts';

const NODE_ID = /^[A-Za-z0-9_-]{43}$/;

export async function* pingPeer(
  stay: Stay,
  clock: Clock,
  options: PingOptions,
  signal: AbortSignal,
): AsyncGenerator<PingEvent> {
  const address = await addressOf(stay, options.peer);
  const begun = clock.monotonicMs();
  let received = 0;
  let sent = 0;
  let shown = '';
  while (sent < options.count && !signal.aborted) {
    const sequence = ++sent;
    const startedAt = clock.monotonicMs();
    const { ms } = await stay.echo(address, options.timeoutMs);
    const { path, ...reason } = pathTo(stay, address);
    if (path !== null && shown !== path.label + String(path.remote)) {
      shown = path.label + String(path.remote);
      yield { type: 'path', path, afterMs: clock.monotonicMs() - begun, ...reason };
    }
    if (ms === null) yield { type: 'lost', sequence, ...reason };
    else {
      received++;
      yield { type: 'reply', sequence, ms, path };
    }
    if (sent < options.count)
      await pause(clock, options.intervalMs - (clock.monotonicMs() - startedAt), signal);
  }
  yield { type: 'done', sent, received };
}

/** A virtual address is taken as it is (V10 does the rest); a name or id is asked of the server where it is not known. */
async function addressOf(stay: Stay, peer: string): Promise<string> {
  const own = stay.addresses;
  const address = canonicalIp(peer) ?? (await recordOf(stay, peer)).ip4;
  if (address === own.ip4 || address === own.ip6) throw nodeErrors('PEER_IS_SELF', { peer });
  return address;
}

async function recordOf(stay: Stay, peer: string): Promise<NodeRecord> {
  const { id, name } = stay.self;
  if (peer === id || peer.toLowerCase() === name.toLowerCase()) throw nodeErrors('PEER_IS_SELF', { peer });
  const known = stay.parts.book.find(peer);
  if (known !== null) return known.node.record;
  const subject = NODE_ID.test(peer) ? { node: peer } : { name: peer };
  if ('name' in subject && !NAME.test(peer)) throw nodeErrors('PEER_UNKNOWN', { peer });
  return (await stay.parts.introductions.lookup(subject)).record;
}

function pathTo(stay: Stay, address: string): Reason & { readonly path: PathStatus | null } {
  const known = stay.parts.book.byAddress(address);
  if (known === null)
    return {
      path: null,
      ...asReason(says(familyOf(address) === 4 ? 'reason.no-box' : 'reason.no-box6', { address })),
    };
  const id = known.node.record.wireguardKey;
  return { path: stay.parts.paths.pathOf(id), ...reasonOf(stay.parts.paths.status(id)) };
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
