// Builds the page's application: types checked by tsc, bundled by esbuild into dist/web/client, file names with a hash.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
const source = join(root, 'web/client');
const target = join(root, 'dist/web/client');
/** What earlier builds left; the pure parts that tsc puts beside are not touched. */
const BUILT = /^(app|chunk|icon)-[\w-]+\.(js|css|svg|map)(\.gz)?$|^index\.html(\.gz)?$/;

export async function buildClient() {
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', source], {
    stdio: 'inherit',
  });
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(target)) if (BUILT.test(name)) rmSync(join(target, name));
  const { metafile } = await build({
    entryPoints: { app: join(source, 'main.tsx') },
    outdir: target,
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: ['es2022', 'chrome109', 'firefox115', 'safari16'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    metafile: true,
    entryNames: '[name]-[hash]',
    chunkNames: 'chunk-[hash]',
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
  });
  const outputs = Object.keys(metafile.outputs).map(path => basename(path));
  const icon = hashed('icon', 'svg', readFileSync(join(source, 'icon.svg')));
  const page = readFileSync(join(source, 'index.html'), 'utf8')
    .replace(
      '{script}',
      outputs.find(name => /^app-.*\.js$/.test(name)),
    )
    .replace(
      '{style}',
      outputs.find(name => /^app-.*\.css$/.test(name)),
    )
    .replace('{icon}', icon);
  writeFileSync(join(target, 'index.html'), page);
  // Packed once here, and not at each request by a router.
  for (const name of readdirSync(target).filter(name => BUILT.test(name)))
    writeFileSync(join(target, `${name}.gz`), gzipSync(readFileSync(join(target, name)), { level: 9 }));
}

function hashed(name, extension, bytes) {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 8).toUpperCase();
  const file = `${name}-${hash}.${extension}`;
  writeFileSync(join(target, file), bytes);
  return file;
}
