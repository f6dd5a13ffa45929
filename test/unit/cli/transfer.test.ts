// `ginnel server export`, `import` as a person runs them: files, passphrases, options, exit codes.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { shell } from './shell.ts';

t.test(
  'export writes a file for its owner alone, or standard output; the answer holds no secret',
  async t => {
    const { ginnel, places } = shell(t);
    const file = join(places.state, 'server.export');
    const ran = await ginnel(['server', 'export', file]);
    t.equal(ran.code, 0, ran.err);
    t.match(ran.out, /The location server of home \(1 box\) is in .*server\.export/);
    t.match(ran.out, /keys in the clear/);
    t.equal(statSync(file).mode & 0o777, 0o600);
    t.match(readFileSync(file, 'utf8'), /^\{"ginnel":"server export"/);
    const piped = await ginnel(['server', 'export', '-']);
    t.equal(piped.out, readFileSync(file, 'utf8'), 'nothing else on standard output');
    const again = await ginnel(['server', 'export', file, '--move']);
    t.match(again, { code: 1, err: /is there already.*--force\. \(EXPORT_EXISTS\)/ });
    const json = await ginnel(['server', 'export', '--json', '--move', '--force', file]);
    const told = JSON.parse(json.out) as Record<string, unknown>;
    t.match(told, { moved: true, sealed: false, path: file, nodes: 1 });
    t.notOk('file' in told);
    const nowhere = await ginnel(['server', 'export', '/nonexistent/file', '--json']);
    t.match(nowhere.err, /EXPORT_FILE/);
    t.not(nowhere.code, 0);
  },
);

t.test('passphrases come from standard input, never from the command line', async t => {
  const { ginnel, places } = shell(t);
  const file = join(places.state, 'sealed.export');
  const ran = await ginnel(['server', 'export', file, '--passphrase', '--json'], {
    input: 'correct horse\n',
  });
  t.match(JSON.parse(ran.out), { sealed: true });
  const short = ['server', 'export', `${file}.2`, '--passphrase'];
  t.match((await ginnel(short, { input: 'too short\n' })).err, /10 characters.*PASSPHRASE_SHORT/);
  t.notOk(existsSync(`${file}.2`));
  const none = await ginnel(short);
  t.match(none.err, /PASSPHRASE_NEEDED/);
});

t.test("import takes the machine's own options, a file or standard input", async t => {
  const { ginnel, places, health } = shell(t);
  const file = join(places.state, 'server.export');
  writeFileSync(file, '{"ginnel":"server export"}\n');
  const options = ['--port', '7555', '--advertise', 'home.example.net', '--json'];
  const ran = await ginnel(['server', 'import', file, ...options]);
  t.match(JSON.parse(ran.out), { state: 'up', port: 7555 }, ran.err);
  t.match((await health())?.roles, { server: 'up' });
  const piped = await ginnel(['server', 'import', '-', '--port', '7556'], {
    input: readFileSync(file, 'utf8'),
  });
  t.match(piped.out, /port 7556/);
  t.match(piped.out, /ginnel set server ADDRESS/);
  const foreign = await ginnel(['server', 'import', '-'], { input: 'hello' });
  t.not(foreign.code, 0);
  const missing = await ginnel(['server', 'import', join(places.state, 'none')]);
  t.match(missing.err, /EXPORT_FILE/);
  t.notOk(existsSync(join(places.state, 'none')));
});
