// The wrapper around every lab: apart from the machine, two at a time, gone after a kill.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Test } from 'tap';
import { endOf } from './place.ts';
import { until } from './waiting.ts';
import { whyNoLab } from './wrapper.ts';

const PROGRAM = fileURLToPath(new URL('./held-lab.js', import.meta.url));
const noLab = whyNoLab();

t.test('a lab lacks a tool: the file is skipped and the package named', t => {
  const { stdout, status } = spawnSync(process.execPath, [PROGRAM, '--needs', 'no-such-tool'], {
    encoding: 'utf8',
  });
  t.equal(status, 0);
  t.match(stdout, /^1\.\.0 # SKIP .*(root|no-such-tool: apt-get install some-package)/m);
  t.end();
});

t.test('the exit code comes through', { skip: noLab ?? false }, t => {
  for (const code of [0, 7])
    t.equal(
      spawnSync(process.execPath, [PROGRAM, '--exit', String(code)], { env: ownLocks(t) }).status,
      code,
    );
  t.end();
});

t.test('nothing of a lab survives a kill -9 of its test', { skip: noLab ?? false }, async t => {
  const mark = `98765.${process.pid}`;
  const held = hold(t, ownLocks(t), mark);
  const namespace = await held.entered;
  t.not(namespace, readlinkSync('/proc/self/ns/net'), 'a network namespace of its own');
  t.equal(
    commandLines().filter(line => line.includes(mark)).length > 0,
    true,
    'its processes are seen from outside',
  );
  held.child.kill('SIGKILL');
  await until(
    'the end of every process of the lab',
    5000,
    () => !commandLines().some(line => line.includes(mark)),
  );
  // A process that ends loses its command line a moment before its namespace.
  await until('the end of its namespace', 5000, () => !namespacesInUse().has(namespace));
});

t.test('two labs at most: a third waits for a place', { skip: noLab ?? false }, async t => {
  const env = ownLocks(t);
  const [one, two] = [hold(t, env, '1111'), hold(t, env, '1112')];
  await Promise.all([one.entered, two.entered]);
  const third = hold(t, env, '1113');
  const [first] = await Promise.all([
    Promise.race([third.entered.then(() => 'third entered'), endOf(one.child).then(() => 'one ended')]),
    waitsForPlace(third.child).then(() => one.child.kill('SIGKILL')),
  ]);
  t.equal(first, 'one ended');
  await third.entered;
});

interface Held {
  readonly child: ChildProcess;
  /** The name of its network namespace. */
  readonly entered: Promise<string>;
}

function hold(t: Test, env: NodeJS.ProcessEnv, mark: string): Held {
  const child = spawn(process.execPath, [PROGRAM, '--mark', mark], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const entered = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const namespace = /^held (.*)$/m.exec(text)?.[1];
      if (namespace !== undefined) resolve(namespace);
    });
    child.once('exit', () => reject(new Error('ended before it entered')));
  });
  entered.catch(() => undefined);
  return { child, entered };
}

/** Lock files of the test's own: labs of others on this machine don't count. */
function ownLocks(t: Test): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(tmpdir(), 'ginnel-lab-test-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return { ...process.env, TMPDIR: folder };
}

/** True once its shell sits in the loop that tries the two locks. */
async function waitsForPlace(child: ChildProcess): Promise<void> {
  await until('the third to ask for a place', 5000, () =>
    processes().some(({ parent, line }) => parent === child.pid && line.includes('ginnel-lab-$place')),
  );
}

function commandLines(): string[] {
  return processes().map(({ line }) => line);
}

function processes(): { parent: number; line: string }[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return [{ parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), line }];
      } catch {
        // It ended between the listing and the reading.
        return [];
      }
    });
}

function namespacesInUse(): Set<string> {
  const links = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => {
      try {
        return readlinkSync(`/proc/${pid}/ns/net`);
      } catch {
        // It ended between the listing and the reading.
        return '';
      }
    });
  return new Set(links);
}
