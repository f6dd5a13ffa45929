// Figures as a person reads them, by the rules of their language (Intl): bytes, rates, round trips, times.

export interface Format {
  readonly language: string;
  number(value: number, digits?: number): string;
  /** `0.25` → 25 %. */
  percent(share: number): string;
  bytes(count: number): string;
  /** Bits per second. */
  rate(bits: number): string;
  ms(value: number | null): string;
  /** `5 minutes ago`, of a moment that far back. */
  ago(seconds: number): string;
  /** `in 3 hours`, `2 days ago`. */
  until(at: number, now: number): string;
  date(at: number): string;
  /** The time of day; where `now` is told and is another day, with the day. */
  time(at: number, now?: number): string;
  list(words: readonly string[]): string;
}

const BYTES = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
const BITS = ['bit', 'kilobit', 'megabit', 'gigabit'].map(unit => `${unit}-per-second`);
/** For the units that Intl knows only alone. */
const RATE_WORDS = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'];
const SPANS: readonly (readonly [seconds: number, unit: Intl.RelativeTimeFormatUnit])[] = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];

/** Intl says 现在, which is no word for what has just been. */
const ZH_NOW = '刚刚';

export const NOTHING = '–';

export function formatIn(language: string): Format {
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const time = new Intl.DateTimeFormat(language, { timeStyle: 'medium' });
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });
  const list = new Intl.ListFormat(language);
  const number = cached(digits => new Intl.NumberFormat(language, { maximumFractionDigits: digits }));
  const span = (seconds: number): string => {
    const [size, unit] = SPANS.find(([least]) => Math.abs(seconds) >= least) ?? [1, 'second'];
    const count = Math.trunc(seconds / size);
    return count === 0 && language.startsWith('zh') ? ZH_NOW : relative.format(count, unit);
  };
  return {
    language,
    number: (value, digits = 0) => number(digits).format(value),
    percent: share =>
      new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 }).format(share),
    bytes: count => {
      const [value, step] = stepOf(count, BYTES.length);
      if (step === 0) return `${number(0).format(value)} B`;
      return unitOf(language, BYTES[step] ?? 'byte', value);
    },
    rate: bits => {
      const [value, step] = stepOf(bits, BITS.length);
      return `${number(digitsOf(value)).format(value)} ${RATE_WORDS[step] ?? ''}`;
    },
    // As router pages in China have it, and short enough for the map.
    ms: value => {
      if (value === null) return NOTHING;
      if (language.startsWith('zh')) return `${number(digitsOf(value)).format(value)} ms`;
      return unitOf(language, 'millisecond', value);
    },
    ago: seconds => span(-Math.max(0, seconds)),
    until: (at, now) => span((at - now) / 1000),
    date: at => date.format(at),
    time: (at, now = at) => (isSameDay(at, now) ? time : day).format(at),
    list: words => list.format(words),
  };
}

const isSameDay = (a: number, b: number): boolean =>
  new Date(a).toDateString() === new Date(b).toDateString();

/** Of 1000 each: `1_200_000` → [1.2, 2]. */
function stepOf(value: number, steps: number): readonly [value: number, step: number] {
  const step = value < 1000 ? 0 : Math.min(steps - 1, Math.floor(Math.log10(value) / 3));
  return [value / 1000 ** step, step];
}

const digitsOf = (value: number): number => (value !== 0 && value < 10 ? 1 : 0);

function unitOf(language: string, unit: string, value: number): string {
  const digits = digitsOf(value);
  const style = { style: 'unit', unit, unitDisplay: unit === 'byte' ? 'narrow' : 'short' } as const;
  return new Intl.NumberFormat(language, { ...style, maximumFractionDigits: digits }).format(value);
}

function cached<T>(make: (digits: number) => T): (digits: number) => T {
  const made = new Map<number, T>();
  return digits => {
    const known = made.get(digits) ?? make(digits);
    made.set(digits, known);
    return known;
  };
}
