// At home behind a router: what to forward is said, what was measured is told to the boxes, what strangers say is not.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { forwardingInWords } from '../../../bin/screens/server.ts';
import { tellOutside } from '../../../bin/outside.ts';
import { NOTHING_CHECKED } from '../../../core/contract/nat-report.ts';
import type { Forwarding } from '../../../server/admin.ts';
import type { PortMapper } from '../../../server/port-mapper.ts';
import { Reach } from '../../../server/reach.ts';
import { expectWelcome, join, readInvite, TestConnection } from '../../support/location-client.ts';
import { LOOPBACK, startServer } from '../../support/location-server.ts';

const VALUES = {
  port: 7443,
  'second-port': 7444,
  'web-port': null,
  listen: [],
  advertise: ['home.example.net'],
  'trusted-proxy': [],
  'relay-choice': 'balanced' as const,
};
const LOCAL = { family: 4, address: '127.0.0.1', port: 7443 } as const;

t.test("what this box's own node measured is told beside what its owner advertises", t => {
  const reach = new Reach(VALUES, []);
  t.same(reach.advertised(), ['home.example.net:7443']);
  // Documentation addresses are not public ones.
  reach.setOutside(['192.168.1.2', '100.64.0.1', '127.0.0.1', '9.9.9.9', '9.9.9.9']);
  t.same(reach.advertised(), ['home.example.net:7443', '9.9.9.9:7443'], 'public addresses alone, once');
  reach.setOutside(['8.8.4.4']);
  t.same(reach.advertised(), ['home.example.net:7443', '8.8.4.4:7443'], 'the present one alone');
  reach.setOutside(['1.1.1.1', '1.0.0.1', '9.9.9.9']);
  t.equal(reach.advertised().length, 3, 'a few');
  t.end();
});

t.test('who comes by one family is told where STUN answers over the other', t => {
  const reach = new Reach({ ...VALUES, advertise: ['9.9.9.9', '2606:4700::1', '192.168.1.2'] }, []);
  const six = { family: 6, address: '2606:4700::1', port: 7443 } as const;
  const place = { remote: { ...six, address: '2606:4700::2' }, local: six, host: null, proxied: false };
  const { alternates } = reach.welcome(place).stun;
  t.ok(alternates.includes('9.9.9.9:7443'), alternates.join(' '));
  t.notOk(alternates.some(text => text.startsWith('192.168.') || text.includes('2606')));
  const over4 = reach.welcome({ ...place, local: { ...LOCAL, address: '9.9.9.9' } }).stun.alternates;
  t.ok(over4.includes('[2606:4700::1]:7443'), over4.join(' '));
  t.end();
});

t.test('a port for homes that let only the web out is told behind each host that is outside', t => {
  const reach = new Reach({ ...VALUES, 'web-port': 443 }, []);
  t.same(reach.advertised(), ['home.example.net:7443', 'home.example.net:443']);
  t.same(
    reach.ports.map(({ protocol, port }) => `${protocol} ${port}`),
    ['TCP 7443', 'TCP 7444', 'TCP 443', 'UDP 7443', 'UDP 7444'],
  );
  reach.setAdvertise(['192.168.1.2', '9.9.9.9:17443', '2606:4700::1', 'home.example.net:443']);
  t.same(reach.advertised(), [
    '192.168.1.2:7443',
    '9.9.9.9:17443',
    ...['[2606:4700::1]:7443', '[2606:4700::1]:443'],
    'home.example.net:443',
  ]);
  reach.setAdvertise(['192.168.1.2']);
  t.same(reach.advertised(), ['192.168.1.2:7443', '192.168.1.2:443'], 'where nothing is outside');
  reach.setAdvertise(Array.from({ length: 16 }, (_, at) => `home${at}.example`));
  reach.setOutside(['8.8.4.4']);
  t.same(
    [reach.advertised().length, reach.advertised().slice(-2)],
    [8, ['8.8.4.4:7443', '8.8.4.4:443']],
    'no more than boxes take; what was measured has its place',
  );
  t.end();
});

t.test('what a stranger says of its way here is told to nobody', t => {
  const reach = new Reach(VALUES, []);
  const remote = { family: 4, address: '8.8.8.8', port: 1 } as const;
  for (let times = 0; times < 50; times++)
    reach.welcome({ remote, local: LOCAL, host: `evil${times}.example:7443`, proxied: false });
  t.same(reach.advertised(), ['home.example.net:7443']);
  t.equal(reach.seenFromOutside().length, 16, 'shown to the owner, a bounded few');
  t.end();
});

t.test('the router is asked for its ports, and what it grants is told until it ends', async t => {
  const asked: string[] = [];
  let grant: (places: readonly string[]) => void = () => undefined;
  let signal: AbortSignal | null = null;
  const portMapper: PortMapper = {
    keep(ports, until, granted) {
      asked.push(...ports.map(({ protocol, port }) => `${protocol} ${port}`));
      grant = granted;
      signal = until;
    },
  };
  const { server, port, invite } = await startServer(t, { advertise: ['home.example.net'] }, { portMapper });
  t.same(asked, [`TCP ${port}`, `UDP ${port}`]);
  grant(['9.9.9.9:17443', 'nonsense']);
  t.same(server.summary().addresses, [`home.example.net:${port}`, '9.9.9.9:17443']);
  t.same(readInvite(await invite()).addresses, [`home.example.net:${port}`, '9.9.9.9:17443']);
  await server.down();
  t.ok((signal as AbortSignal | null)?.aborted, 'no longer');
});

t.test('a changed address of this box reaches those who are connected, signed', async t => {
  const { server, port, invite } = await startServer(t, { advertise: ['home.example.net'] });
  const text = await invite();
  const { connection, welcome } = await join(text, port);
  server.noteOutside(['9.9.9.9']);
  const { places } = await connection.next('places');
  t.same(places.addresses, [`home.example.net:${port}`, '9.9.9.9:' + String(port)]);
  t.ok(places.issued > (welcome.places?.issued ?? Infinity));
  await server.down();
  await server.up({ ...LOOPBACK, port });
  const again = await TestConnection.open({ invite: readInvite(text), port, identity: connection.identity });
  const { places: after } = expectWelcome(await again.login());
  t.same(
    after?.addresses,
    [`home.example.net:${port}`],
    'what was measured is not kept: it is measured anew',
  );
});

t.test('the node of the same box tells the server what it measured, until it is closed', t => {
  const clock = new ManualClock();
  const noted: (readonly string[])[] = [];
  const mapped = ['9.9.9.9:41641', '[2606:4700::1]:41641', 'nonsense'];
  const telling = tellOutside({
    clock,
    node: { nat: { ...NOTHING_CHECKED, mapped }, hearPlaces: () => undefined },
    server: { places: null, noteOutside: addresses => noted.push(addresses) },
  });
  clock.advance(10_000);
  t.same(noted, [['9.9.9.9', '2606:4700::1']]);
  telling.close();
  clock.advance(60_000);
  t.equal(noted.length, 1);
  t.end();
});

t.test('it says exactly what to forward, and whether it was seen to work', t => {
  const none: Forwarding = {
    ...{
      to: '192.168.1.2',
      tcp: [7443, 7444],
      udp: [7443, 7444],
      reachedAs: null,
      outside: [],
      mapped: null,
    },
  };
  const ports = '7443 TCP+UDP and 7444 TCP+UDP';
  t.equal(forwardingInWords(none), `forward ${ports} to 192.168.1.2; not yet reached from outside`);
  const web = { ...none, tcp: [7443, 7444, 443] };
  t.match(forwardingInWords(web), /^forward 7443 TCP\+UDP, 7444 TCP\+UDP and 443 TCP to 192\.168\.1\.2;/);
  t.match(forwardingInWords({ ...none, outside: ['9.9.9.9'] }), /the router is 9\.9\.9\.9 outside/);
  const reached = { ...none, reachedAs: 'home.example.net:7443\u001b[2J' };
  t.equal(
    forwardingInWords(reached),
    `${ports} to 192.168.1.2: reached from outside as home.example.net:7443?[2J`,
  );
  t.match(forwardingInWords({ ...none, mapped: ['9.9.9.9:7443'] }), /by itself, as 9\.9\.9\.9:7443/);
  t.end();
});
