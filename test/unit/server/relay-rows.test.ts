// What one node says of relays is bounded, whatever it names.
import t from 'tap';
import type { Registration } from '../../../protocol/location/messages.ts';
import { newRow, readRelays } from '../../../server/relays/rows.ts';

const failing = (nodes: readonly string[]): Registration => ({
  ...{ privateAddresses: [], publicAddresses: [], tcpPorts: [], candidates: [], bandwidth: null },
  ...{ cpuLoad: 0, reachable: 'no', relay: null, region: '' },
  relays: nodes.map(node => ({ node, state: 'failed', rttMs: null })),
});

const named = (word: string, round: number): string[] =>
  Array.from({ length: 16 }, (_, at) => `${word} ${16 * round + at}`);

t.test('only relays fail: those that can be had, are kept or were asked for', t => {
  const row = newRow('node', failing([]));
  row.kept = { relays: ['kept'], changedAt: null };
  row.measure = ['asked'];
  row.registration = failing(['had', 'kept', 'asked', 'invented']);
  readRelays(row, id => id === 'had', 0);
  t.same([...row.failed.keys()], ['had', 'kept', 'asked']);
  t.end();
});

t.test('of relays that fail the last 64 are remembered', t => {
  const row = newRow('node', failing([]));
  for (let round = 0; round < 20; round++) {
    row.registration = failing(named('relay', round));
    readRelays(row, () => true, round);
  }
  t.equal(row.failed.size, 64);
  t.ok(row.failed.has('relay 319'));
  t.notOk(row.failed.has('relay 0'));
  t.end();
});
