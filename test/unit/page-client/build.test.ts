// The page as it was built: small, without a word of script or style in its HTML, and from nowhere else.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { repositoryRoot } from '../../support/repository.ts';

const LIMIT = 120 * 1024;
const folder = join(repositoryRoot, 'dist/web/client');
const page = readFileSync(join(folder, 'index.html'), 'utf8');
const read = (name: string): Buffer => readFileSync(join(folder, name));

/** What is fetched at the first view: what the page names, and what that imports at once. */
function atOnce(): readonly string[] {
  const named = [...page.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(match => match[1] ?? '');
  const seen = new Set<string>();
  const walk = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    if (!name.endsWith('.js')) return;
    for (const match of read(name)
      .toString()
      .matchAll(/(?:^|[;}])import(?:[^;"'()]*from)?"\.\/([^"]+)"/g))
      walk(match[1] ?? '');
  };
  named.forEach(walk);
  return [...seen];
}

/** What comes besides where the page is read in Chinese. */
const chinese = (): readonly string[] =>
  readdirSync(folder).filter(
    name => /^chunk-.*\.js$/.test(name) && !atOnce().includes(name) && read(name).includes('定位服务器'),
  );

t.test('at most 120 KiB go over the line at the first view, in Chinese too', async t => {
  const files = [...atOnce(), ...chinese()];
  t.equal(chinese().length, 1, 'Chinese is a file of its own');
  t.ok(files.some(name => name.endsWith('.js')) && files.some(name => name.endsWith('.css')));
  for (const pack of [gzipSync, brotliCompressSync]) {
    const bytes = ['index.html', ...files].reduce((sum, name) => sum + pack(read(name)).length, 0);
    t.comment(`${pack.name}: ${bytes} bytes`);
    t.ok(bytes > 10_000 && bytes <= LIMIT, `${pack.name}: ${bytes}`);
  }
});

t.test('the decoder of QR codes is not among it', async t => {
  const later = readdirSync(folder).filter(name => /^chunk-.*\.js$/.test(name) && !atOnce().includes(name));
  t.ok(later.some(name => read(name).length > 50_000));
});

t.test('no script or style in the HTML, and nothing from elsewhere', async t => {
  t.notMatch(page, /<style|style=|<script(?![^>]*src=)|\son\w+=/i);
  t.notMatch(page, /(?:src|href)="(?!\/)/);
  for (const name of atOnce().filter(one => one.endsWith('.css')))
    t.notMatch(read(name).toString(), /url\(|@import/);
});

t.test('each file is packed beside itself, for a router that has better to do', async t => {
  const names = readdirSync(folder);
  const built = names.filter(name => /^(app|chunk|icon)-.*\.(js|css|svg)$|^index\.html$/.test(name));
  t.same(
    built.filter(name => !names.includes(`${name}.gz`)),
    [],
  );
});
