// The doors to the kernel, the fast and the slower ones, in private network namespaces: the virtual network card, its end,
// sockets of a machine with many addresses, and the notice of changes.
import t, { type Test } from 'tap';
import type { DoorKind } from '../../system/doors.ts';
import { runScenario as run, whyNoDoor, whyNotHere, type Outcome } from './system/namespace.ts';

const GONE = { there: false, routes: [] };

for (const door of ['koffi', 'tuntap'] as const) t.test(door, t => testDoor(t, door));

function testDoor(t: Test, door: DoorKind): void {
  const skip = whyNoDoor(door);
  const runScenario = (name: string, before?: readonly string[]): Outcome => run(name, before, door);

  t.test(
    'V1, V2: a card with addresses and routes of its own, and only their packets enter it',
    { skip },
    t => {
      const { found, stderr } = runScenario('card');
      t.match(
        found,
        {
          opened: {
            there: true,
            up: true,
            mtu: 1420,
            addresses: ['10.77.0.1/24', 'fd77::1/64'],
            routes: ['10.77.0.0/24', '192.168.77.0/24', 'fd77::/64', 'fd77:1::/48'],
          },
          ways: { virtual: 'ginnel0', shared: 'ginnel0', real: 'veth7' },
          moved: { routes: ['10.77.0.0/24', '192.168.78.0/24', 'fd77::/64'] },
          closed: GONE,
        },
        stderr,
      );
      t.end();
    },
  );

  t.test('V1, V12: ping and fragments cross two cards joined in memory', { skip }, t => {
    const { found, stderr } = runScenario('joined');
    const all = '5 received';
    t.match(found, { ping4: all, ping6: all, routed: all, large: all, fragments: all }, stderr);
    t.end();
  });

  t.test('V1: card, addresses and routes are gone with the process, however it ends', { skip }, t => {
    const { found, stderr } = runScenario('death');
    const after = { during: true, after: GONE };
    t.match(
      found,
      {
        SIGKILL: { ...after, signal: 'SIGKILL' },
        SIGTERM: { ...after, signal: 'SIGTERM' },
        exit: { ...after, status: 5, signal: null },
        throw: { ...after, status: 1, signal: null },
      },
      stderr,
    );
    t.end();
  });

  t.test('what can go wrong with a card has a code each', { skip }, t => {
    const { found, stderr } = runScenario('errors');
    t.match(
      found,
      {
        busy: 'TUN_BUSY',
        noTun: 'TUN_BUSY',
        name: 'TUN_NAME',
        address: 'ADDRESS_INVALID',
        hostBits: 'ADDRESS_INVALID',
        routeTaken: 'ROUTE_TAKEN',
        othersStillSet: ['10.78.0.0/24', '192.168.99.0/24'],
        lost: 'TUN_LOST',
        write: 'closed',
      },
      stderr,
    );
    t.end();
  });

  t.test('without /dev/net/tun the error says what to load', { skip }, t => {
    const hidden = ['bash', '-c', 'mount -t tmpfs none /dev/net; exec "$@"', 'hidden'];
    const { found, stderr } = runScenario('openOnly', hidden);
    t.match(found, { code: 'TUN_MISSING', message: /modprobe tun/ }, stderr);
    t.end();
  });

  t.test('without CAP_NET_ADMIN, root or not, the error says what to give', { skip }, t => {
    const withoutCapability = ['setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin'];
    const nobody = [
      'setpriv',
      '--reuid',
      '65534',
      '--regid',
      '65534',
      '--clear-groups',
      '--bounding-set',
      '-all',
    ];
    for (const before of [withoutCapability, nobody]) {
      const { found, stderr } = runScenario('openOnly', before);
      t.match(found, { code: 'NOT_ROOT', message: /CAP_NET_ADMIN/, udp: true }, stderr);
    }
    t.match(runScenario('openOnly', nobody).found, { port: 'PORT_FORBIDDEN' });
    t.end();
  });

  t.test('IPv6 switched off for new cards is switched on for ours', { skip }, t => {
    const { found, stderr } = runScenario('withoutIpv6');
    t.match(found, { up: true, addresses: ['10.77.0.1/24', 'fd77::1/64'] }, stderr);
    t.end();
  });

  t.test('the default gateway is the one with the least metric', { skip }, t => {
    const { found, stderr } = runScenario('gateways');
    t.match(
      found,
      {
        gateway4: '172.20.0.253',
        gateway6: 'fe80::1%veth7',
        address: { name: 'veth7', family: 4, address: '172.20.0.1', prefixLength: 24 },
      },
      stderr,
    );
    t.end();
  });

  t.test('a machine of many addresses answers from the one it was asked at', { skip }, t => {
    const { found, stderr } = runScenario('manyAddresses');
    t.match(
      found,
      {
        locals: ['172.20.0.1', '172.20.0.2', '172.20.0.9'],
        answers: ['172.20.0.1', '172.20.0.2', /172\.20\.0\.[13]/, '172.20.0.9'],
        sourceGone: 1,
        other: 'PORT_TAKEN',
      },
      stderr,
    );
    t.end();
  });

  t.test('V1: cards that come and go, or cannot be made, leave nothing behind', { skip }, t => {
    const { found, stderr } = runScenario('leaks');
    t.strictSame(found, { more: 0, cards: ['lo'], arena: 1 }, stderr);
    t.end();
  });

  t.test('a full socket answers busy at once, and what it could not take is counted', { skip }, t => {
    const { found, stderr } = runScenario('congested');
    const { counts } = found as { counts?: Record<string, number> };
    t.match(found, { closed: 0 }, stderr);
    t.ok((counts?.['sent'] ?? 0) > 0 && (counts?.['busy'] ?? 0) > 0 && (counts?.['kept'] ?? 9) <= 1, {
      counts,
    });
    t.end();
  });

  t.end();
}

t.test(
  'P7: two ports that connect to each other meet, a SYN can be sent anew, and nothing is left of those that wait',
  { skip: whyNotHere() },
  t => {
    const { found, stderr } = run('tcpSource');
    const meets = { renewed: ['sent', 'sent', 1], underWay: 'under-way', word: 'hello' };
    t.strictSame(found, { ...meets, busy: 50, more: 0 }, stderr);
    t.end();
  },
);

t.test(
  'changes of the network are told together, four times a second at most, where they matter',
  { skip: whyNotHere() },
  t => {
    const { found, stderr } = run('network');
    t.strictSame(
      found,
      { before: [], early: 0, together: 1, afterDetail: 1, afterRoute: 2, afterLink: 3, afterStop: 3 },
      stderr,
    );
    t.end();
  },
);

t.test('without rtnetlink each look tells once of all that came', { skip: whyNoDoor('tuntap') }, t => {
  const { found, stderr } = run('networkPolled', [], 'tuntap');
  t.strictSame(found, { addresses: 1, detail: 1, route: 2, link: 3, stopped: 3 }, stderr);
  t.end();
});
