// Builds dist/: tsc for the code, the page's application, and the files that are read as they are (manifests, schemas).
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildClient } from './build-client.mjs';

const root = new URL('..', import.meta.url).pathname;
const COPIED = /(^|\/)plugin\.json$|^docs\/openapi\.yaml$|^test\/.*\.json$/;
const WALKED = ['plugins', 'docs', 'test'];

execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', root], {
  stdio: 'inherit',
});
for (const top of WALKED) if (existsSync(join(root, top))) copy(top);
const command = join(root, 'dist/bin/ginnel.js');
if (existsSync(command)) chmodSync(command, 0o755);
await buildClient();

function copy(path) {
  for (const name of readdirSync(join(root, path))) {
    const child = `${path}/${name}`;
    if (statSync(join(root, child)).isDirectory()) copy(child);
    else if (COPIED.test(child)) {
      mkdirSync(dirname(join(root, 'dist', child)), { recursive: true });
      cpSync(join(root, child), join(root, 'dist', child));
    }
  }
}
