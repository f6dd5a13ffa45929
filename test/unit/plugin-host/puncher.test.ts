// A plugin that measures too long, tells nonsense, or aims at somebody else: no socket is left open, and nothing leaves.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { silentLog } from '../../../base/log.ts';
import type { Measured, Puncher, Volley, VolleyAsk } from '../../../core/contract/punch.ts';
import { AnswerChecks } from '../../../core/plugin-host/answers.ts';
import { Blame } from '../../../core/plugin-host/blame.ts';
import { Guard } from '../../../core/plugin-host/guard.ts';
import { GuardedPuncher } from '../../../core/plugin-host/puncher.ts';

const FORECAST = { address: '198.51.100.2', port: 20_000, step: 1, drift: 2 };
const NAT = { mapping: 'address-and-port-dependent', filtering: 'not-checked', ports: 'sequential 1' };
const ASK: VolleyAsk = {
  ...{ method: 'predict', role: 'offerer', holdBackMs: 0, failures: 0 },
  own: { nat: NAT, forecast: { ...FORECAST, address: '198.51.100.1' } },
  theirs: { nat: NAT, forecast: FORECAST },
};

function guarded(puncher: Partial<Puncher>) {
  const clock = new ManualClock();
  const faults: string[] = [];
  const guard = new Guard({
    blame: new Blame(),
    scrub: text => text,
    wrong: ({ problem }) => faults.push(problem),
    crashed: (_guard, problem) => faults.push(problem),
  });
  const around = { name: 'odd', guard, clock, checks: new AnswerChecks(), log: silentLog };
  const whole: Puncher = {
    methods: ['predict'],
    measure: () => Promise.resolve(null),
    volley: () => null,
    ...puncher,
  };
  return { clock, faults, puncher: new GuardedPuncher(whole, around) };
}

function lent(forecast = FORECAST): { measured: Measured; closed: () => number } {
  let closed = 0;
  const socket = {
    ...{
      family: 4 as const,
      localPort: 50_000,
      close: () => {
        closed++;
      },
    },
    transact: () => Promise.resolve({ ok: false as const, code: 'aborted' as const }),
  };
  return { measured: { forecast, socket }, closed: () => closed };
}

const turn = (): Promise<void> => new Promise(done => setImmediate(done));

t.test('a measurement that is done after it was given up: its socket is closed', async t => {
  for (const end of ['timeout', 'abort'] as const) {
    const { measured, closed } = lent();
    let done: (measured: Measured) => void = () => undefined;
    const { clock, puncher } = guarded({ measure: () => new Promise(resolve => (done = resolve)) });
    const aborted = new AbortController();
    const outcome = puncher.measure('udp', aborted.signal);
    await turn();
    if (end === 'abort') aborted.abort();
    else clock.advance(2_000);
    t.equal(await outcome, null, end);
    t.equal(closed(), 0);
    done(measured);
    await turn();
    t.equal(closed(), 1, end);
  }
});

t.test('a measurement of no use: its socket is closed', async t => {
  const { measured, closed } = lent({ ...FORECAST, port: 70_000 });
  const { faults, puncher } = guarded({ measure: () => Promise.resolve(measured) });
  t.equal(await puncher.measure('udp', new AbortController().signal), null);
  t.equal(closed(), 1);
  t.match(faults, ['its numbers are out of range']);
});

const shot = (address: string, port: number) =>
  ({ from: 'main', to: { family: 4, address, port }, atMs: 0, ttl: 'full' }) as const;

t.test('shots at anybody but whom the volley is for are refused', t => {
  const volley: Volley = {
    shots: [shot('198.51.100.2', 1), shot('192.0.2.9', 1)],
    endsMs: 100,
    isHeavy: false,
  };
  const { faults, puncher } = guarded({ volley: () => volley });
  t.equal(puncher.volley(ASK), null);
  t.match(faults, ['another address']);
  t.end();
});

t.test('a volley of many flows is heavy, whatever the plugin says', t => {
  for (const [count, isHeavy] of [
    [32, false],
    [200, true],
  ] as const) {
    const shots = Array.from({ length: count }, (_, at) => shot('198.51.100.2', 1_024 + at));
    const { puncher } = guarded({ volley: () => ({ shots, endsMs: 100, isHeavy: false }) });
    t.equal(puncher.volley(ASK)?.isHeavy, isHeavy);
  }
  t.end();
});
