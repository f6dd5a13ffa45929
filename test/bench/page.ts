// Writes a run into docs/performance.md, between its two marks, and draws docs/performance.svg: nobody types figures. A run of
// the case `page` alone has marks of its own, and no drawing.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawing } from './drawing.ts';
import type { Report } from './figures.ts';
import { packageRoot } from './versions.ts';
import { markdown } from './words.ts';

export type Section = 'last run' | 'page';

/** `remark`: a sentence on the circumstances, put first; empty: none. */
export function writePage(report: Report, remark: string): void {
  const docs = join(packageRoot(), 'docs');
  const file = join(docs, 'performance.md');
  const run = remark === '' ? markdown(report) : `**${remark}**\n\n${markdown(report)}`;
  const section = Object.keys(report.samples).every(name => name === 'page') ? 'page' : 'last run';
  writeFileSync(file, pageWith(readFileSync(file, 'utf8'), run, section));
  if (section === 'last run') writeFileSync(join(docs, 'performance.svg'), drawing(report));
}

/** The page with that run in it. Throws an Error where the marks are missing. */
export function pageWith(page: string, run: string, section: Section = 'last run'): string {
  const marks = ['begin', 'end'].map(which => `<!-- ${section}: ${which} -->`);
  const [begin = -1, end = -1] = marks.map(mark => page.indexOf(mark));
  if (begin < 0 || end < begin) throw new Error(`docs/performance.md needs ${marks.join(' and ')}.`);
  return `${page.slice(0, begin + marks[0]!.length)}\n${run}\n${page.slice(end)}`;
}
