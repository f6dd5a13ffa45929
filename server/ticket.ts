// What lets a new node in. It is used in the very step of the store that registers the node, so that it is never used
// without that node being in, nor twice.
import type { StoreOperation } from '../base/store.ts';
import type { NodeId } from '../protocol/location/messages.ts';
import type { AuditedChange } from './audit.ts';
import type { NodeAdmission } from './registry-entries.ts';

export interface Ticket {
  /** The node is pending until somebody approves it. */
  readonly needsApproval: boolean;
  /** Kept with the node. */
  readonly admission: NodeAdmission;
  /** What the audit log says of a node of that name. */
  told(name: string): AuditedChange;
  /** Written together with the node. */
  use(node: NodeId, at: number): readonly StoreOperation[];
  /** That was written. */
  used(): void;
}
