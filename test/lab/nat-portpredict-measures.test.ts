// nat-portpredict's measurement through the kernel's own NATs: the port that it forecasts is the one that comes.
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { COTURN_TOOLS, startCoturn } from './coturn.ts';
import type { Round } from './nat-portpredict-asker.ts';
import type { Place } from './place.ts';
import { buildLab } from './topology.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url, { tools: { turnserver: COTURN_TOOLS.turnserver } });

const ASKER = fileURLToPath(new URL('nat-portpredict-asker.js', import.meta.url));
const ROUNDS = 10;
const STEPS: Readonly<Record<string, number | null>> = {
  prc: 0,
  prcnp: 0,
  eimprcnp: 0,
  seq1: 1,
  seq2: 2,
  seq5: 5,
  seqd1: -1,
  seqw2: 2,
  sym: null,
};
const FRESH = '203.0.113.2:3479';
const PLACES = ['203.0.113.1:3478', '203.0.113.2:3478', '203.0.113.1:3479'];

t.test('P2, P7: what the kernel gives next is what was forecast', { timeout: 110_000 }, async t => {
  const lab = await buildLab({
    homes: Object.keys(STEPS).map(kind => ({ kind })),
    server: { addresses: 2 },
  });
  t.teardown(() => lab.stop());
  await startCoturn(lab.server);
  for (const transport of ['udp', 'tcp'] as const)
    for (const { kind, host } of lab.homes) await check(t, transport, kind, host);
});

async function check(t: Test, transport: 'udp' | 'tcp', kind: string, host: Place): Promise<void> {
  const line = `timeout 30 ${process.execPath} ${ASKER} ${transport} ${ROUNDS} ${FRESH} ${PLACES.join(' ')}`;
  const rounds = JSON.parse((await host.exec(line, { timeoutMs: 35_000 })).stdout) as Round[];
  const step = STEPS[kind];
  t.ok(
    rounds.every(({ tookMs }) => tookMs <= 500),
    `${kind}, ${transport}: in time`,
  );
  const right = rounds.filter(
    ({ forecast, given }) => forecast?.step === step && (step === null || forecast?.port === given),
  );
  // Where the range ends between measuring and sending, one may be wrong.
  t.ok(
    right.length >= ROUNDS - (kind === 'seqw2' ? 1 : 0),
    `${kind}, ${transport}: ${right.length} of ${ROUNDS}`,
    {
      rounds,
    },
  );
}
