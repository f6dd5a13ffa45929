// Who may import whom (ARCHITECTURE.md): the directions that keep the house open to change.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import t from 'tap';
import { repositoryRoot } from '../../support/repository.ts';

/** For each part: the parts it may import, and those whose types alone it may import. */
const ALLOWED: Record<string, { code: string[]; types: string[] }> = {
  protocol: { code: [], types: [] },
  base: { code: [], types: ['protocol'] },
  system: { code: ['base', 'protocol'], types: ['core/contract', 'core/dataplane'] },
  'core/contract': { code: [], types: ['base', 'protocol', 'system'] },
  'core/dataplane': { code: ['core/contract', 'protocol', 'base'], types: ['system'] },
  'core/paths': {
    code: ['core/contract', 'protocol', 'base'],
    types: ['system', 'core/dataplane', 'core/control', 'core/peers', 'core'],
  },
  'core/plugin-host': { code: ['core/contract', 'protocol', 'base'], types: ['core'] },
  'core/control': { code: ['core/contract', 'core/peers', 'protocol', 'base'], types: ['system'] },
  'core/peers': { code: ['core/contract', 'core/control', 'protocol', 'base'], types: [] },
  core: {
    code: [
      'core/contract',
      'core/dataplane',
      'core/paths',
      'core/plugin-host',
      'core/control',
      'core/peers',
      'protocol',
      'base',
      'system',
    ],
    types: [],
  },
  plugins: { code: ['core/contract', 'protocol', 'base'], types: [] },
  server: { code: ['protocol', 'base', 'system'], types: [] },
  web: { code: ['base'], types: ['core/contract', 'core', 'server'] },
  'web/client': { code: [], types: [] },
};
const PURE = ['protocol'];

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    return /\.tsx?$/.test(name) ? [path] : [];
  });
}

/** The longest known part that holds a path; a plugin is a part of its own. */
function partOf(path: string): string {
  const parts = path.split('/');
  if (parts[0] === 'plugins') return `plugins/${parts[1] ?? ''}`;
  const two = parts.slice(0, 2).join('/');
  return two in ALLOWED && parts.length > 2 ? two : (parts[0] ?? '');
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(repositoryRoot, file), 'utf8');
  const found: Import[] = [];
  for (const match of text.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?[^'";]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|^import\s+'([^']+)'/gm,
  )) {
    const target = match[2] ?? match[3] ?? match[4];
    if (target !== undefined) found.push({ file, target, typeOnly: match[1] !== undefined });
  }
  return found;
}

function violation({ file, target, typeOnly }: Import): string | null {
  const from = partOf(file);
  const rules = ALLOWED[from.startsWith('plugins/') ? 'plugins' : from];
  if (rules === undefined) return null;
  if (!target.startsWith('.')) {
    return PURE.includes(from) && target.startsWith('node:')
      ? `${file}: ${target}: protocol is pure code`
      : null;
  }
  const to = partOf(relative(repositoryRoot, join(repositoryRoot, dirname(file), target)));
  const allowed = to === from || rules.code.includes(to) || (typeOnly && rules.types.includes(to));
  return allowed ? null : `${file}: imports ${typeOnly ? 'types of ' : ''}${to} (${target})`;
}

t.test('each part imports only what it may', t => {
  const files = ['protocol', 'base', 'system', 'core', 'plugins', 'server', 'web']
    .flatMap(top => sources(join(repositoryRoot, top)))
    .map(path => relative(repositoryRoot, path));
  t.ok(files.length > 20, 'the sources were found');
  t.same(
    files
      .flatMap(importsOf)
      .map(violation)
      .filter(problem => problem !== null),
    [],
  );
  t.end();
});

t.test('nobody lets node generate key pairs: it can stop the process for good (system/crypto.ts)', t => {
  const users = ['system', 'core', 'plugins', 'server', 'web', 'bin']
    .flatMap(top => sources(join(repositoryRoot, top)))
    .filter(path => /\bgenerateKeyPair(Sync)?\(/.test(readFileSync(path, 'utf8')));
  t.same(users, []);
  t.end();
});

t.test('the rules notice a wrong direction', t => {
  t.ok(violation({ file: 'core/paths/peer.ts', target: '../../plugins/nat-stun/index.ts', typeOnly: true }));
  t.ok(violation({ file: 'server/registry.ts', target: '../core/node.ts', typeOnly: false }));
  t.ok(violation({ file: 'plugins/webrtc/index.ts', target: '../nat-stun/index.ts', typeOnly: false }));
  t.ok(violation({ file: 'protocol/stun/message.ts', target: 'node:crypto', typeOnly: false }));
  t.end();
});
