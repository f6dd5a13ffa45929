// A link that a plugin holds, as the core uses it: whatever its code does, sending answers, and closing returns.
import type { Link, SendResult } from '../contract/link.ts';
import type { Guard } from './guard.ts';

const RESULTS: readonly unknown[] = ['sent', 'busy', 'closed'] satisfies SendResult[];

/** Everything but `send` and `close` is as it was when the link was handed in. One that throws is closed for good. */
export function heldLink(link: Link, guard: Guard): Link {
  const { id, transport, remote, local, mtu, via = null, throughTurn = false } = link;
  const traits = { ...link.traits };
  let isBroken = false;
  const broke = (error: unknown): SendResult => {
    if (!isBroken) guard.crash(error);
    isBroken = true;
    return 'closed';
  };
  return {
    ...{ id, transport, traits, remote, local, mtu, via, throughTurn },
    send(batch) {
      if (isBroken || guard.isOver) return 'closed';
      try {
        const result = link.send(batch);
        return RESULTS.includes(result) ? result : 'closed';
      } catch (error) {
        return broke(error);
      }
    },
    close() {
      if (guard.isOver) return;
      try {
        guard.inside(() => link.close());
      } catch (error) {
        broke(error);
      }
    },
  };
}
