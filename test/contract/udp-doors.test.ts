// The contract of a UDP door, held by both: koffi's and the slower one.
import t from 'tap';
import { createArena } from '../../system/arena.ts';
import { openLibc } from '../../system/libc.ts';
import { createReadiness } from '../../system/poll.ts';
import { openDgram } from '../../system/tuntap/udp.ts';
import { createUdpOpener } from '../../system/udp.ts';
import { testUdpDoor } from './udp-door.ts';

t.test('koffi', t => {
  const libc = openLibc();
  testUdpDoor(t, counters => {
    const opener = createUdpOpener(libc, createArena(libc), createReadiness(libc.koffi), counters);
    return options => opener.open(options);
  });
  t.end();
});

t.test('tuntap', t => {
  testUdpDoor(t, counters => options => openDgram(options, counters.scope('udp')));
  t.end();
});
