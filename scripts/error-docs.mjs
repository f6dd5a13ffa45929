// Writes docs/errors.md from the catalogues in dist/ (npm run build first).
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = new URL('..', import.meta.url).pathname;
const files = ['base', 'system', 'core', 'plugins', 'server', 'web', 'bin'].flatMap(top =>
  catalogues(join(root, 'dist', top)),
);
const sections = [];
for (const file of files) {
  const found = Object.values(await import(pathToFileURL(file).href)).filter(
    value => typeof value === 'function' && value.kinds,
  );
  const rows = found
    .flatMap(catalogue => Object.entries(catalogue.kinds))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (rows.length === 0) continue;
  const folder = file.slice(join(root, 'dist/').length).replace(/\/errors\.js$/, '');
  sections.push(
    `## ${folder}\n\n| code | what and why | what to do | again? |\n|---|---|---|---|\n${rows.map(row).join('\n')}\n`,
  );
}
writeFileSync(
  join(root, 'docs/errors.md'),
  `# Errors\n\nEvery error that a person may meet, by its code. Codes are stable; words may change. *Again?*: may the same thing work later without anybody changing anything? A word in braces is filled in when the error is told. This page is written by \`npm run docs:errors\`; a test compares it with the code.\n\n${sections.join('\n')}`,
);

function catalogues(folder) {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return catalogues(path);
    return name === 'errors.js' ? [path] : [];
  });
}

function row([code, { what, why, todo, retry }]) {
  const cell = text => text.replaceAll('|', '\\|');
  return `| \`${code}\` | ${cell([what, why].filter(Boolean).join(' '))} | ${cell(todo)} | ${retry ? 'yes' : 'no'} |`;
}
