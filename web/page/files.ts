// The files of the client. A path is a file's name or nothing: what is not made of plain letters is not looked for, so no
// way leads out of the folder.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type Koa from 'koa';
import { isApiPath } from './guards.ts';
import { pageErrors } from './errors.ts';

const PLAIN_PATH = /^(\/[A-Za-z0-9_-][A-Za-z0-9_.-]*){1,3}$/;
/** As the bundler names them: `main-K3XQ7ZPD.js`. */
const HASHED = /-[A-Z0-9]{8}\.[a-z0-9.]+$/;
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  woff2: 'font/woff2',
  webmanifest: 'application/manifest+json',
  txt: 'text/plain; charset=utf-8',
};

type Context = Koa.ParameterizedContext;

/** Answers all that is not of the interface. `folder`: where the client was built to. */
export const files =
  (folder: string) =>
  async (context: Context, next: Koa.Next): Promise<unknown> => {
    if (isApiPath(context.path) || (context.method !== 'GET' && context.method !== 'HEAD')) return next();
    const path = context.path === '/' ? '/index.html' : context.path;
    const type = TYPES[path.split('.').at(-1) ?? ''];
    if (!PLAIN_PATH.test(path) || type === undefined) throw pageErrors('PAGE_NO_FILE');
    const isGzipWanted = context.acceptsEncodings('gzip', 'identity') === 'gzip';
    const found = await fileAt(join(folder, path), isGzipWanted);
    if (found === null)
      throw path === '/index.html' ? pageErrors('PAGE_NOT_BUILT') : pageErrors('PAGE_NO_FILE');
    context.set('Content-Type', type);
    if (HASHED.test(path)) context.set('Cache-Control', 'public, max-age=31536000, immutable');
    context.vary('Accept-Encoding');
    if (found.isGzip) context.set('Content-Encoding', 'gzip');
    context.body = found.bytes;
    return undefined;
  };

interface Found {
  readonly bytes: Buffer;
  readonly isGzip: boolean;
}

/** Compressed where the build put that beside it. */
async function fileAt(path: string, isGzipWanted: boolean): Promise<Found | null> {
  const packed = isGzipWanted ? await bytesOf(`${path}.gz`) : null;
  if (packed !== null) return { bytes: packed, isGzip: true };
  const bytes = await bytesOf(path);
  return bytes === null ? null : { bytes, isGzip: false };
}

async function bytesOf(path: string): Promise<Buffer | null> {
  const facts = await stat(path).catch(() => null);
  return facts?.isFile() === true ? readFile(path) : null;
}

/** What is asked for by hand is answered in words, not in JSON. */
export async function inWords(context: Context, next: Koa.Next): Promise<void> {
  await next();
  if (context.status < 400 || isApiPath(context.path)) return;
  const { message } = { ...(context.body as { message?: string } | undefined) };
  if (typeof message === 'string') {
    context.body = `${message}\n`;
    context.type = 'text/plain; charset=utf-8';
  }
}
