#!/usr/bin/env node
// The `ginnel` command: joins the process to the program.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { keepHeapSmall } from './memory.ts';
import { processSurroundings } from './process.ts';
import { ginnel } from './program.ts';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const script = fileURLToPath(import.meta.url);

if (process.argv[2] === 'run') keepHeapSmall();

// A reader that closed early (`ginnel status | head`) is no error.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

process.exitCode = await ginnel(
  process.argv.slice(2),
  processSurroundings({
    version: manifest.version,
    script,
    // What only the daemon needs is loaded by the daemon only: a command answers in a third of the time.
    assemble: async ground => (await import('./assemble.ts')).assemble(ground),
    preload: async () => (await import('./assemble.ts')).preload(),
    atRest: async places => (await import('./assemble.ts')).assembleAtRest(places),
  }),
);
// A command has nothing left to do; what an open terminal or a library may still hold must not keep it.
setTimeout(() => process.exit(), 500).unref();
