// The contract of a UDP door, held by all: koffi's with and without the kernel's help, and the slower one.
import t from 'tap';
import { createArena } from '../../system/arena.ts';
import { openLibc } from '../../system/libc.ts';
import { createReadiness } from '../../system/poll.ts';
import { openDgram } from '../../system/tuntap/udp.ts';
import { createUdpOpener } from '../../system/udp.ts';
import { testUdpDoor } from './udp-door.ts';

for (const offloads of [
  { cut: true, coalesce: true },
  { cut: false, coalesce: false },
]) {
  t.test(`koffi, the kernel cuts and coalesces: ${offloads.cut ? 'yes' : 'no'}`, t => {
    const libc = openLibc();
    testUdpDoor(t, counters => {
      const readiness = createReadiness(libc.koffi);
      const opener = createUdpOpener(libc, createArena(libc), readiness, counters, offloads);
      return options => opener.open(options);
    });
    t.end();
  });
}

t.test('tuntap', t => {
  testUdpDoor(t, counters => options => openDgram(options, counters.scope('udp')));
  t.end();
});
