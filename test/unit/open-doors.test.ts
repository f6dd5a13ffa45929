// Which doors are taken, and what is said where there are none.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { silentLog } from '../../base/log.ts';
import { openAead } from '../../system/aead.ts';
import { createArena } from '../../system/arena.ts';
import { openDoors } from '../../system/doors-linux.ts';
import type { Doors, Slowness } from '../../system/doors.ts';
import { openLibc, probe, type Libc } from '../../system/libc.ts';
import { openBestDoors, type DoorMakers } from '../../system/open-doors.ts';
import { loadTuntap, type TuntapAddon } from '../../system/tuntap/addon.ts';
import { openSlowerDoors } from '../../system/tuntap/doors.ts';
import { createIpCommand } from '../../system/tuntap/ip-command.ts';

const noAddon: TuntapAddon = { tuntapInit: () => '', tuntapGetIfIndex: () => 0 };
const noKoffi = (): never => {
  openLibc(() => {
    throw new Error('Cannot find the native Koffi module');
  });
  throw new TypeError('it was found');
};
const installed = (slowness: Slowness): Doors => openSlowerDoors(slowness, {}, noAddon);
const notInstalled = (): never => {
  loadTuntap(tmpdir());
  throw new TypeError('it was found');
};

t.test('koffi is taken where it works', t => {
  t.match(openBestDoors(''), { kind: 'koffi', slowness: null });
  t.match(openBestDoors('koffi'), { kind: 'koffi', slowness: null });
  t.end();
});

t.test('without koffi the slower door is taken, and says why it is and what would help', t => {
  const makers: DoorMakers = { koffi: noKoffi, tuntap: installed };
  const doors = openBestDoors(undefined, {}, makers);
  t.match(doors, { kind: 'tuntap', slowness: { because: /no binary/, todo: /koffi/ } });
  t.equal(openAead(doors.arena).implementation, 'node-crypto', 'and packets are sealed without koffi');
  t.throws(() => openBestDoors('koffi', {}, makers), { code: 'KOFFI_UNAVAILABLE' });
  t.end();
});

t.test('GINNEL_DOOR asks for one of them', t => {
  const makers: DoorMakers = { koffi: openDoors, tuntap: installed };
  t.match(openBestDoors('tuntap', {}, makers), { kind: 'tuntap', slowness: { because: /GINNEL_DOOR/ } });
  t.throws(() => openBestDoors('cellar'), { code: 'DOOR_UNKNOWN', message: /"cellar"/ });
  t.throws(() => openBestDoors('tuntap', {}, { koffi: openDoors, tuntap: notInstalled }), {
    code: 'TUNTAP_MISSING',
    message: /npm ci --prefix/,
  });
  t.end();
});

t.test('where there is neither, the error says what to install and where', t => {
  t.throws(() => openBestDoors('', {}, { koffi: noKoffi, tuntap: notInstalled }), {
    code: 'NO_DOOR',
    message: /npm ci --prefix \S+optional\/tuntap/,
  });
  t.end();
});

t.test('a failure that is not about being there is not covered up by the other door', t => {
  const broken = (): never => {
    throw new TypeError('a defect');
  };
  t.throws(() => openBestDoors('', {}, { koffi: broken, tuntap: installed }), TypeError);
  t.throws(() => openBestDoors('', {}, { koffi: noKoffi, tuntap: broken }), TypeError);
  t.end();
});

t.test('a koffi that loads and does not work is none', t => {
  const libc = openLibc();
  const arena = createArena(libc, 4096);
  t.doesNotThrow(() => probe(libc, arena));
  const wrong: Record<string, Libc> = {
    'reads nothing': { ...libc, read: () => -1 },
    'reads to another place': { ...libc, read: (fd, at) => libc.read(fd, at + 64, 8) },
  };
  for (const [what, broken] of Object.entries(wrong))
    t.throws(() => probe(broken, arena), { code: 'KOFFI_UNAVAILABLE' }, what);
  t.end();
});

t.test('another version of the package, whose addon lacks a call, is refused', t => {
  const folder = mkdtempSync(join(tmpdir(), 'ginnel-addon-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const addon = join(folder, 'node_modules/@xiaobaidadada/node-tuntap2-wintun/dist/src/ts/linux');
  mkdirSync(addon, { recursive: true });
  writeFileSync(join(addon, 'Tuntap2Addon.js'), 'exports.default = { tuntapInit() {} };');
  t.throws(() => loadTuntap(folder), { code: 'TUNTAP_MISSING', cause: /another version/ });
  t.end();
});

t.test('without the program ip the error says what to install', t => {
  const { cards, rename } = createIpCommand(silentLog, 'a-program-that-nobody-has');
  t.throws(() => rename('tun0', 'ginnel0'), { code: 'IP_COMMAND_MISSING', message: /iproute2/ });
  t.throws(() => cards.bringUp({ name: 'tun0', index: 1 }, 1400), { code: 'IP_COMMAND_MISSING' });
  t.end();
});
