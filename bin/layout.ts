// Keeps screens within the terminal: long cells are shortened, sentences wrapped. Where there is none (a pipe), `columns`
// is infinite and all is whole.
import { filledUp, symbolsOf, symbolWidth, widthOf, widthsOf } from './words.ts';

export interface Row {
  readonly cells: readonly string[];
  /** A sentence on the row: beside it where that fits for all rows, else wrapped under it. */
  readonly more?: string;
}

/** No column is shortened below this. */
const LEAST_WIDTH = 8;
const GAP = 2;

/** `shrinks`: which columns may be shortened; the widest of them gives way first. */
export function rowsWithin(columns: number, rows: readonly Row[], shrinks: readonly number[]): string {
  const lines = filledUp(
    fitted(
      columns,
      rows.map(({ cells }) => cells),
      shrinks,
    ),
  );
  const beside = rows.map(({ more = '' }, n) => `${lines[n] ?? ''}${' '.repeat(GAP)}${more}`.trimEnd());
  if (beside.every(line => widthOf(line) <= columns)) return beside.join('\n');
  return rows
    .flatMap(({ more = '' }, n) => [
      shorten((lines[n] ?? '').trimEnd(), columns),
      ...(more === '' ? [] : [wrap(`  ${more}`, columns)]),
    ])
    .join('\n');
}

export const tableWidth = (rows: readonly Row[]): number => {
  const widths = widthsOf(rows.map(({ cells }) => cells));
  return widths.reduce((sum, width) => sum + width + GAP, -GAP);
};

function fitted(
  columns: number,
  rows: readonly (readonly string[])[],
  shrinks: readonly number[],
): string[][] {
  const widths = widthsOf(rows);
  const widthAt = (column: number): number => widths[column] ?? 0;
  let over = widths.reduce((sum, width) => sum + width + GAP, -GAP) - columns;
  for (; over > 0; over--) {
    const widest = shrinks.reduce((best, column) => (widthAt(column) > widthAt(best) ? column : best));
    if (widthAt(widest) <= LEAST_WIDTH) break;
    widths[widest] = widthAt(widest) - 1;
  }
  return rows.map(row => row.map((cell, column) => shorten(cell, widthAt(column))));
}

/** With an ellipsis in the last column where it is too long. Colours stay whole. */
export function shorten(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let room = columns - 1;
  let isCut = false;
  const kept = symbolsOf(text).map(symbol => {
    const width = symbolWidth(symbol);
    if (width === 0) return isCut && !symbol.startsWith('\u001b') ? '' : symbol;
    if (isCut) return '';
    room -= width;
    isCut = room < 0;
    return isCut ? '…' : symbol;
  });
  return kept.join('');
}

/** Line by line, at blanks where there are any; what a line is indented by, its continuation is too. */
export function wrap(text: string, columns: number): string {
  return text
    .split('\n')
    .map(line => (widthOf(line) <= columns ? line : wrappedLine(line, columns)))
    .join('\n');
}

function wrappedLine(text: string, columns: number): string {
  const indent = /^ */.exec(text)?.[0] ?? '';
  const room = Math.max(LEAST_WIDTH, columns - indent.length);
  const lines: string[] = [];
  let line = '';
  for (const word of text.trim().split(' ')) {
    for (const piece of piecesOf(word, room)) {
      const isFull = line !== '' && widthOf(line) + 1 + widthOf(piece) > room;
      if (isFull) lines.push(line);
      line = line === '' || isFull ? piece : `${line} ${piece}`;
    }
  }
  return [...lines, line].map(each => `${indent}${each}`.trimEnd()).join('\n');
}

/** A word that is longer than a line, cut. */
function piecesOf(word: string, room: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let width = 0;
  for (const symbol of symbolsOf(word)) {
    if (width + symbolWidth(symbol) > room) {
      pieces.push(piece);
      [piece, width] = ['', 0];
    }
    piece += symbol;
    width += symbolWidth(symbol);
  }
  return [...pieces, piece];
}
