// The report for a helper, of a whole daemon with every kind of secret in it: none of them is in the report, however it
// is spelt.
import { createServer, type AddressInfo } from 'node:net';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { decodeInvite } from '../../protocol/location/invite.ts';
import { realDaemon } from '../support/real-daemon.ts';

const PASSWORD = 'correct horse battery staple';
const PASSPHRASE = 'a long way to tipperary';

async function freePort(): Promise<number> {
  const taken = createServer();
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  await new Promise(resolve => taken.close(resolve));
  return port;
}

/** As people and programs write bytes. */
const spellings = (secret: Uint8Array): string[] =>
  (['hex', 'base64', 'base64url', 'latin1', 'utf8'] as const)
    .map(encoding => Buffer.from(secret).toString(encoding))
    .flatMap(text => [text, text.toUpperCase(), text.replaceAll('=', ''), JSON.stringify(text).slice(1, -1)])
    .concat([Buffer.from(secret).join(','), Buffer.from(secret).join(', ')])
    .filter(text => text.length >= 12);

/** Keys in the files of the state folder: what is 32 bytes of base64url and not told as public anywhere. */
function keysIn(folder: string): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  const note = (where: string, value: unknown): void => {
    if (typeof value === 'string') {
      if (value.startsWith('{')) note(where, parsed(value));
      if (/^[A-Za-z0-9_-]{43}$/.test(value)) found.set(where, Buffer.from(value, 'base64url'));
    } else if (typeof value === 'object' && value !== null)
      for (const [name, inner] of Object.entries(value)) note(`${where}.${name}`, inner);
  };
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!statSync(path).isFile()) continue;
    const text = readFileSync(path, 'utf8');
    note(name, text.trim());
  }
  return found;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** What anybody may know: ids and public keys. */
const PUBLIC =
  /\.(id|network|serverKey|serverIdentity|checksum|publicKey|identityKey|wireguardKey|controlKey)$|record|assignment/i;

t.test('bugreport: none of the secrets of node, server and daemon, in any spelling', async t => {
  const { places, client } = await realDaemon(t);
  const listen = {
    port: await freePort(),
    secondPort: null,
    listen: ['127.0.0.1'],
    advertise: ['127.0.0.1'],
  };
  await client.post('/v1/server/up', listen);
  const { invite } = await client.post<{ invite: string }>('/v1/server/invites', {});
  await client.post('/v1/server/accounts', { name: 'anna', password: PASSWORD, boxes: 1 });
  await client.post('/v1/server/export', { passphrase: PASSPHRASE, move: false });
  await client.post('/v1/settings', { set: { 'log-level': 'debug' } });
  await client.post('/v1/node/up', { invite, name: 'attic' }).catch((error: unknown) => error);
  await client.post('/v1/node/up', { invite: invite.slice(0, -4) }).catch((error: unknown) => error);
  const unused = (await client.post<{ invite: string }>('/v1/server/invites', {})).invite;
  const { token } = await client.post<{ token: string }>('/v1/metrics', {});

  const decoded = decodeInvite(unused);
  const secrets = new Map<string, Uint8Array>([
    ['password', Buffer.from(PASSWORD)],
    ['passphrase', Buffer.from(PASSPHRASE)],
    ['metrics token', Buffer.from(token)],
    ['metrics token, its bytes', Buffer.from(token, 'base64url')],
    ['invite', Buffer.from(invite)],
    ['unused invite', Buffer.from(unused)],
    ...(decoded.ok ? [['invite token', decoded.value.token] as const] : []),
    ...keysIn(places.state),
    ...keysIn(join(places.state, 'server')),
  ]);
  const secretOnes = [...secrets].filter(([name]) => !PUBLIC.test(name));
  t.comment(secretOnes.map(([name]) => name).join(', '));
  for (const name of ['identity.json', 'metrics.token', 'server-keys.json'])
    t.ok(
      secretOnes.some(([one]) => one.includes(name)),
      `the search found ${name}`,
    );
  for (const mask of [false, true]) {
    const report = JSON.stringify(await client.post<object>('/v1/bugreport', { mask }));
    t.match(report, /"log":\[\{/, 'the log is in it');
    for (const [name, secret] of secretOnes)
      t.notOk(
        spellings(secret).find(text => report.includes(text)),
        `${name}${mask ? ', masked' : ''}`,
      );
    t.notMatch(report, /ginnel:[A-Za-z0-9_-]{16}/, 'nothing that looks like an invite');
  }
});
