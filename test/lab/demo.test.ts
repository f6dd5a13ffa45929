// The demo is a proof only if it can fail: it passes as it is, and goes red when the server carries the data.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { GINNEL } from './ginnel.ts';
import { whyNoLab } from './wrapper.ts';

const DEMO = fileURLToPath(new URL('./demo.js', import.meta.url));
const skip = whyNoLab() ?? (existsSync(GINNEL) ? false : 'the ginnel command is not built');

t.test(
  'V1, V12, V14, P5: two homes behind NATs move a file, and the server carries none of it',
  { skip },
  t => {
    const { status, stdout } = demo();
    t.equal(status, 0, 'exit code', { stdout });
    t.match(stdout, /SHA-256 .*: equal\./);
    t.match(stdout, /ok {4}the server's interface carried 0\.\d+ MB/);
    t.end();
  },
);

t.test('the same check goes red when everything is forced through the server machine', { skip }, t => {
  const { status, stdout } = demo('--through-server');
  t.equal(status, 1, 'exit code', { stdout });
  t.match(stdout, /SHA-256 .*: equal\./, 'the file moved all the same');
  t.match(stdout, /WRONG the server's interface carried \d+\.\d+ MB/);
  t.end();
});

function demo(...args: string[]): { status: number | null; stdout: string } {
  const line = [DEMO, '--once', '--megabytes', '10', ...args];
  return spawnSync(process.execPath, line, { encoding: 'utf8', timeout: 55_000, killSignal: 'SIGKILL' });
}
