// What is not well with the daemon itself.
import { defineHealth } from '../../base/health.ts';

export const daemonHealth = defineHealth({
  METRICS_OFF: {
    severity: 'warning',
    what: 'Metrics are not served.',
    why: '{problem}.',
    todo: 'It is tried again by itself. Is the address one of this box, and the port free? ginnel get metrics.',
  },
  PAGE_NOT_SERVED: {
    severity: 'warning',
    what: 'The page is not served at {place}.',
    why: 'Reason: {problem}.',
    todo: 'It is tried again by itself. Another port: ginnel set page lan:8080; without a page: ginnel set page off.',
  },
  ROLE_WAITING: {
    severity: 'problem',
    what: 'The {role} did not come up.',
    why: '{problem}',
    todo: 'It is tried again by itself.',
  },
  STATE_REOPENED: {
    severity: 'note',
    what: 'The state on disk had to be opened anew ({times} times since the start).',
    why: 'The disk refused a write or was full for a while; nothing that was confirmed is lost.',
    todo: 'Check the disk if it happens again.',
  },
  DISK_SHORT: {
    severity: 'problem',
    what: 'The disk under the state is nearly full ({free} KB free).',
    why: 'Below {least} KB nothing new is stored. What was confirmed before is safe.',
    todo: 'Make room on the disk of {folder}; it goes on by itself.',
  },
  EXPORT_WAITING: {
    severity: 'warning',
    what: 'The last changes of the state ({store}) are not exported yet.',
    why: '{problem}.',
    todo: 'It is tried again every minute. Without an export a damaged disk may cost these changes.',
  },
  STATE_DAMAGED: {
    severity: 'problem',
    what: 'Damaged entries were found in the state on disk ({times}).',
    why: 'Their checksums do not fit.',
    todo: 'Check the disk, and the state: ginnel check.',
  },
  LOOP_SLOW: {
    severity: 'warning',
    what: 'Ginnel was held up for {ms} ms within the last minute.',
    why: 'The processor is busy with other things, or a plugin works too long at a time.',
    todo: 'Nothing, if it was once. If it comes back: end what else keeps this box busy (top shows it), or turn plugins off one by one to find the one: ginnel plugins.',
  },
});
