// Writes docs/errors.md and docs/health.md from the catalogues in dist/ (npm run build first).
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = new URL('..', import.meta.url).pathname;
const TOPS = ['base', 'system', 'core', 'plugins', 'server', 'web', 'bin'];

const ERRORS = `# Errors

Every error that a person may meet, by its code. Codes are stable; words may change. *Again?*: may the same thing work later without anybody changing anything? A word in braces is filled in when the error is told. This page is written by \`npm run docs:errors\`; a test compares it with the code.
`;
const HEALTH = `# Health

What \`ginnel status\` says unasked, by its code: *problem*, something does not work; *warning*, it works, but not as it should; *note*, good to know. Codes are stable; words may change. A line that tells of an error carries that error's code: [errors.md](errors.md). A word in braces is filled in when it is told. This page is written by \`npm run docs:errors\`; a test compares it with the code.
`;

await write('errors', ERRORS, '| code | what and why | what to do | again? |', errorRow);
await write('health', HEALTH, '| code | severity | what and why | what to do |', healthRow);

async function write(name, opening, header, row) {
  const sections = [];
  for (const file of TOPS.flatMap(top => catalogues(join(root, 'dist', top), `${name}.js`))) {
    const rows = Object.values(await import(pathToFileURL(file).href))
      .filter(value => typeof value === 'function' && value.kinds)
      .flatMap(catalogue => Object.entries(catalogue.kinds))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(row);
    if (rows.length === 0) continue;
    const folder = dirname(file.slice(join(root, 'dist/').length));
    sections.push(`## ${folder}\n\n${header}\n|---|---|---|---|\n${rows.join('\n')}\n`);
  }
  writeFileSync(join(root, `docs/${name}.md`), `${opening}\n${sections.join('\n')}`);
}

function catalogues(folder, wanted) {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return catalogues(path, wanted);
    return name === wanted ? [path] : [];
  });
}

function errorRow([code, { what, why, todo, retry }]) {
  return `| \`${code}\` | ${cell(what, why)} | ${cell(todo)} | ${retry ? 'yes' : 'no'} |`;
}

function healthRow([code, { severity, what, why, todo }]) {
  return `| \`${code}\` | ${severity} | ${cell(what, why)} | ${cell(todo)} |`;
}

function cell(...texts) {
  return texts.filter(Boolean).join(' ').replaceAll('|', '\\|');
}
