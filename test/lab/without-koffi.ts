// The built product on a machine that koffi has no binary for: a copy of it with a node_modules of its own, in which koffi's
// code lies as always and its binaries do not. All else is linked to.
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BINARIES = '@koromix';
const KOFFI = 'koffi';

/** Answers the command's script: `node SCRIPT run`. `hasSlowerDoor`: is that installed there? */
export function copyWithoutKoffi(folder: string, hasSlowerDoor = true): string {
  const modules = join(folder, 'node_modules');
  mkdirSync(modules, { recursive: true });
  const dist = join(ROOT, 'dist');
  const isTest = (path: string): boolean => path.startsWith(join(dist, 'test'));
  cpSync(dist, join(folder, 'dist'), { recursive: true, filter: path => !isTest(path) });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  const linked = readdirSync(join(ROOT, 'node_modules')).filter(name => name !== BINARIES && name !== KOFFI);
  for (const name of linked) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  // A link would lead node to where the binaries are.
  cpSync(join(ROOT, 'node_modules', KOFFI), join(modules, KOFFI), { recursive: true });
  if (hasSlowerDoor) symlinkSync(join(ROOT, 'optional'), join(folder, 'optional'));
  return join(folder, 'dist/bin/ginnel.js');
}
