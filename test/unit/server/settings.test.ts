// The server's settings on a real server: at once where it can, after a restart where it says so, kept while it is down.
import t from 'tap';
import type { SettingShown } from '../../../base/settings.ts';
import { createServer } from '../../../server/server.ts';
import { systemClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { primitives } from '../../../system/crypto.ts';
import { startServer, temporaryFolder } from '../../support/location-server.ts';
import { testTcp } from '../../support/tcp-ports.ts';

const valueOf = (settings: readonly SettingShown[], key: string): Partial<SettingShown> => {
  const { value, isSet, pending } = settings.find(each => each.key === key) ?? {};
  return { value, isSet, pending } as Partial<SettingShown>;
};

t.test('advertised names change at once, ports at the next start', async t => {
  const { server, port } = await startServer(t);
  const changed = await server.changeSettings({
    set: { advertise: ['home.example.net'], 'second-port': 7450 },
  });
  t.same(server.summary().addresses, [`home.example.net:${port}`]);
  t.same(valueOf(changed, 'advertise'), { value: ['home.example.net'], isSet: true, pending: false });
  t.same(valueOf(changed, 'second-port'), { value: 7450, isSet: true, pending: true });
  t.equal(server.summary().secondPort, null, 'not yet');
  await server.changeSettings({ set: { 'second-port': null } });
  await server.down();
  const down = await server.changeSettings({ set: { advertise: ['other.example.net:7000'] } });
  t.same(valueOf(down, 'advertise').value, ['other.example.net:7000'], 'set while it is down');
  await server.up({});
  t.same(server.summary().addresses, ['other.example.net:7000']);
  t.same(valueOf(await server.settings(), 'listen').value, ['127.0.0.1'], 'as it was given at first');
});

t.test('what is wanted of a server that runs already is not forgotten', async t => {
  const { server, port } = await startServer(t);
  await server.up({ advertise: ['home.example.net'] });
  t.same(server.summary().addresses, [`home.example.net:${port}`]);
});

t.test('the audit log tells which settings were changed, and of exports', async t => {
  const { server } = await startServer(t);
  await server.changeSettings({ set: { advertise: ['home.example.net'] } });
  await server.up({ advertise: ['home.example.net'], secondPort: null });
  await t.rejects(server.changeSettings({ set: { port: 'x' } }), { code: 'SETTING_INVALID' });
  await server.export({});
  const { entries } = server.members.audit(null, 10);
  t.match(
    entries.filter(({ what }) => what === 'settings-changed' || what === 'exported'),
    [
      { what: 'settings-changed', subject: 'advertise' },
      { what: 'settings-changed', subject: /advertise/ },
      { what: 'exported', subject: 'a copy' },
    ],
  );
});

t.test('what does not go together is refused with what it may be', async t => {
  const { server } = await startServer(t);
  await t.rejects(server.changeSettings({ set: { port: 7450, 'second-port': 7450 } }), {
    code: 'SETTING_INVALID',
    message: /second-port .* other than port/,
  });
  await t.rejects(server.changeSettings({ set: { listen: ['home'] } }), {
    message: /a list of up to 16, each an address of this machine/,
  });
  t.same(valueOf(await server.settings(), 'port').value, 0, 'nothing was changed');
});

t.test('where there never was a server there is nothing to set', async t => {
  const server = createServer({
    stateDir: temporaryFolder(t),
    primitives,
    clock: systemClock,
    counters: new Counters(),
    log: silentLog,
    tcp: testTcp(),
  });
  t.same(await server.settings(), []);
  await t.rejects(server.changeSettings({ set: { port: 7450 } }), { code: 'SERVER_DOWN' });
});
