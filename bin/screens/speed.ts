// What `ginnel speed` shows.
import type { SpeedEvent } from '../../web/peers-admin.ts';

type Event<Type extends SpeedEvent['type']> = Extract<SpeedEvent, { readonly type: Type }>;

export const speedScreen = ({ down, up }: Event<'done'>): string =>
  `From there: ${speedInWords(down)}\nTo there:   ${speedInWords(up)}`;

/** One line that the next one overwrites; the last one is wiped by what follows. */
export const speedProgress = ({ direction, bitsPerSecond }: Event<'sample'>): string =>
  `\r\u001b[K${direction === 'down' ? 'from there' : 'to there'}: ${speedInWords(bitsPerSecond)}\r`;

export function speedInWords(bitsPerSecond: number): string {
  const megabits = bitsPerSecond / 1e6;
  if (megabits < 1) return `${Math.round(bitsPerSecond / 1e3)} kbit/s`;
  return `${megabits < 10 ? megabits.toFixed(1) : Math.round(megabits)} Mbit/s`;
}
