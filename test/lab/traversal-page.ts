// Writes runs of punching into a part of docs/traversal.md, between its two marks, and draws it beside: nobody types figures.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PUNCH_KINDS } from './punch-plan.ts';
import type { PunchReport } from './punch-run.ts';
import { cellText, leftWords, resultsOf } from './punch-words.ts';
import type { CellResult } from './punch-words.ts';
import { traversalDrawing } from './traversal-drawing.ts';

/** Parts of the page. */
export const PARTS = ['udp', 'tcp', 'noise-one', 'noise-both', 'birthday', 'skew-udp', 'skew-tcp'] as const;
export type Part = (typeof PARTS)[number];

const DOCS = fileURLToPath(new URL('../../../docs', import.meta.url));

/** Throws an Error where the page lacks the marks of that part. */
export function writeTraversal(part: Part, reports: readonly PunchReport[], day = new Date()): void {
  const file = join(DOCS, 'traversal.md');
  const results = resultsOf(reports);
  const isTable = part === 'udp' || part === 'tcp';
  const [processor] = cpus();
  const loads = reports.map(({ load }) => load);
  const lines = [
    `${day.toISOString().slice(0, 10)}, ${processor?.model ?? 'unknown'}, ${cpus().length} processors for all boxes together (load average ${Math.min(...loads).toFixed(0)} to ${Math.max(...loads).toFixed(0)}), Linux ${release()}, Node ${process.versions.node}.`,
    '',
    ...(isTable ? [`![Who meets whom](traversal-${part}.svg)`, '', ...table(results)] : list(results)),
    '',
    ...leftWords(reports.flatMap(({ boxes }) => boxes)),
  ];
  writeFileSync(file, pageWith(readFileSync(file, 'utf8'), part, lines.join('\n')));
  if (isTable)
    writeFileSync(join(DOCS, `traversal-${part}.svg`), traversalDrawing(part, results, kindsOf(results)));
}

/** The page with those words in that part. Throws an Error where its marks are missing. */
export function pageWith(page: string, part: string, words: string): string {
  const [first, last] = [`<!-- ${part}: begin -->`, `<!-- ${part}: end -->`];
  const [begin, end] = [page.indexOf(first), page.indexOf(last)];
  if (begin < 0 || end < begin) throw new Error(`docs/traversal.md needs ${first} and ${last}.`);
  return `${page.slice(0, begin + first.length)}\n\n${words}\n\n${page.slice(end)}`;
}

function table(results: readonly CellResult[]): string[] {
  const kinds = kindsOf(results);
  const cell = (from: string, to: string): string => {
    const found = results.find(result => result.cell.from === from && result.cell.to === to);
    return found === undefined ? '' : cellText(found);
  };
  return [
    `| first packet from ↓ to → | ${kinds.join(' | ')} |`,
    `|---|${kinds.map(() => '---').join('|')}|`,
    ...kinds.map(from => `| **${from}** | ${kinds.map(to => cell(from, to)).join(' | ')} |`),
  ];
}

function list(results: readonly CellResult[]): string[] {
  const withCosts = results.some(({ costs }) => costs.length > 0);
  const more = withCosts ? [' left end: median (most) | right end |', '---|---|'] : ['', ''];
  return [
    `| cell | as expected | direct after (median) | at most | by |${more[0] ?? ''}`,
    `|---|---|---|---|---|${more[1] ?? ''}`,
    ...results.map(result => {
      const { cell, right, tries, times, methods, costs } = result;
      const seconds = (ms: number | undefined): string =>
        ms === undefined ? '–' : `${(ms / 1000).toFixed(1)} s`;
      const middle = times[Math.floor((times.length - 1) / 2)];
      return `| ${cell.from} × ${cell.to} | ${right} of ${tries} | ${seconds(middle)} | ${seconds(times.at(-1))} | ${methods.join(', ')} |${withCosts ? ` ${costs[0] ?? ''} | ${costs[1] ?? ''} |` : ''}`;
    }),
  ];
}

function kindsOf(results: readonly CellResult[]): string[] {
  return PUNCH_KINDS.filter(kind => results.some(({ cell }) => cell.from === kind || cell.to === kind));
}
