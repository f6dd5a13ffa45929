// Who may connect: nobody alone can use up what is there for all.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Admission } from '../../../server/admission.ts';
import { DEFAULT_LIMITS } from '../../../server/limits.ts';

t.test('V14: one address that floods with handshakes leaves those of others alone', async t => {
  const clock = new ManualClock();
  const admission = new Admission(clock, DEFAULT_LIMITS);
  let flooded = 0;
  let others = 0;
  for (let second = 0; second < 60; second++) {
    clock.advance(1_000);
    for (let attempt = 0; attempt < 5_000; attempt++) if (admission.handshake('192.0.2.66')) flooded++;
    if (admission.handshake(`198.51.100.${second}`)) others++;
  }
  t.equal(others, 60);
  t.ok(flooded <= 64 + 20 * 60, `${flooded} for the one`);
});

t.test('an IPv6 home counts as one address', async t => {
  const admission = new Admission(new ManualClock(), { ...DEFAULT_LIMITS, handshakesPerAddressBurst: 2 });
  t.ok(admission.handshake('2001:db8:1:2::1'));
  t.ok(admission.handshake('2001:db8:1:2::2'));
  t.notOk(admission.handshake('2001:db8:1:2:3::'));
  t.ok(admission.handshake('2001:db8:1:3::1'));
});
