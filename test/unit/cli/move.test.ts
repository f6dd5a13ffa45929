// `ginnel server export --move`: the server stops only once a whole file of it lies on the disk.
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import type { Places } from '../../../bin/places.ts';
import { shell } from './shell.ts';

const OLDER = '{"ginnel":"server export","of":"before"}\n';
const MOVED = '{"ginnel":"server export","of":"the move"}\n';

/** Answers as a daemon does; what it was asked to export, in turn. */
async function withDaemon(
  places: Places,
  onMove: () => void,
  work: () => Promise<void>,
): Promise<readonly object[]> {
  const asked: object[] = [];
  const daemon = createServer((request, answer) => {
    void text(request).then(body => {
      const isExport = request.url === '/v1/server/export';
      const wishes = isExport ? (JSON.parse(body) as { move?: boolean }) : {};
      if (isExport) asked.push(wishes);
      const move = wishes.move === true;
      if (move) onMove();
      const told = { made: 1, networkName: 'home', nodes: 1, sealed: false, moved: move };
      answer.end(JSON.stringify(isExport ? { file: move ? MOVED : OLDER, ...told } : { version: '1.2.3' }));
    });
  });
  mkdirSync(dirname(places.controlSocket), { recursive: true });
  daemon.listen(places.controlSocket);
  await once(daemon, 'listening');
  try {
    await work();
  } finally {
    daemon.close();
    daemon.closeAllConnections();
    rmSync(places.controlSocket, { force: true });
  }
  return asked;
}

t.test('--move into a mistyped folder: nothing is asked, and the server goes on', async t => {
  const { ginnel, places, health } = shell(t);
  t.equal((await ginnel(['server', '--port', '7450'])).code, 0);
  const file = join(places.state, 'mistyped', 'server.export');
  const ran = await ginnel(['server', 'export', file, '--move']);
  t.match(ran.err, /EXPORT_FILE/);
  t.not(ran.code, 0);
  t.match((await health())?.roles, { server: 'up' });
  const folder = await ginnel(['server', 'export', places.state, '--move']);
  t.match(folder.err, /EXPORT_FILE/, 'a folder is no file');
  t.match((await health())?.roles, { server: 'up' });
});

t.test('--move asks to move only what lies on the disk already, and then writes it again', async t => {
  const { ginnel, places } = shell(t);
  const file = join(places.state, 'out', 'server.export');
  mkdirSync(dirname(file));
  const seen: unknown[] = [];
  const look = (): void => void seen.push(existsSync(file) && readFileSync(file, 'utf8'));
  const asked = await withDaemon(places, look, async () => {
    const ran = await ginnel(['server', 'export', file, '--move']);
    t.equal(ran.code, 0, ran.err);
    t.match(ran.out, /This server is stopped/);
  });
  t.same(asked, [{}, { move: true }]);
  t.same(seen, [OLDER], 'whole when the server stopped');
  t.equal(readFileSync(file, 'utf8'), MOVED);
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.same(readdirSync(dirname(file)), ['server.export']);
});

t.test('--move that fails after the server stopped says how it comes back', async t => {
  const { ginnel, places } = shell(t);
  const file = join(places.state, 'out', 'server.export');
  mkdirSync(dirname(file));
  const spoil = (): void => rmSync(dirname(file), { recursive: true });
  await withDaemon(places, spoil, async () => {
    const ran = await ginnel(['server', 'export', file, '--move']);
    t.match(ran.err, /ginnel server --again/);
    t.match(ran.err, /EXPORT_MOVE/);
    t.equal(ran.code, 1);
  });
});
