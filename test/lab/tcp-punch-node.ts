// One end of a TCP simultaneous open, for tcp-punch.test.ts: lines of JSON in, a line out for each. It measures with Ginnel's own
// STUN over TCP, and punches with its own streams; only the two ends' words go by these lines.
import { createInterface } from 'node:readline';
import { systemClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import type { PunchShot } from '../../core/contract/punch.ts';
import { Budget } from '../../core/paths/budget.ts';
import { StunOverTcp } from '../../core/paths/stun-tcp.ts';
import { Streams } from '../../core/streams/streams.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type { Forecast, SignedNode } from '../../protocol/location/messages.ts';
import { readXorMappedAddress } from '../../protocol/stun/attributes.ts';
import { primitives } from '../../system/crypto.ts';
import { openDoors } from '../../system/doors-linux.ts';
import { lendReads } from '../../system/tcp-reading.ts';
import { makeIdentity, nodeOf, serverControl } from '../unit/control/made-up.ts';

interface Question {
  readonly measure?: readonly Endpoint[];
  readonly punch?: {
    readonly role: 'offerer' | 'answerer';
    readonly own: Forecast;
    readonly theirs: Forecast;
    readonly peer: SignedNode;
    readonly startInMs: number;
    readonly holdBackMs: number;
    readonly withoutLow: boolean;
  };
}

const MARGIN = 4;
const PASSES_MS = [0, 300, 700, 1_200, 1_800];
const ENDS_MS = 2_500;

const name = process.argv[2] ?? 'node';
const doors = openDoors();
const counters = new Counters();
const clock = systemClock;
const identity = await makeIdentity();
const node = nodeOf(identity, name, '10.77.0.2');
const heard: string[] = [];
let wake: () => void = () => undefined;
let measured: StunOverTcp | null = null;

const streams = new Streams({
  ...{ clock, counters, log: silentLog, primitives, node: identity.id, control: identity.control, lendReads },
  serverKey: serverControl.publicKey,
  self: () => node,
  doubt: () => null,
  connect: () => Promise.reject(new Error('no')),
  heardOf: () => undefined,
});
streams.setAddress(node.record.ip6);
streams.events = {
  wireguard(link, { bytes, offset, length }) {
    heard.push(
      `${link.transport} ${Buffer.from(bytes.subarray(offset + 4, offset + length)).toString('latin1')}`,
    );
    wake();
  },
  ...{ stun() {}, sent() {}, turnEnded() {}, closed() {} },
};

async function measure(places: readonly Endpoint[]): Promise<Forecast> {
  const budget = new Budget(counters, clock.monotonicMs());
  measured = new StunOverTcp(
    doors.openTcpSource!({ family: 4 }),
    { clock, random: systemRandom, budget, counters },
    () => undefined,
  );
  const ports: number[] = [];
  let address = '';
  // One after another: the order of the mappings is the order of the ports.
  for (const to of places) {
    const outcome = await measured.transact({ to, attributes: [], timeoutMs: 1_000 });
    const mapped = outcome.ok ? readXorMappedAddress(outcome.message) : null;
    if (mapped === null) throw new Error('no answer');
    ports.push(mapped.port);
    address = mapped.address;
  }
  const [first = 0, second = 0] = ports.slice(-2);
  const step = second - first;
  return { address, port: second + step, step, drift: 0 };
}

/** The two-step strides of one end keep both from moving in step for ever. */
function shotsOf({ role, own, theirs, holdBackMs, withoutLow }: NonNullable<Question['punch']>): PunchShot[] {
  const stride = own.step !== 0 && theirs.step !== 0 && role === 'answerer' ? 2 : 1;
  const step = theirs.step ?? 0;
  const count = step === 0 ? 1 : own.step === 0 ? MARGIN : 3 * MARGIN;
  const places = Array.from({ length: count }, (_, index): Endpoint => {
    return { family: 4, address: theirs.address, port: theirs.port + index * stride * step };
  });
  const pass = (atMs: number, ttl: PunchShot['ttl']): PunchShot[] =>
    places.map(to => ({ from: 'measured', to, atMs, ttl }));
  if (withoutLow) return pass(0, 'full');
  return [pass(0, 'low'), ...PASSES_MS.map(atMs => pass(atMs + holdBackMs, 'full'))].flat();
}

async function punch(asked: NonNullable<Question['punch']>): Promise<object> {
  if (measured === null) throw new Error('measure first');
  const port = measured;
  measured = null;
  const volley = { shots: shotsOf(asked), endsMs: ENDS_MS };
  await new Promise(resolve => setTimeout(resolve, asked.startInMs));
  const before = performance.now();
  const { role, peer } = asked;
  const counts = { ...counters.snapshot() };
  const grew = (): Record<string, number> =>
    Object.fromEntries(
      Object.entries(counters.snapshot())
        .map(([key, value]): [string, number] => [key, value - (counts[key] ?? 0)])
        .filter(([, value]) => value !== 0),
    );
  try {
    const stream = await streams.punch(
      { ...{ node: peer, port, volley, role }, mayShoot: () => true },
      AbortSignal.timeout(10_000),
    );
    const ms = Math.round(performance.now() - before);
    const { id, name: peerName, ip6 } = peer.record;
    const link = stream.link({ node: id, name: peerName, ip6 });
    const bytes = new Uint8Array(40);
    bytes[0] = 4;
    bytes.set(new TextEncoder().encode(`from ${name}`), 4);
    // Again and again: made up apart, the two are of no common network, and nothing is heard of whom nobody asked for yet.
    const say = (): void => void link.send({ bytes, offset: 0, length: bytes.length, segment: bytes.length });
    const saying = setInterval(say, 20);
    say();
    await Promise.race([
      new Promise(resolve => setTimeout(resolve, 2_000)),
      new Promise<void>(resolve => {
        wake = resolve;
        if (heard.length > 0) resolve();
      }),
    ]);
    const word = heard[0] ?? '';
    // The other end is to hear us, too.
    await new Promise(resolve => setTimeout(resolve, 200));
    clearInterval(saying);
    stream.close();
    heard.length = 0;
    return { ok: true, ms, heard: word.replaceAll('\0', ''), counts: grew() };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error), counts: grew() };
  }
}

const answer = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);

answer({ node });
createInterface({ input: process.stdin }).on('line', line => {
  const question = JSON.parse(line) as Question;
  const work: Promise<object> =
    question.measure !== undefined
      ? measure(question.measure)
      : question.punch !== undefined
        ? punch(question.punch)
        : Promise.resolve({});
  work.then(answer, (error: unknown) => answer({ error: String(error) }));
});
