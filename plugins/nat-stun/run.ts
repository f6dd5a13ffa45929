// Carries out a plan: opens its fresh sockets, sends all its requests in one turn, closes the sockets.
import type { StunDoor, StunSocket } from '../../core/contract/plugin.ts';
import type { IpFamily } from '../../protocol/address.ts';
import { askBinding, type Seen } from './ask.ts';
import type { Step } from './plan.ts';

export interface StepResult {
  readonly step: Step;
  /** The socket's own port. */
  readonly localPort: number;
  readonly seen: Seen;
}

type FreshSocket = Awaited<ReturnType<StunDoor['fresh']>>;

/** Results in the plan's order. Rejects where no socket could be opened. */
export async function runPlan(
  door: StunDoor,
  family: IpFamily,
  plan: readonly Step[],
  signal: AbortSignal,
): Promise<readonly StepResult[]> {
  const opened = new Map<string, FreshSocket>();
  try {
    for (const { socket } of plan) {
      if (socket !== 'main' && !opened.has(socket)) opened.set(socket, await door.fresh(family));
    }
    const results = plan.map(step => runStep(step, opened.get(step.socket) ?? door.main(family), signal));
    return await Promise.all(results);
  } finally {
    for (const socket of opened.values()) socket.close();
  }
}

async function runStep(step: Step, socket: StunSocket | null, signal: AbortSignal): Promise<StepResult> {
  if (socket === null) return { step, localPort: 0, seen: { ok: false, code: 'unreachable' } };
  const { to, change, timeoutMs } = step;
  // Our own answer to a hairpinned request may come from an inner address.
  const question = { to, change, timeoutMs, anySource: step.test === 'hairpin' };
  return { step, localPort: socket.localPort, seen: await askBinding(socket, question, signal) };
}
