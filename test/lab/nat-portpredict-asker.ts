// Runs nat-portpredict's measurement on plain sockets of the place it is started in, and asks a place of the server that it
// did not ask which port the NAT did give next. Prints one line of JSON: an array with an entry for each round.
//   node nat-portpredict-asker.js udp|tcp ROUNDS FRESH_PLACE PLACE…
import { createPlugin } from '../../plugins/nat-portpredict/index.ts';
import type { Forecast } from '../../protocol/location/messages.ts';
import { parseEndpoint } from '../../protocol/ip/endpoint.ts';
import { readMapped } from '../../protocol/stun/attributes.ts';
import { openAsker } from './asker.ts';

export interface Round {
  readonly forecast: Forecast | null;
  /** The port that the next new destination did get. */
  readonly given: number | null;
  readonly tookMs: number;
}

const [how, rounds, ...places] = process.argv.slice(2);
const transport = how === 'tcp' ? 'tcp' : 'udp';
const [fresh, ...servers] = places.map(text => {
  const parsed = parseEndpoint(text);
  if (!parsed.ok) throw new TypeError(`no address:port: ${text}`);
  return parsed.value;
});
const asker = await openAsker(
  servers.map(endpoint => ({ endpoint, secondPort: null })),
  {},
);
const { signal } = asker.context;
const plugin = createPlugin(asker.context);
await plugin.start(signal);
const done: Round[] = [];
for (let round = 0; round < Number(rounds); round++) {
  const began = performance.now();
  const measured = await plugin.puncher!.measure(transport, signal);
  const tookMs = Math.round(performance.now() - began);
  const outcome = await measured?.socket.transact({ to: fresh!, attributes: [] });
  const given = outcome?.ok === true ? (readMapped(outcome.message)?.port ?? null) : null;
  measured?.socket.close();
  done.push({ forecast: measured?.forecast ?? null, given, tookMs });
}
console.log(JSON.stringify(done));
await plugin.stop();
asker.close();
