// Screens on a terminal of 80 columns, with names and reasons that are as long and as hostile as others may make them.
import t, { type Test } from 'tap';
import { rowsWithin, shorten, wrap } from '../../../bin/layout.ts';
import { invitesScreen } from '../../../bin/screens/invites.ts';
import { nodesScreen } from '../../../bin/screens/members.ts';
import type { PunchMethod } from '../../../protocol/location/messages.ts';
import { netcheckScreen } from '../../../bin/screens/netcheck.ts';
import { pluginsScreen } from '../../../bin/screens/plugins.ts';
import { nodeRelaysScreen, relaysScreen, relaysWhyScreen } from '../../../bin/screens/relays.ts';
import { statusScreen } from '../../../bin/screens/status.ts';
import { paint, plain, symbolsOf, symbolWidth, widthOf } from '../../../bin/words.ts';
import type { NodeStatus, PluginStatus } from '../../../core/admin.ts';
import { NOTHING_CHECKED, type NatReport } from '../../../core/contract/nat-report.ts';
import { controlErrors } from '../../../core/control/errors.ts';
import { conclusions, summary } from '../../../core/node/netcheck.ts';
import type { InviteSummary } from '../../../server/admin.ts';
import { cellar, FakeNode, till } from '../../support/fake-admins.ts';
import { fakeNodeRelays, fakeRelays } from '../../support/fake-relays.ts';

const LONG = 'a'.repeat(63);
const HOSTILE = `b\u001b[2Jb\u202e\u061c\u200b\nb${'c'.repeat(55)}`;
const REASON = `${'both ends have random symmetric NATs; '.repeat(30)}${'x'.repeat(300)}`;
const WIDE = '\u5bb6'.repeat(63);
const COLOURS = paint(true);

function fits(t: Test, screen: string, columns = 80): void {
  const bare = symbolsOf(screen).filter(symbol => symbolWidth(symbol) > 0 && symbol !== '\n');
  t.notMatch(bare.join(''), /[\p{Cc}\p{Cf}]/u, 'nothing repaints the terminal');
  const lines = screen.split('\n');
  t.same(
    lines.filter(line => widthOf(line) > columns),
    [],
    `no line is wider than ${columns}`,
  );
}

async function nodeWith(change: Partial<NodeStatus>): Promise<NodeStatus> {
  const node = new FakeNode();
  await node.up({ invite: 'ginnel:good' });
  return { ...node.status(), ...change };
}

const shown = (node: NodeStatus, columns: number): string =>
  statusScreen({ node, server: null, daemon: [] }, COLOURS, columns);

t.test('status: no line is wider than the terminal; names give way, reasons stand under the row', async t => {
  const health = [
    { code: 'PEER_KEY_CHANGED', severity: 'problem', words: REASON, todo: HOSTILE, facts: {} },
  ] as const;
  for (const name of [LONG, HOSTILE, WIDE]) {
    const relayed = { ...till, name, reason: `${REASON}${HOSTILE}` };
    const away = { state: 'away', address: `${LONG}.${LONG}.${LONG}:7443`, reason: REASON } as const;
    const node = await nodeWith({
      ...{ name, peers: [{ ...cellar, name }, relayed], health },
      server: { ...away, heardSecondsAgo: null, rttMs: null },
    });
    fits(t, shown(node, 80));
    fits(t, shown(node, 60), 60);
  }
  const usual = shown(await nodeWith({}), 80);
  t.match(usual, /^box +address +path +round trip +loss +heard$/m);
  t.match(usual, /^cellar-router +10\.77\.0\.3 /m, 'a usual name is whole');
  t.match(usual, /^ {2}↓ 1\.2 GB ↑ 310 MB$/m, 'traffic gives way first');
  t.match(shown(await nodeWith({ peers: [{ ...cellar, name: LONG }] }), 80), /^a{8,}… +10\.77/m);
});

t.test('status: figures of a path that was silent for more than half a minute are left out', async t => {
  const at = async (lastHeardSecondsAgo: number): Promise<string> =>
    shown(await nodeWith({ peers: [{ ...cellar, lastHeardSecondsAgo }] }), 200);
  t.match(await at(30), /22 ms +0\.0 % .* 30 s/);
  t.notMatch(await at(31), /22 ms|0\.0 %/);
});

t.test('status: that the server is away is said once, with its cause', async t => {
  const cause = controlErrors('SERVER_UNREACHABLE', { tried: '203.0.113.1:7443 (timeout)' });
  for (const problem of [cause, controlErrors('SERVER_AWAY', { reason: cause.message }, cause)]) {
    const server = { state: 'away', address: null, heardSecondsAgo: 300, rttMs: null } as const;
    const screen = shown(await nodeWith({ server: { ...server, reason: problem.message } }), Infinity);
    t.match(screen, /Location server: not reached for 5 min\.\S* Tried: 203\.0\.113\.1:7443 \(timeout\)\.\n/);
    t.match(screen, /Your homes stay connected.*\(SERVER_AWAY\)/);
    t.equal(screen.match(/not reached/g)?.length, 1);
    t.equal(screen.match(/stay connected/g)?.length, 1);
    t.notMatch(screen, 'SERVER_UNREACHABLE');
  }
});

t.test('nodes, plugins, invites: no line is wider than the terminal', t => {
  const endpoint = '[2001:db8:1111:2222:3333:4444:5555:6666]:41641';
  const registered = [1, 2, 3].map(() => ({ scope: 'public', kind: 'host', endpoint }) as const);
  const node = {
    ...{ id: 'x', ip4: '10.77.255.255', ip6: '', online: false, lastSeen: 0, registered },
    standing: 'pending',
  } as const;
  const plugin: PluginStatus = {
    ...{
      name: LONG,
      version: '1',
      kind: 'traversal',
      purpose: REASON,
      thirdParty: true,
      enabled: true,
      memoryBytes: 4_200_000,
    },
    ...{ state: 'failed', code: 'X', facts: { message: `${REASON}${HOSTILE}` } },
  };
  const invite: InviteSummary = {
    ...{ id: '0a1b2c3d', note: REASON, state: 'revoked', uses: 1000, usesLeft: 1000, approval: true },
    ...{ issued: 0, expires: 1 },
  };
  for (const name of [LONG, HOSTILE, WIDE]) {
    const removed = [{ id: 'y', name, at: 0 }];
    fits(t, nodesScreen({ nodes: [{ ...node, name }], removed }, 10_000_000, 80));
    fits(t, pluginsScreen([plugin, { ...plugin, name, thirdParty: false }], COLOURS, 80));
    fits(t, invitesScreen([invite, { ...invite, note: name }], 80));
  }
  t.match(
    invitesScreen([{ ...invite, note: 'cellar' }], Infinity),
    /with approval {2}cellar$/,
    'a pipe has all in a row',
  );
  t.end();
});

t.test('netcheck: what follows first, in a sentence without a term; each term is explained', t => {
  const nat: NatReport = {
    ...NOTHING_CHECKED,
    takenAt: 1,
    udp: 'yes',
    nat: 'yes',
    mapping: 'address-and-port-dependent',
    filtering: 'address-and-port-dependent',
    ports: { rule: 'sequential', step: 2 },
    hairpin: 'no',
    lifetimeMs: 60_000,
    ipv6: 'no',
    notes: [`${REASON}${HOSTILE}`],
    mapped: ['[2001:db8:1111:2222:3333:4444:5555:6666]:41641', '203.0.113.9:41641'],
  };
  const said = { summary: summary(nat, [], false), conclusions: conclusions(nat) };
  const screen = netcheckScreen(
    { nat, said, summary: said.summary.words, conclusions: said.conclusions.map(({ words }) => words) },
    80,
  );
  fits(t, screen);
  t.match(screen, /^Direct paths from this home work with some other homes only/);
  t.match(screen, /^Mapping \(which outer port\) +another for each destination \(symmetric\)$/m);
  t.match(screen, /^Filtering \(who is let in\) +ports sent to before/m);
  t.match(screen, /^Seen from outside as +\[2001:.*\n +203\.0\.113\.9:41641$/m, 'no address is cut');
  const first = (change: object, can: readonly PunchMethod[] = [], isMapped = false): string =>
    summary({ ...nat, ...change }, can, isMapped).words;
  t.match(first({ udp: 'no' }), /^No direct path/);
  t.match(first({ udp: 'no' }, ['tcp']), /are tried by TCP/);
  t.match(first({}, ['predict']), /most other homes, though/);
  t.match(first({ ports: { rule: 'random' } }, ['predict']), /some other homes only/);
  t.match(first({}, [], true), /passes a port on/);
  t.match(first({ nat: 'no' }), /can reach this one directly/);
  t.match(first({ mapping: 'endpoint-independent' }), /most other homes/);
  t.match(first({ mapping: 'not-checked' }), /behind a router that translates addresses/);
  t.match(first(NOTHING_CHECKED), /not known yet/);
  t.end();
});

t.test('the layout: an ellipsis in the last column, whole colours, wrapping with the indent kept', t => {
  t.equal(shorten('abcdef', 4), 'abc…');
  t.equal(shorten('abcd', 4), 'abcd');
  t.equal(shorten(COLOURS.bad('abcdef'), 4), COLOURS.bad('abc…'));
  t.equal(widthOf(shorten(WIDE, 10)), 9, 'a character of two columns is not halved');
  t.equal(wrap('  one two three', 10), '  one two\n  three');
  t.equal(wrap('x'.repeat(25), 10), `${'x'.repeat(10)}\n${'x'.repeat(10)}\n${'x'.repeat(5)}`);
  t.equal(wrap('a   b', 80), 'a   b');
  t.equal(rowsWithin(Infinity, [{ cells: ['a', 'b'], more: REASON }], [0]), `a  b  ${REASON}`);
  t.equal(plain('a\u200bb\u061c\ud800'), 'a?b??');
  t.end();
});

t.test('relays: those of the network, why, and those of this box', t => {
  const [shown, why] = [fakeRelays.shown(), fakeRelays.why('cellar-router')];
  t.equal(
    relaysScreen(shown, Infinity),
    [
      'office-vps  falkenstein  12 of 512 boxes  150 Mbit/s of 200 Mbit/s to spare  17 % loaded  203.0.113.9:7443',
      'shed        -            not in use                                                       its TCP door does not answer from outside',
      'Chosen so that none carries too much. Why a box has its relays: ginnel relays --why NAME',
    ].join('\n'),
  );
  t.match(relaysScreen({ ...shown, relays: [] }, 80), /^No box forwards for others now\./);
  t.same(relaysWhyScreen(why, Infinity).split('\n'), [
    'cellar-router: It needs relays: its TCP door does not answer from outside.',
    'Chosen so that none carries too much:',
    'First choice: office-vps. 17 % loaded.',
    'Not used: shed. 40 % loaded; no better than those in use.',
  ]);
  t.same(nodeRelaysScreen(fakeNodeRelays, Infinity).split('\n'), [
    'office-vps  connected    12.3 ms  203.0.113.9:7443',
    'shed        not reached  -',
    'This box forwards for 3 of at most 512 boxes, 90 Mbit/s to spare. Its region: hamburg.',
  ]);
  const [relay] = shown.relays;
  const wild = { ...relay!, name: HOSTILE, region: 'r'.repeat(32), problem: REASON };
  fits(t, relaysScreen({ ...shown, relays: [relay!, wild] }, 80));
  fits(
    t,
    relaysWhyScreen(
      { ...why, name: LONG, ranking: [{ ...why.ranking[0]!, name: HOSTILE, words: REASON }] },
      80,
    ),
  );
  fits(
    t,
    nodeRelaysScreen({ ...fakeNodeRelays, relays: [{ ...fakeNodeRelays.relays[0]!, name: HOSTILE }] }, 80),
  );
  t.end();
});
