// `ginnel server` and what is beside it against the real daemon: what a person is told is what holds.
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { ginnel } from '../../../bin/program.ts';
import { quietSurroundings } from '../../support/quiet-surroundings.ts';
import { realDaemon, type RealDaemon } from '../../support/real-daemon.ts';
import type { Ran } from './shell.ts';

type Run = (args: readonly string[], input?: string) => Promise<Ran>;

const runOn =
  ({ places }: Pick<RealDaemon, 'places'>): Run =>
  async (args, input = '') => {
    const said = { out: '', err: '' };
    const around = { environment: { GINNEL_STATE: places.state }, input: Readable.from([input]) };
    return { code: await ginnel(args, quietSurroundings(said, around)), ...said };
  };

const freePort = (): Promise<string> =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(String(port)));
    });
  });

const AFTER = 'sudo ginnel down --server && sudo ginnel server';

t.test('what a running server takes over at its next start is told, with what makes it', async t => {
  const run = runOn(await realDaemon(t));
  const [first, second] = [await freePort(), await freePort()];
  const begun = await run(['server', '--port', first, '--listen', '127.0.0.1']);
  t.match(begun, { code: 0, out: /^Location server ready/ }, begun.err);
  const changed = await run(['server', '--port', second, '--second-port', '7399']);
  t.equal(changed.code, 0, changed.err);
  t.notMatch(changed.out, /ready|ginnel:/, 'and no invite to where nobody will be');
  t.match(changed.out, `runs on as it was, port ${first} `);
  t.match(changed.out, `  port will be ${second}. It takes effect after: ${AFTER}\n`);
  t.match(changed.out, `  second-port will be 7399. It takes effect after: ${AFTER}\n`);
  const json = JSON.parse((await run(['server', '--json'])).out) as { pending: unknown };
  t.match(json, { server: { port: Number(first) }, invite: null });
  t.same(json.pending, [
    { key: 'port', value: Number(second), takesEffectAfter: AFTER },
    { key: 'second-port', value: 7399, takesEffectAfter: AFTER },
  ]);
});

t.test('the pool of a network is fixed, also while it runs; what is no pool is wrong usage', async t => {
  // A daemon on which nothing came up ends: each refusal has one of its own.
  const onNew = async (pool: string): Promise<Ran> => runOn(await realDaemon(t))(['server', '--pool', pool]);
  t.match(await onNew('10.77.0'), { code: 2, err: /a prefix such as 10\.77\.0\.0\/16/i });
  t.match(await onNew('300.0.0.0/16'), { code: 2, err: /POOL_INVALID/ });
  const [card, address] = outerNetwork();
  if (address !== '') {
    const clash = await onNew(address);
    t.match(clash, { code: 1, err: /POOL_CLASH_HERE/ });
    t.match(clash.err, `(${card})`);
  }
  const run = runOn(await realDaemon(t));
  await run(['server', '--port', await freePort(), '--listen', '127.0.0.1', '--pool', '10.61.0.0/16']);
  const other = await run(['server', '--pool', '10.62.0.0/16']);
  t.match(other, { code: 1, err: /is 10\.61\.0\.0\/16 and cannot be changed to 10\.62.*POOL_FIXED/ });
  t.match(await run(['server', '--pool', '10.61.0.0/16']), { code: 0 }, 'the same one is well');
});

/** A network of this machine, as a pool; empty: it has none. */
function outerNetwork(): [card: string, pool: string] {
  for (const [card, addresses] of Object.entries(networkInterfaces()))
    for (const { internal, address } of addresses ?? [])
      if (!internal && /^\d+\./.test(address)) return [card, address.replace(/\.\d+\.\d+$/, '.0.0/16')];
  return ['', ''];
}

t.test('V3: a certificate is issued only where its files can be made', async t => {
  const daemon = await realDaemon(t);
  const run = runOn(daemon);
  await run(['server', '--port', await freePort(), '--listen', '127.0.0.1']);
  const path = join(daemon.places.state, 'six');
  const issue = ['certificates', 'issue', 'six', '--out', path];
  for (const there of ['key', 'crt']) {
    writeFileSync(`${path}.${there}`, 'mine');
    t.match(await run(issue), { code: 1, err: /is not overwritten.*CERTIFICATE_FILE/ });
    t.equal(readFileSync(`${path}.${there}`, 'utf8'), 'mine');
    rmSync(`${path}.${there}`);
    t.notOk(existsSync(`${path}.key`), 'nothing is left behind');
    t.notOk(existsSync(`${path}.crt`));
  }
  t.match(JSON.parse((await run(['certificates', '--json'])).out), { issued: [] });
  t.match(await run(issue), { code: 0 });
  t.equal(statSync(`${path}.key`).mode & 0o777, 0o600);
  t.match(readFileSync(`${path}.key`, 'utf8'), /PRIVATE KEY/);
  t.match(readFileSync(`${path}.crt`, 'utf8'), /BEGIN CERTIFICATE/);
});
