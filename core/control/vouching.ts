// What is left of a peer's signal that could make this node send to many ports of one address: only what the server vouches for.
import type { Counters } from '../../base/counters.ts';
import type { Forecast, PathSignal } from '../../protocol/location/messages.ts';
import { isSendable, type CandidateRules } from './candidate-rules.ts';

/** `seen`: the addresses under which the server sees the sender. A forecast for any other is left out, and counted. */
export function vouched(
  signal: PathSignal,
  seen: readonly string[],
  rules: CandidateRules,
  counters: Counters,
): PathSignal {
  const { punch } = signal;
  if (punch === undefined) return signal;
  const isVouched = ({ address, port }: Forecast): boolean =>
    seen.includes(address) && isSendable({ family: 4, address, port }, rules);
  const told = [punch.udp, punch.tcp].filter(forecast => forecast !== undefined);
  if (told.every(isVouched)) return signal;
  counters.counter('signal.forecast-not-seen').value++;
  const { can, method } = punch;
  return { ...signal, punch: method === undefined ? { can } : { can, method } };
}
