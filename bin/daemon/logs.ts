// The log ring as lines that a person or a program reads: from the past, then, where wanted, as they come.
import { LEVELS } from '../../base/log-levels.ts';
import type { LogRing } from '../../base/log-ring.ts';
import type { LogLine, LogsAsked } from '../../web/daemon-admin.ts';

/** A reader that does not keep up loses lines rather than making the daemon hold them. */
const MAX_WAITING = 1000;
const LEVEL_OF: Readonly<Record<number, LogLine['level']>> = {
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
};

export async function* logLines(
  ring: LogRing,
  asked: LogsAsked,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const isWanted = wantedBy(asked);
  const waiting: LogLine[] = [];
  let wake: () => void = () => undefined;
  const stop = ring.listen(text => {
    const line = parseLine(text);
    if (!asked.follow || line === null || !isWanted(line)) return;
    waiting.push(line);
    if (waiting.length > MAX_WAITING) waiting.shift();
    wake();
  });
  signal.addEventListener('abort', () => wake(), { once: true });
  try {
    yield* lastLines(ring, asked);
    while (asked.follow && !signal.aborted) {
      const line = waiting.shift();
      if (line !== undefined) yield line;
      else await new Promise<void>(resolve => (wake = resolve));
    }
  } finally {
    stop();
  }
}

/** The last so many that are wanted. */
export function lastLines(ring: LogRing, asked: Omit<LogsAsked, 'follow'>): LogLine[] {
  const isWanted = wantedBy(asked);
  return ring
    .lines()
    .flatMap(text => parseLine(text) ?? [])
    .filter(isWanted)
    .slice(-asked.lines);
}

const wantedBy =
  ({ level, part }: Pick<LogsAsked, 'level' | 'part'>) =>
  (line: LogLine): boolean =>
    LEVELS.indexOf(line.level) >= LEVELS.indexOf(level) &&
    (part === '' || line.part === part || line.part.startsWith(`${part}.`));

/** One of pino's lines; null where it is none. */
function parseLine(text: string): LogLine | null {
  try {
    const { level, time, part, msg, ...facts } = JSON.parse(text) as Record<string, unknown>;
    const named = LEVEL_OF[Number(level)];
    if (named === undefined || typeof time !== 'string') return null;
    return { time, level: named, part: textOf(part), message: textOf(msg), facts };
  } catch {
    return null;
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
