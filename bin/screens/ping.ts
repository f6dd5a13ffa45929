// What `ginnel ping` shows: a line an answer, relayed first and direct as soon as there is a direct path.
import type { PathStatus, PingEvent } from '../../core/admin.ts';
import { plain } from '../words.ts';

/** Turns events into lines; null where an event is for later. */
export function pingLines(ip: string): (event: PingEvent) => string | null {
  let found = '';
  let width = 0;
  const padded = (text: string): string => {
    width = Math.max(width, text.length);
    return text.padEnd(width);
  };
  return event => {
    switch (event.type) {
      case 'path':
        if (event.path !== null && !isRelayed(event.path))
          found = `   found in ${(event.afterMs / 1000).toFixed(1)} s`;
        return event.path === null ? `${ip} has no path now: ${plain(event.reason)}` : null;
      case 'reply': {
        const line = `${padded(`${ip} ${pathInWords(event.path)}`)}  ${event.ms.toFixed(1)} ms${found}`;
        found = '';
        return line;
      }
      case 'lost':
        return `${ip} no answer to ${event.sequence}: ${plain(event.reason)}`;
      case 'done':
        return `${event.received} of ${event.sent} answered.`;
    }
  };
}

const isRelayed = (path: PathStatus): boolean => path.class === 'relay' || path.class === 'turn';

/** `direct, UDP 198.51.100.7:41641`, `via relay office-vps (TCP)`. */
function pathInWords(path: PathStatus | null): string {
  if (path === null) return 'by an unknown path';
  const transport = path.transport.replace(/^relay-/, '').toUpperCase();
  if (isRelayed(path)) return `${plain(path.label).replace(/^via (?!relay)/, 'via relay ')} (${transport})`;
  return `${path.class === 'lan' ? 'same LAN' : 'direct'}, ${transport} ${path.remote ?? ''}`.trimEnd();
}
