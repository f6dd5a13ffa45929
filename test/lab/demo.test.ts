// The demo is a proof only if it can fail: it passes as it is, and goes red when the server carries the data.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { GINNEL } from './ginnel.ts';
import { endOf } from './place.ts';
import { whyNoLab } from './wrapper.ts';

const DEMO = fileURLToPath(new URL('./demo.js', import.meta.url));
const skip = whyNoLab() ?? (existsSync(GINNEL) ? false : 'the ginnel command is not built');

const PATIENCE_MS = 55_000;

t.test(
  'V1, V12, V14, P5: two homes behind NATs move a file, and the server carries none of it; the page is there to see',
  { skip },
  async t => {
    const { status, stdout, pages } = await demo();
    t.equal(status, 0, 'exit code', { stdout });
    t.match(stdout, /SHA-256 .*: equal\./);
    t.match(stdout, /ok {4}the server's interface carried 0\.\d+ MB/);
    const page = { status: 200, text: /<script[^>]* src=/ };
    t.match(pages, [page, page], 'the pages at the addresses that were printed');
    t.equal(pages.length, 2);
  },
);

t.test('the same check goes red when everything is forced through the server machine', { skip }, async t => {
  const { status, stdout } = await demo('--through-server');
  t.equal(status, 1, 'exit code', { stdout });
  t.match(stdout, /SHA-256 .*: equal\./, 'the file moved all the same');
  t.match(stdout, /WRONG the server's interface carried \d+\.\d+ MB/);
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Shown {
  readonly status: number;
  readonly stdout: string;
  /** What the pages' addresses answered while the demo ran. */
  readonly pages: readonly Answer[];
}

async function demo(...args: string[]): Promise<Shown> {
  const line = [DEMO, '--once', '--megabytes', '10', ...args];
  const child = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'inherit'] });
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const ended = endOf(child);
  let stdout = '';
  const pages: Promise<Answer>[] = [];
  for await (const told of createInterface({ input: child.stdout })) {
    stdout += `${told}\n`;
    const address = /The page of [^:]*: (http:\S+)/.exec(told)?.[1];
    if (address !== undefined) pages.push(look(address));
  }
  clearTimeout(patience);
  return { status: await ended, stdout, pages: await Promise.all(pages) };
}

async function look(address: string): Promise<Answer> {
  try {
    const answer = await fetch(address);
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    return { status: 0, text: String(error) };
  }
}
