// How options are read from the command line; what does not fit is told as wrong usage.
import { InvalidArgumentError } from 'commander';

export function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 65535)
    throw new InvalidArgumentError('A port is a number from 1 to 65535.');
  return value;
}

export function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 10_000)
    throw new InvalidArgumentError('A number from 1 to 10000.');
  return value;
}

/** The server judges it; what cannot be one is told before anything is started. */
export function pool(text: string): string {
  if (!/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/.test(text))
    throw new InvalidArgumentError('A pool is a prefix such as 10.77.0.0/16.');
  return text;
}

/** Seconds, as ms. */
export function interval(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 60)) throw new InvalidArgumentError('Seconds, from 0.1 to 60.');
  return Math.round(value * 1000);
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const YEAR_MS = 365 * 86_400_000;

/** `30m`, `24h`, `7d`, as ms. */
export function duration(text: string): number {
  const [, amount, unit = ''] = /^(\d+)([mhd])$/.exec(text) ?? [];
  const ms = Number(amount) * (UNITS[unit] ?? 0);
  if (!(ms >= 60_000 && ms <= YEAR_MS))
    throw new InvalidArgumentError('A time such as 30m, 24h or 7d, up to 365d.');
  return ms;
}

export const each = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
