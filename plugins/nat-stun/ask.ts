// One Binding request and what its answer says.
import type { StunAsk, StunOutcome, StunSocket } from '../../core/contract/plugin.ts';
import type { Endpoint } from '../../protocol/address.ts';
import {
  readMapped,
  readOtherAddress,
  writeChangeRequest,
  writeResponsePort,
  writeSoftware,
  type ChangeRequest,
} from '../../protocol/stun/attributes.ts';
import type { StunAttribute } from '../../protocol/stun/message.ts';

export interface Question {
  readonly to: Endpoint;
  readonly change?: ChangeRequest | null;
  /** Where the answer shall go instead: the mapped port of another socket of ours. */
  readonly responsePort?: number;
  readonly anySource?: boolean;
  readonly timeoutMs?: number;
}

export type Seen =
  | {
      readonly ok: true;
      readonly mapped: Endpoint;
      readonly other: Endpoint | null;
      readonly from: Endpoint;
      /** The port of the socket that the answer came to. */
      readonly localPort: number;
      readonly rttMs: number;
    }
  /** `refused`: an error answer, or one without an address. */
  | { readonly ok: false; readonly code: 'timeout' | 'budget' | 'aborted' | 'unreachable' | 'refused' };

/**
 * Servers give long answers only to requests as long. PADDING would do, but RFC 5780 servers echo it and refuse it
 * together with RESPONSE-PORT; a long SOFTWARE does no harm anywhere. 100 bytes with it: more than any answer.
 */
const filler: StunAttribute = writeSoftware('ginnel'.padEnd(76));

export async function askBinding(socket: StunSocket, question: Question, signal: AbortSignal): Promise<Seen> {
  const { to, change, responsePort, anySource, timeoutMs } = question;
  const attributes = [filler];
  if (change != null) attributes.push(writeChangeRequest(change));
  if (responsePort !== undefined) attributes.push(writeResponsePort(responsePort));
  const ask: StunAsk = {
    to,
    attributes,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(change != null || anySource === true ? { anySource: true } : {}),
    ...(responsePort === undefined ? {} : { anySocket: true }),
  };
  return read(await socket.transact(ask, signal));
}

function read(outcome: StunOutcome): Seen {
  if (!outcome.ok) return outcome;
  const { message, from, local, rttMs } = outcome;
  const mapped = readMapped(message);
  if (message.class !== 'success' || mapped === null) return { ok: false, code: 'refused' };
  return { ok: true, mapped, other: readOtherAddress(message), from, localPort: local.port, rttMs };
}
