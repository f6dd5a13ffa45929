// Counts the asserts in a file of raw TAP and names what failed or was skipped; the last line is the count.
//   node scripts/tap-summary.mjs .tap/results.tap [--allowed .ci/allowed-skips]
// Exit code 1: something failed, nothing passed, or (with --allowed) a skip is not listed there.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const RESULT = /^( *)(not )?ok \d+(?: - )?(.*)$/;
const SUBTEST = /^( *)# Subtest(?::|$)/;

/** Only leaves count; a container that failed without a failed leaf (a crash, a time-out) counts as one failure. */
export function summarize(tap) {
  const found = { passed: 0, failed: [], skipped: [] };
  // One frame per open subtest: its depth and the failures seen when it began.
  const open = [];
  for (const line of tap.split('\n')) {
    const subtest = SUBTEST.exec(line);
    if (subtest !== null) {
      open.push({ indent: subtest[1].length, failures: found.failed.length, leaves: countOf(found) });
      continue;
    }
    const result = RESULT.exec(line);
    if (result !== null) count(found, open, result);
  }
  return found;
}

function count(found, open, [, indent, not, text]) {
  const frame = open.at(-1);
  const closes = frame !== undefined && frame.indent === indent.length;
  if (closes) open.pop();
  const name = text.replace(/ # time=.*$/, '');
  if (not !== undefined && !/# TODO/i.test(text)) {
    if (!closes || frame.failures === found.failed.length) found.failed.push(name);
  } else if (/# (SKIP|TODO)/i.test(text)) found.skipped.push(name);
  else if (!closes || frame.leaves === countOf(found)) found.passed += 1;
}

function countOf({ passed, failed, skipped }) {
  return passed + failed.length + skipped.length;
}

function main([file, option, allowedFile]) {
  const { passed, failed, skipped } = summarize(readFileSync(file, 'utf8'));
  const allowed = option === '--allowed' ? allowedSkips(allowedFile) : null;
  const unlisted = allowed === null ? [] : skipped.filter(name => !allowed.some(line => name.includes(line)));
  for (const name of failed) console.log(`failed:  ${name}`);
  for (const name of skipped)
    console.log(`skipped: ${name}${unlisted.includes(name) ? '  (not in the list of allowed skips)' : ''}`);
  console.log(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  return failed.length === 0 && passed > 0 && unlisted.length === 0 ? 0 : 1;
}

function allowedSkips(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.map(line => line.trim()).filter(line => line !== '' && !line.startsWith('#'));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) process.exit(main(process.argv.slice(2)));
