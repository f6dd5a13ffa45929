// Settings files, and what the log never says.
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import t from 'tap';
import { loadConfig, saveConfig } from '../../../base/config.ts';
import { openLog } from '../../../base/pino-log.ts';

const validate = new Ajv().compile<{ port: number }>({
  type: 'object',
  properties: { port: { type: 'integer', maximum: 65535 } },
  required: ['port'],
  additionalProperties: false,
});

t.test('settings: absent, kept with mode 0600, not JSON, not valid, not readable', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'ginnel-config-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'settings.json');
  t.equal(await loadConfig(path, validate), null);
  await saveConfig(path, { port: 7443 });
  t.same(await loadConfig(path, validate), { port: 7443 });
  t.equal(statSync(path).mode & 0o777, 0o600);
  writeFileSync(path, '{');
  await t.rejects(loadConfig(path, validate), { code: 'CONFIG_NOT_JSON' });
  writeFileSync(path, '{"port":70000}');
  await t.rejects(loadConfig(path, validate), { code: 'CONFIG_INVALID', message: /port must be <= 65535/ });
  writeFileSync(path, '{"port":7,"prot":7}');
  await t.rejects(loadConfig(path, validate), { code: 'CONFIG_INVALID', message: /\(prot\)/ });
  await t.rejects(loadConfig(folder, validate), { code: 'CONFIG_UNREADABLE' });
  chmodSync(path, 0o600);
});

t.test('the log says neither tokens nor invites', t => {
  const lines: string[] = [];
  const log = openLog({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
  const invite = `ginnel:${'A'.repeat(60)}`;
  log.child('server').info(`pasted ${invite}`, {
    token: 'T0KEN',
    nested: { privateKey: 'S3CRET', list: [{ keepAlive: 'S3CRET' }], note: invite },
    error: new Error(`in ${invite}`, { cause: new Error('deeper') }),
    bytes: new Uint8Array(3),
    big: 5n,
    name: 'attic-nas',
  });
  log.debug('not shown');
  t.equal(lines.length, 1);
  t.notMatch(lines[0], /S3CRET|T0KEN|AAAA/);
  t.match(JSON.parse(lines[0]!), {
    part: 'server',
    name: 'attic-nas',
    msg: 'pasted ginnel:[redacted]',
    bytes: '[3 bytes]',
    big: '5',
  });
  t.end();
});
