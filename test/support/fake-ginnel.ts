// The whole `ginnel` program with made-up admins behind it: real processes, sockets, store and signals; no kernel doors.
import { fileURLToPath } from 'node:url';
import { processSurroundings } from '../../bin/process.ts';
import { ginnel } from '../../bin/program.ts';

// Loaded as root, run as somebody else.
const uid = process.env['FAKE_UID'];
if (uid !== undefined) process.setuid?.(Number(uid));

process.exitCode = await ginnel(
  process.argv.slice(2),
  processSurroundings({
    version: '1.2.3',
    script: fileURLToPath(import.meta.url),
    // Only the daemon loads what a daemon needs, as with the real one.
    assemble: async ground => (await import('./fake-parts.ts')).fakeParts(ground),
    preload: () =>
      process.env['FAKE_NO_SUCCESSOR'] === '1'
        ? Promise.reject(new Error('made to fail'))
        : Promise.resolve(),
    atRest: async places => (await import('./fake-parts.ts')).assembleAtRest(places),
  }),
);
setTimeout(() => process.exit(), 500).unref();
