// The command over made-up admins, as whole processes: what it says, in words and in JSON, and its exit codes.
import { writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { shell } from './shell.ts';

t.test('help fits a screen and tells the exit codes; the version is told', async t => {
  const { ginnel } = shell(t);
  const help = await ginnel(['--help']);
  t.equal(help.code, 0);
  t.ok(help.out.split('\n').length <= 24, 'lines');
  t.match(help.out, /Exit codes: 0 done, 1 failed, 2 wrong usage, 3 /);
  t.equal((await ginnel(['--version'])).out, '1.2.3\n');
  for (const name of ['server', 'invite', 'up', 'down', 'status', 'ping', 'netcheck', 'why']) {
    const one = await ginnel([name, '--help']);
    t.ok(one.out.split('\n').length <= 24 && one.out.includes('--json'), name);
  }
});

t.test('wrong usage is 2, told on standard error', async t => {
  const { ginnel } = shell(t);
  for (const args of [
    ['fly'],
    ['up', '--no-such'],
    ['ping'],
    ['server', '--port', '0'],
    ['invite', '--valid', 'long'],
    [],
  ]) {
    const { code, out, err } = await ginnel(args);
    t.equal(code, 2, args.join(' '));
    t.equal(out, '');
    t.not(err, '');
  }
});

t.test('without a daemon: 3, a sentence with a code, the same as JSON', async t => {
  const { ginnel } = shell(t);
  for (const args of [['status'], ['down'], ['ping', 'x'], ['netcheck'], ['why', 'x'], ['invite']]) {
    const { code, err } = await ginnel(args);
    t.equal(code, 3, args.join(' '));
    t.match(
      err,
      /^Ginnel is not running on this box\. Nothing answers at .*\. Start it with: .*\(DAEMON_NOT_RUNNING\)\n$/,
    );
  }
  const { code, err, out } = await ginnel(['status', '--json']);
  t.equal(code, 3);
  t.equal(out, '');
  t.match(JSON.parse(err), { error: { code: 'DAEMON_NOT_RUNNING', retry: false } });
});

t.test('server, invite, up, status, ping, why, netcheck, down: a whole life', async t => {
  const { ginnel, health, places, until } = shell(t);
  const server = await ginnel(['server', '--port', '7450', '--name', 'home']);
  t.equal(server.code, 0, server.err);
  t.match(server.err, /^Started Ginnel in the background \(log: .*daemon\.log\)\.\n$/);
  t.match(server.out, /^Location server ready at home\.example\.net, port 7450 \(TCP and UDP\)\.\n/);
  t.match(server.out, /Invite for one box, valid 24 h:\n {2}ginnel:fresh\n$/);

  const invite = await ginnel(['invite', '--valid', '7d', '--json']);
  t.match(JSON.parse(invite.out), { invite: 'ginnel:fresh', expires: Date.UTC(2026, 0, 8) });

  const up = await ginnel(['up', '--name', 'attic-nas'], { input: 'ginnel:good\n' });
  t.equal(up.code, 0, up.err);
  t.equal(up.out, 'attic-nas is on the network as 10.77.0.2 and fd6a:91c2:44d0::2\n');
  t.equal((await ginnel(['up'])).code, 0, 'again, without an invite: rejoins');

  const status = await ginnel(['status']);
  const rows = status.out.split('\n');
  t.match(rows[0], /^box +address +path +round trip +loss +traffic +heard$/);
  t.match(rows[1], /^attic-nas {6}10\.77\.0\.2 {2}this box {8}not yet known how it can be reached$/);
  t.match(
    rows[2],
    /^cellar-router {2}10\.77\.0\.3 {2}direct UDP {6}22 ms {7}0\.0 % {2}↓ 1\.2 GB ↑ 310 MB {2}now/,
  );
  t.match(
    rows[3],
    /^shop-till {6}10\.77\.0\.9 {2}via office-vps {21}↓ .* 2 min {2}both ends have random symmetric NATs/,
  );
  t.match(status.out, /Health: location server reached 4 s ago\./);
  t.match(
    status.out,
    /Door: koffi, sealing by openssl-lowlevel\. Switched off by GINNEL_WITHOUT: AES\. This kernel lacks: large packets of UDP \(USO\)\./,
  );
  t.match(status.out, /Location server on this box: port 7450, 1 box, 1 online\./);
  // eslint-disable-next-line no-control-regex -- that there are none is the point
  t.notMatch(status.out, /\x1b/, 'no colour without a terminal');
  const json = JSON.parse((await ginnel(['status', '--json'])).out) as object;
  t.match(json, {
    daemon: { roles: { node: 'up', server: 'up' } },
    node: { name: 'attic-nas' },
    server: { port: 7450 },
  });

  const ping = await ginnel(['ping', 'cellar-router', '-c', '3', '-i', '0.1']);
  t.equal(ping.code, 0);
  t.same(ping.out.split('\n'), [
    '10.77.0.3 via relay office-vps (TCP)  61.2 ms',
    '10.77.0.3 direct, UDP 198.51.100.7:41641  22.4 ms   found in 0.6 s',
    '10.77.0.3 direct, UDP 198.51.100.7:41641  22.4 ms',
    '3 of 3 answered.',
    '',
  ]);
  const events = (await ginnel(['ping', '10.77.0.3', '-c', '1', '--json'])).out.trimEnd().split('\n');
  t.same(
    events.map(line => (JSON.parse(line) as { type: string }).type),
    ['reply', 'done'],
  );
  t.equal((await ginnel(['ping', 'silent', '-c', '1'])).code, 1, 'no answer at all is a failure');
  t.match(await ginnel(['ping', 'nobody']), { code: 1, err: /\(PEER_UNKNOWN\)/ });

  t.match((await ginnel(['why', 'cellar-router'])).out, /^Tries at cellar-router:\n1\. /);
  t.match(
    (await ginnel(['netcheck'])).out,
    /^Direct paths from this home work with most other homes\.\n\n(.*\n)*Mapping \(which outer port\) +one for all \(endpoint independent\)\n(.*\n)*\nDirect paths to most homes will work\.\n$/,
  );

  const down = await ginnel(['down']);
  t.equal(
    down.out.trimEnd(),
    'attic-nas has left the network. Undone: the network card ginnel0, its addresses and its routes. Rejoin with: ginnel up',
  );
  t.match(await health(), { roles: { node: 'down', server: 'up' } }, 'the server stays');
  t.equal((await ginnel(['down', '--server'])).code, 0);
  await until('the daemon ended with its last role', async () => (await health()) === null);
  const log = readFileSync(places.log, 'utf8');
  t.match(log, /"msg":"ending"/);
  t.notMatch(log, /ginnel:good/, 'no invite in the log');
});

t.test('invites: from a file, from standard input, none; refused by the server is 4', async t => {
  const { ginnel, places, health } = shell(t);
  const none = await ginnel(['up']);
  t.match(none, { code: 1, err: /\(INVITE_NEEDED\)\n$/ });
  t.match(await ginnel(['up', '--invite-file', '/no/such/file']), { code: 1, err: /\(INVITE_FILE\)\n$/ });
  const used = await ginnel(['up', '--json'], { input: 'ginnel:used' });
  t.equal(used.code, 4);
  t.match(JSON.parse(used.err), { error: { code: 'INVITE_USED' } });
  t.match(await health(), { roles: { node: 'down' } }, 'an idle daemon waits a while for the next order');
  t.match(await ginnel(['up'], { input: 'ginnel:away' }), { code: 1, err: /\(SERVER_AWAY\)\n$/ });
  t.match(await ginnel(['up'], { input: 'ginnel:crash' }), { code: 1, err: /\(API_INTERNAL\)\n$/ });
  t.match(await ginnel(['up', '--name', 'n'.repeat(257)], { input: 'ginnel:good' }), {
    code: 2,
    err: /\(API_BODY\)\n$/,
  });
  const file = join(places.state, 'invite');
  writeFileSync(file, 'Invite for one box, valid 24 h:\n  ginnel:good\n');
  t.equal((await ginnel(['up', '--invite-file', file])).code, 0);
});

t.test('server --with-node joins its own network; what the server says is passed on', async t => {
  const { ginnel } = shell(t);
  const taken = await ginnel(['server', '--port', '1']);
  t.match(taken, { code: 1, err: /\(PORT_TAKEN\)\n$/ });
  const both = await ginnel(['server', '--with-node', '--json']);
  t.equal(both.code, 0, both.err);
  t.match(JSON.parse(both.out), {
    server: { state: 'up' },
    node: { state: 'up' },
    invite: { invite: 'ginnel:fresh' },
  });
});
