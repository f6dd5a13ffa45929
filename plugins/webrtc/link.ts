// A channel as a link: datagrams out, packed into messages; refused as busy while too much waits.
import type { Clock } from '../../base/clock.ts';
import type { Counter } from '../../base/counters.ts';
import type { Batch, Link, LinkTraits, SendResult } from '../../core/contract/link.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type { Connection, SelectedPair } from './connection.ts';
import { pack } from './packing.ts';

/** Any packet of the card fits: the channel cuts and joins by itself. */
export const CHANNEL_MTU = 16_384;
/** More than this would only wait. */
export const MOST_WAITING_BYTES = 256 * 1024;

const DIRECT: LinkTraits = { reliable: false, ordered: false, relayed: false };
const RELAYED: LinkTraits = { reliable: false, ordered: false, relayed: true };

export interface ChannelLinkParts {
  readonly node: string;
  readonly connection: Connection;
  readonly pair: SelectedPair | null;
  readonly clock: Clock;
  readonly counts: { readonly sent: Counter; readonly busy: Counter };
}

export class ChannelLink implements Link {
  readonly id: string;
  readonly transport = 'webrtc';
  readonly traits: LinkTraits;
  readonly throughTurn: boolean;
  readonly remote: Endpoint | null;
  readonly local: Endpoint | null;
  readonly mtu = CHANNEL_MTU;
  /** Something was sent then, and nothing came since; null: nothing is outstanding. */
  waitingSince: number | null = null;
  readonly #parts: ChannelLinkParts;
  readonly #send: (message: Uint8Array) => boolean;

  constructor(parts: ChannelLinkParts) {
    const { node, pair, connection } = parts;
    this.#parts = parts;
    this.throughTurn = pair?.isRelayed === true;
    this.id = `webrtc ${this.throughTurn ? 'turn ' : ''}${node.slice(0, 12)}`;
    this.traits = this.throughTurn ? RELAYED : DIRECT;
    this.remote = pair?.remote ?? null;
    this.local = pair?.local ?? null;
    this.#send = message => connection.send(message);
  }

  send(batch: Batch): SendResult {
    const { connection, counts, clock } = this.#parts;
    if (!connection.isOpen) return 'closed';
    this.waitingSince ??= clock.monotonicMs();
    if (connection.backlog > MOST_WAITING_BYTES) {
      counts.busy.value++;
      return 'busy';
    }
    if (!pack(batch, this.#send)) return 'closed';
    counts.sent.value += batch.length;
    return 'sent';
  }

  close(): void {
    this.#parts.connection.close('it is not needed any more');
  }
}
