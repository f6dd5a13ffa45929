// `ginnel backup`, `restore` and `speed` as a person runs them: files, passphrases, words, exit codes.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { shell } from './shell.ts';

const input = 'correct horse battery\n';

t.test(
  'a back-up is a file for its owner alone, or standard output; the passphrase is no argument',
  async t => {
    const { ginnel, places } = shell(t);
    const file = join(places.state, 'box.backup');
    const ran = await ginnel(['backup', file], { input });
    t.equal(ran.code, 0, ran.err);
    t.match(
      ran.out,
      /attic-nas is in .*box\.backup: its keys and its place in the network, 2 boxes that it met/,
    );
    t.match(ran.out, /opens with the passphrase alone/);
    t.equal(statSync(file).mode & 0o777, 0o600);
    const piped = await ginnel(['backup', '-'], { input });
    t.equal(piped.out, readFileSync(file, 'utf8'), 'nothing else on standard output');
    t.match(await ginnel(['backup', file], { input }), { code: 1, err: /--force\. \(BACKUP_EXISTS\)/ });
    const words = join(places.state, 'passphrase');
    writeFileSync(words, input);
    const json = await ginnel(['backup', file, '--force', '--json', '--passphrase-file', words]);
    const told = JSON.parse(json.out) as Record<string, unknown>;
    t.match(told, { name: 'attic-nas', path: file, bytes: Number });
    t.notOk('file' in told, 'the file itself stays out of the answer');
    for (const [args, given, code] of [
      [['backup', `${file}.2`], 'too short\n', 'PASSPHRASE_SHORT'],
      [['backup', `${file}.2`], '', 'PASSPHRASE_NEEDED'],
      [['backup', '/nonexistent/file'], input, 'BACKUP_FILE'],
      [['backup', places.state], input, 'BACKUP_FILE'],
      [['backup', `${file}.2`, '--passphrase-file', '/nonexistent'], input, 'BACKUP_FILE'],
    ] as const) {
      const refused = await ginnel(args, { input: given });
      t.match(refused, { code: 1, out: '' }, code);
      t.match(refused.err, code);
    }
    t.notOk(existsSync(`${file}.2`));
  },
);

t.test(
  'a restore says what came back, what is not as it was, and that the old box must stay down',
  async t => {
    const { ginnel, places } = shell(t);
    const file = join(places.state, 'box.backup');
    writeFileSync(file, '{"ginnel":"box backup"}\n');
    t.match(await ginnel(['restore', file], { input: 'wrong passphrase\n' }), {
      code: 1,
      err: /BACKUP_PASSPHRASE/,
    });
    const foreign = join(places.state, 'other');
    writeFileSync(foreign, 'hello');
    t.match(await ginnel(['restore', foreign], { input }), { code: 1, err: /BACKUP_FOREIGN/ });
    t.match(await ginnel(['restore', `${file}.none`], { input }), { code: 1, err: /BACKUP_FILE/ });
    const ran = await ginnel(['restore', file], { input });
    t.equal(ran.code, 0, ran.err);
    t.match(ran.out, /attic-nas is back as 10\.77\.0\.2, as it was on 2026-01-01 00:00 UTC: its keys/);
    t.match(ran.out, /listened on 192\.0\.2\.1/);
    t.match(ran.out, /The old box must stay down/);
  },
);

t.test('speed tells both directions, and a peer that is none', async t => {
  const { ginnel } = shell(t);
  await ginnel(['up'], { input: 'ginnel:good' });
  const none = await ginnel(['speed', 'nobody']);
  t.match(none, { code: 1, err: /PEER_UNKNOWN/ });
  const ran = await ginnel(['speed', 'cellar-router', '--json']);
  t.match(ran.err, /SPEED_/, 'a made-up node has no card to measure over');
  t.not(ran.code, 0);
});
