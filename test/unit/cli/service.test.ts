// The systemd unit, checked by systemd's own tools where they are installed, and installed into a made-up /etc with a
// systemctl that notes what it is told.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { unitText } from '../../../bin/service/unit.ts';
import { repositoryRoot } from '../../support/repository.ts';

const FACTS = {
  node: process.execPath,
  script: '/opt/ginnel/dist/bin/ginnel.js',
  state: null,
  canNotify: true,
};
/** An exposure above this is no sandbox any more. */
const MOST_EXPOSED = 3.5;

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'ginnel-unit-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

t.test('the unit has no gap left, and fits the install', t => {
  const text = unitText(FACTS);
  t.notMatch(text, /@[A-Z_]+@/);
  t.match(text, /^Type=notify$/m);
  t.match(text, /^WatchdogSec=60$/m);
  t.match(text, /^StateDirectory=ginnel$/m);
  t.match(text, /^ProtectHome=yes$/m);
  const other = unitText({
    ...FACTS,
    script: '/root/my 100%/ginnel.js',
    state: '/srv/state',
    canNotify: false,
  });
  t.match(other, /^Type=exec$/m);
  t.notMatch(other, /^(WatchdogSec|StateDirectory)/m);
  t.match(other, /^ExecStart=\S+ "\/root\/my 100%%\/ginnel\.js" run$/m);
  t.match(other, /^Environment=GINNEL_STATE=\/srv\/state\nReadWritePaths=\/srv\/state$/m);
  t.match(other, /^ProtectHome=read-only$/m);
  t.notMatch(text, /^MemoryDenyWriteExecute/m, "V8's compiler needs it");
  t.end();
});

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;

t.test('systemd finds nothing wrong with it', { skip: hasAnalyze ? false : 'no systemd-analyze' }, t => {
  const unit = join(folderOf(t), 'ginnel.service');
  writeFileSync(unit, unitText(FACTS));
  const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
  t.equal(verified.stderr, '');
  t.equal(verified.status, 0);
  const judged = spawnSync('systemd-analyze', ['security', '--offline=true', unit], { encoding: 'utf8' });
  const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(judged.stdout)?.[1]);
  t.comment(`exposure ${exposure}`);
  t.ok(exposure > 0 && exposure <= MOST_EXPOSED, 'it stays in its sandbox', { exposure });
  t.end();
});

const SYSTEMCTL = `#!/bin/sh
echo "$*" >> "$LOG"
case "$1" in
  enable) touch "$LOG.enabled" ;;
  disable) rm -f "$LOG.enabled" "$LOG.active" ;;
  start|restart) touch "$LOG.active" ;;
  is-enabled) [ -e "$LOG.enabled" ] && echo enabled || { echo disabled; exit 1; } ;;
  is-active) [ -e "$LOG.active" ] && echo active || { echo inactive; exit 3; } ;;
esac
`;

const canUnshare = spawnSync('unshare', ['--mount', 'true']).status === 0;

t.test(
  'service install, twice; status; remove, twice; without systemd it says so',
  { skip: canUnshare ? false : 'needs root, for a mount namespace with an /etc of its own' },
  t => {
    const folder = folderOf(t);
    writeFileSync(join(folder, 'systemctl'), SYSTEMCTL);
    chmodSync(join(folder, 'systemctl'), 0o755);
    const program = join(repositoryRoot, 'dist/test/support/fake-ginnel.js');
    const ginnel = `'${process.execPath}' '${program}' service`;
    const script = [
      'mkdir -p /etc/systemd/system',
      'mount -t tmpfs none /run && mount -t tmpfs none /etc/systemd/system && mount -t tmpfs none /var/lib',
      `${ginnel} install --json; echo $?`,
      'mkdir -p /run/systemd/system',
      ...['status', 'install', 'install', 'status', 'remove', 'remove'].map(
        what =>
          `${ginnel} ${what} --json | tr -d '\\n'; echo; cat /etc/systemd/system/ginnel.service | md5sum`,
      ),
    ].join('\n');
    const env = {
      ...process.env,
      GINNEL_STATE: '',
      NODE_OPTIONS: '',
      LOG: join(folder, 'log'),
      PATH: `${folder}:${process.env['PATH'] ?? ''}`,
    };
    const done = spawnSync('unshare', ['--mount', 'sh', '-c', script], { env, encoding: 'utf8' });
    const [refused, before, first, again, status, removed, nothing] = done.stdout
      .split('\n')
      .filter(line => /^(\{|\d+$)/.test(line));
    t.match(done.stderr, /SERVICE_NO_SYSTEMD/);
    t.equal(refused, '1');
    const of = (line: string | undefined): Record<string, unknown> =>
      JSON.parse(line ?? 'null') as Record<string, unknown>;
    t.match(of(before), { systemd: true, installed: false, running: false });
    t.match(of(first), {
      done: ['Written: /etc/systemd/system/ginnel.service', 'It starts at boot.', 'Started.'],
      ...{ installed: true, current: true, atBoot: true, running: true },
    });
    t.same(of(again)['done'], [], 'nothing to do the second time');
    t.match(of(status), { running: true, current: true });
    t.match(of(removed), { installed: false, done: ['Stopped.', 'It starts at boot no more.', /^Removed/] });
    t.same(of(nothing)['done'], []);
    const told = readFileSync(join(folder, 'log'), 'utf8')
      .split('\n')
      .filter(line => !/^is-|^$/.test(line));
    t.same(told, [
      'daemon-reload',
      'enable ginnel.service',
      'start ginnel.service',
      'disable --now ginnel.service',
      'daemon-reload',
    ]);
    t.end();
  },
);
