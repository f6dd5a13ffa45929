// A quick pass over every fuzz target with the seed of the day's code; `npm run fuzz` is the long one.
import t from 'tap';
import { accepted } from '../../protocol/result.ts';
import { fuzz, FuzzFailure, type FuzzTarget } from './harness.ts';
import { fuzzTargets } from './targets.ts';

const INPUTS = 20_000;

for (const target of fuzzTargets) {
  t.test(`${target.name}: no input makes the decoder throw or change its mind`, async t => {
    const { outcomes, inputs } = fuzz(target, Math.ceil(INPUTS / (target.cost ?? 1)), 5769);
    const names = Object.keys(outcomes);
    t.ok(
      names.some(name => !name.includes('.')),
      'some are accepted',
    );
    t.ok(
      names.some(name => name.includes('.') || name === 'error'),
      'some are refused',
    );
    t.comment(`${inputs}: ${JSON.stringify(outcomes)}`);
  });
}

const made = (check: FuzzTarget['check']): FuzzTarget => ({
  name: 'made up',
  decoders: [],
  valid: random => random.bytes(8),
  check,
});

t.test('a failing input is told in hexadecimal, with its seed, and comes again', async t => {
  const failing = made(input => {
    if (input.length > 100) throw new Error('too long for me');
    return 'accepted';
  });
  const failures = [0, 1].map(() => {
    try {
      fuzz(failing, 5_000, 7);
    } catch (error) {
      return error instanceof FuzzFailure ? error.message : null;
    }
    return null;
  });
  t.match(failures[0], /^made up: too long for me\n {2}seed 7, input \d+: ([0-9a-f]{2}){101,}$/);
  t.equal(failures[1], failures[0]);
});

t.test('a refusal without a code is a failure', async t => {
  const { outcomeOf } = await import('./harness.ts');
  t.equal(outcomeOf(accepted(1)), 'accepted');
  t.equal(outcomeOf({ ok: false, code: 'stun.length' }), 'stun.length');
  t.throws(() => outcomeOf({ ok: false, code: '' }));
});
