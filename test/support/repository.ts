// Where the sources are, seen from the compiled tests in dist/test.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = ((): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'tsconfig.json'))) folder = dirname(folder);
  return folder;
})();
