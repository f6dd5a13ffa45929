// Identity and membership on disk: private, whole or told, never silently new.
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { openIdentity, IDENTITY_FILE } from '../../../core/control/identity.ts';
import type { NodeIdentity } from '../../../core/control/identity.ts';
import {
  joinByInvite,
  MembershipFile,
  MEMBERSHIP_FILE,
  serverAddresses,
} from '../../../core/control/membership.ts';
import { primitives } from '../../../system/crypto.ts';
import {
  assignmentOf,
  makeIdentity,
  membershipOf,
  networkBytes,
  serverControl,
  serverIdentity,
  withFolder,
} from './made-up.ts';

const open = (folder: string, joined: boolean, counters = new Counters()): Promise<NodeIdentity> =>
  openIdentity({ folder, primitives, log: silentLog, counters, joined });
const openMembership = (folder: string, counters = new Counters()): Promise<MembershipFile> =>
  MembershipFile.open({ folder, log: silentLog, counters });

t.test('V4: the serial number is made at the first start and stays, readable by its owner only', t =>
  withFolder(async folder => {
    const first = await open(join(folder, 'state'), false);
    const second = await open(join(folder, 'state'), true);
    t.equal(second.id, first.id);
    t.equal(second.wireguardKey, first.wireguardKey);
    t.equal(second.controlKey, first.controlKey);
    t.equal(Buffer.from(first.id, 'base64url').length, 32);
    t.equal(Buffer.from(first.wireguardKey, 'base64').length, 32);
    const file = join(folder, 'state', IDENTITY_FILE);
    t.equal((await stat(file)).mode & 0o777, 0o600);
    t.equal((await stat(join(folder, 'state'))).mode & 0o777, 0o700);
    await chmod(file, 0o644);
    await open(join(folder, 'state'), true);
    t.equal((await stat(file)).mode & 0o777, 0o600, 'rights that are too wide are narrowed');
    t.same(await readdir(join(folder, 'state')), [IDENTITY_FILE], 'nothing is left beside it');
  }),
);

t.test('a member whose identity is missing or damaged is told so, and gets no new one', t =>
  withFolder(async folder => {
    await t.rejects(open(folder, true), { code: 'IDENTITY_DAMAGED' }, 'missing');
    t.same(await readdir(folder), []);
    await open(folder, false);
    const file = join(folder, IDENTITY_FILE);
    const whole = await readFile(file);
    for (let at = 0; at < whole.length - 1; at += 5) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 1;
      await writeFile(file, bytes);
      await t.rejects(open(folder, true), { code: 'IDENTITY_DAMAGED' }, `byte ${at}`);
    }
    for (const text of ['', '{}', whole.subarray(0, 50).toString()]) {
      await writeFile(file, text);
      await t.rejects(open(folder, true), { code: 'IDENTITY_DAMAGED' });
    }
    t.same(await readdir(folder), [IDENTITY_FILE]);
  }),
);

t.test('a damaged identity that belongs to no network is set aside, counted, and a new one made', t =>
  withFolder(async folder => {
    const counters = new Counters();
    await writeFile(join(folder, IDENTITY_FILE), 'rubbish');
    await open(folder, false, counters);
    t.same((await readdir(folder)).sort(), [IDENTITY_FILE, `${IDENTITY_FILE}.damaged`]);
    t.equal(counters.snapshot()['control.identity.set-aside'], 1);
    await open(folder, true);
  }),
);

t.test('an identity that cannot be kept is not used', t =>
  withFolder(async folder => {
    await writeFile(join(folder, 'file'), '');
    await t.rejects(open(join(folder, 'file', 'state'), false), { code: /IDENTITY_/ });
  }),
);

t.test('the membership is kept, and what did not change is not written', t =>
  withFolder(async folder => {
    const first = await openMembership(folder);
    t.equal(first.current, null);
    await first.replace(membershipOf());
    t.equal((await stat(join(folder, MEMBERSHIP_FILE))).mode & 0o777, 0o600);
    const assignment = assignmentOf(await makeIdentity(), '10.77.0.2');
    first.update({ assignment, learntAddresses: ['198.51.100.1:7443'] });
    first.update({ udpPort: 41_641 });
    await first.flush();
    const { ino } = await stat(join(folder, MEMBERSHIP_FILE));
    first.update({ udpPort: 41_641 });
    await first.flush();
    t.equal((await stat(join(folder, MEMBERSHIP_FILE))).ino, ino, 'the file is the same one');
    const second = await openMembership(folder);
    t.same(second.current, {
      ...membershipOf(),
      assignment,
      learntAddresses: ['198.51.100.1:7443'],
      udpPort: 41_641,
    });
    t.same(serverAddresses(second.current!), ['127.0.0.1:7443', '198.51.100.1:7443']);
    await second.replace(null);
    t.same(await readdir(folder), []);
    await writeFile(join(folder, MEMBERSHIP_FILE), 'rubbish');
    await t.rejects(openMembership(folder), { code: 'MEMBERSHIP_DAMAGED' });
  }),
);

t.test('an invite of the same network keeps what was learnt, one of another starts anew', async t => {
  const assignment = assignmentOf(await makeIdentity(), '10.77.0.2');
  const earlier = membershipOf({ assignment, signalFloor: 7 });
  const invite = {
    serverKey: serverControl.publicKey,
    serverIdentity,
    network: networkBytes,
    token: new Uint8Array(16),
    addresses: ['new.example.net:7443'],
  };
  const wishes = { name: 'attic', udpPort: 1 };
  const again = joinByInvite(invite, wishes, earlier);
  t.match(again, { assignment, signalFloor: 7, addresses: ['new.example.net:7443'], name: 'attic' });
  t.equal(again.token, Buffer.alloc(16).toString('base64url'));
  const other = joinByInvite({ ...invite, network: new Uint8Array(16) }, wishes, earlier);
  t.match(other, { assignment: null, signalFloor: 0 });
});
