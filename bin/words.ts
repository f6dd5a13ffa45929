// Figures and names as people read them. What others named (peers, reasons) is hostile text until it went through `plain`.

/** Without control characters, line breaks, direction marks and what is not seen at all, which could repaint a terminal. */
export const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '?');

export function bytesInWords(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let amount = bytes;
  let unit = 0;
  for (; amount >= 999.5 && unit < units.length - 1; unit++) amount /= 1000;
  return `${amount < 10 && unit > 0 ? amount.toFixed(1) : amount.toFixed(0)} ${units[unit] ?? ''}`;
}

export const millisecondsInWords = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;

export const percentInWords = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** `4 s`, `25 min`, `3 h`, `2 d`. */
export function durationInWords(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** Columns side by side, two blanks between; the last column is not filled up. */
export const table = (rows: readonly (readonly string[])[]): string =>
  filledUp(rows)
    .map(line => line.trimEnd())
    .join('\n');

/** The same line by line, each cell as wide as its column. */
export function filledUp(rows: readonly (readonly string[])[]): string[] {
  const widths = widthsOf(rows);
  return rows.map(row =>
    row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell))).join('  '),
  );
}

export function widthsOf(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))));
  return widths;
}

/** Characters, and our own colours whole. */
// eslint-disable-next-line no-control-regex -- our own colours are control sequences
export const symbolsOf = (text: string): string[] => text.match(/\x1b\[\d+m|./gsu) ?? [];

/** In columns of a terminal. */
export const widthOf = (text: string): number =>
  symbolsOf(text).reduce((width, symbol) => width + symbolWidth(symbol), 0);

const WIDE =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

export function symbolWidth(symbol: string): number {
  if (symbol.startsWith('\u001b') || /^\p{M}/u.test(symbol)) return 0;
  return WIDE.test(symbol) ? 2 : 1;
}

export interface Paint {
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
}

/** Colour only where a terminal asks for it, and never as the only sign. */
export function paint(isColoured: boolean): Paint {
  const in_ = (code: number) => (text: string) => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { good: in_(32), warn: in_(33), bad: in_(31) };
}
