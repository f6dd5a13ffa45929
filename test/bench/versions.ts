// Which version of a contender runs, and from when it is: no figure is worth anything without both.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Version } from './figures.ts';

/** An installed Debian package, and when that version of the program was first packaged. Throws where it is not known. */
export function debianVersion(name: string, program: string): Version {
  const version = run('dpkg-query', ['-W', '-f', '${Version}', name]);
  if (version === '')
    throw new Error(`The version of ${name} cannot be told: dpkg-query knows no such package.`);
  return { version, date: dateInside(version) ?? dateInChangelog(name, version) ?? dateOfFile(program) };
}

/** Ours: the number, the commit, and its day. */
export function ownVersion(): Version {
  const root = packageRoot();
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const commit = run('git', ['-C', root, 'log', '-1', '--format=%h %cs']);
  const [hash = '', date = ''] = commit.split(' ');
  if (commit === '') return { version, date: dayOf(statSync(join(root, 'package.json')).mtime) };
  const isChanged = run('git', ['-C', root, 'status', '--porcelain', '--untracked-files=no']) !== '';
  return { version: `${version} (${hash}${isChanged ? ', changed' : ''})`, date };
}

export function packageRoot(): string {
  const built = fileURLToPath(new URL('../../..', import.meta.url));
  return existsSync(join(built, 'package.json')) ? built : fileURLToPath(new URL('../..', import.meta.url));
}

/** `0.0.20220316` carries its own. */
function dateInside(version: string): string | null {
  const found = /\.(20\d\d)(\d\d)(\d\d)\b/.exec(version);
  return found === null ? null : `${found[1] ?? ''}-${found[2] ?? ''}-${found[3] ?? ''}`;
}

/** The oldest entry of the same upstream version. */
export function dateInEntries(changelog: string, version: string): string | null {
  const upstream = version.replace(/-[^-]*$/, '');
  let [isSame, date] = [false, ''];
  for (const line of changelog.split('\n')) {
    const head = /^\S+ \(([^)]+)\)/.exec(line);
    if (head !== null) isSame = (head[1] ?? '').replace(/-[^-]*$/, '') === upstream;
    const signed = /^ -- .*> {2}(.+)$/.exec(line);
    if (signed !== null && isSame) date = signed[1] ?? '';
  }
  return date === '' ? null : dayOf(new Date(date));
}

function dateInChangelog(name: string, version: string): string | null {
  const folder = `/usr/share/doc/${name}`;
  const file = ['changelog.Debian.gz', 'changelog.gz']
    .map(each => join(folder, each))
    .find(each => existsSync(each));
  return file === undefined ? null : dateInEntries(gunzipSync(readFileSync(file)).toString(), version);
}

/** Debian sets it to the day of the package's last change. */
function dateOfFile(program: string): string {
  return dayOf(statSync(run('bash', ['-c', `command -v ${program}`])).mtime);
}

const dayOf = (date: Date): string => date.toISOString().slice(0, 10);

/** Empty where it could not be asked. */
function run(file: string, args: readonly string[]): string {
  try {
    return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}
