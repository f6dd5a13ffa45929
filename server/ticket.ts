// What lets a new node in. It is used in the very step of the store that registers the node, so that it is never used
// without that node being in, nor twice.
import type { StoreOperation } from '../base/store.ts';
import type { NodeId } from '../protocol/location/messages.ts';

export interface Ticket {
  /** Written together with the node. */
  use(node: NodeId, at: number): readonly StoreOperation[];
  /** That was written. */
  used(): void;
}
