// Writes a run into docs/performance.md, between its two marks, and draws docs/performance.svg: nobody types figures.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawing } from './drawing.ts';
import type { Report } from './figures.ts';
import { packageRoot } from './versions.ts';
import { markdown } from './words.ts';

const BEGIN = '<!-- last run: begin -->';
const END = '<!-- last run: end -->';

/** `remark`: a sentence on the circumstances, put first; empty: none. */
export function writePage(report: Report, remark: string): void {
  const docs = join(packageRoot(), 'docs');
  const file = join(docs, 'performance.md');
  const run = remark === '' ? markdown(report) : `**${remark}**\n\n${markdown(report)}`;
  writeFileSync(file, pageWith(readFileSync(file, 'utf8'), run));
  writeFileSync(join(docs, 'performance.svg'), drawing(report));
}

/** The page with that run in it. Throws an Error where the marks are missing. */
export function pageWith(page: string, run: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/performance.md needs ${BEGIN} and ${END}.`);
  return `${page.slice(0, begin + BEGIN.length)}\n${run}\n${page.slice(end)}`;
}
