// The life of the connection to the location server, without sockets and without waiting.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { GinnelError } from '../../../base/errors.ts';
import { seededRandom } from '../../../base/random.ts';
import type { NodeMessage, NodeRecord, Registration } from '../../../protocol/location/messages.ts';
import { Backoff } from '../../../core/control/backoff.ts';
import { controlErrors } from '../../../core/control/errors.ts';
import { ControlMachine } from '../../../core/control/machine.ts';
import { MAX_PENDING } from '../../../core/control/requests.ts';
import { assignmentOf, makeIdentity, nodeOf, welcomeOf } from './made-up.ts';

const identity = await makeIdentity();
const assignment = assignmentOf(identity, '10.77.0.2');
const { record } = nodeOf(identity, 'attic-nas', '10.77.0.2');
const server = { family: 4, address: '192.0.2.1', port: 7443 } as const;
const registration: Registration = {
  privateAddresses: [],
  publicAddresses: [],
  tcpPorts: [],
  candidates: [],
  bandwidth: null,
  cpuLoad: 0.5,
  reachable: 'not-checked',
  relay: null,
  region: '',
  relays: [],
};

class Bench {
  readonly clock = new ManualClock();
  readonly counters = new Counters();
  readonly sent: NodeMessage[] = [];
  readonly states: string[] = [];
  readonly tolds: string[] = [];
  dials = 0;
  hangUps = 0;
  welcomes = 0;
  member = true;
  doubt: string | null = null;
  record: NodeRecord | null = null;
  readonly machine: ControlMachine;

  constructor(seed = 1) {
    this.machine = new ControlMachine({
      clock: this.clock,
      random: seededRandom(seed),
      counters: this.counters,
      wire: {
        dial: () => {
          this.dials++;
        },
        send: message => void this.sent.push(message),
        hangUp: () => {
          this.hangUps++;
        },
      },
      words: {
        login: () => ({ ...login }),
        welcome: () => this.doubt,
        record: () => this.record,
        isMember: () => this.member,
      },
      events: {
        welcomed: () => {
          this.welcomes++;
        },
        stateChanged: (state, reason) => void this.states.push(`${state}: ${reason}`),
        refused: (what, problem) => void this.tolds.push(`${what}: ${problem.code}`),
        told: message => void this.tolds.push(message.type),
      },
    });
  }

  last(type: NodeMessage['type']): NodeMessage {
    const message = this.sent.findLast(one => one.type === type);
    if (message === undefined) throw new Error(`no ${type} was sent`);
    return message;
  }

  count(type: NodeMessage['type']): number {
    return this.sent.filter(one => one.type === type).length;
  }

  logIn(): void {
    this.machine.opened(server, new Uint8Array(32));
    this.machine.heard(welcomeOf(assignment, { re: this.last('login').id }));
  }

  done(type: NodeMessage['type']): void {
    this.machine.heard({ type: 'done', re: this.last(type).id });
  }

  /** Answers pings until so much time has passed. */
  run(ms: number): void {
    for (let passed = 0; passed < ms; passed += 500) {
      const before = this.count('ping');
      this.clock.advance(500);
      if (this.count('ping') > before) this.done('ping');
    }
  }
}

const login = {
  type: 'login',
  network: record.network,
  node: record.id,
  name: record.name,
  wireguardKey: record.wireguardKey,
  controlKey: record.controlKey,
  proof: record.signature,
  localNetworks: [],
} as const;

function connected(seed?: number): Bench {
  const bench = new Bench(seed);
  bench.machine.start();
  bench.logIn();
  return bench;
}

function asked(bench: Bench): { outcome: unknown } {
  const seen: { outcome: unknown } = { outcome: null };
  bench.machine.ask({ type: 'lookup', address: '10.77.0.9' }, outcome => void (seen.outcome = outcome));
  return seen;
}

const codeOf = (value: unknown): string => (value instanceof GinnelError ? value.code : 'no error');

t.test(
  'V4: after the log-in the node publishes its record and registers, then at intervals and on change',
  t => {
    const bench = new Bench();
    bench.record = record;
    bench.machine.register(registration);
    bench.machine.start();
    t.equal(bench.machine.state, 'connecting');
    t.equal(bench.count('register'), 0, 'nothing is said before the log-in');
    bench.logIn();
    t.equal(bench.machine.state, 'connected');
    t.equal(bench.welcomes, 1);
    t.same(
      bench.sent.map(message => message.type),
      ['login', 'publish', 'register'],
    );
    bench.record = null;
    bench.run(68_000);
    t.equal(bench.count('register'), 2, 'at an interval of about a minute');
    bench.machine.register({ ...registration, cpuLoad: 0.1 });
    bench.machine.register({ ...registration, cpuLoad: 0.2 });
    bench.run(1_000);
    t.equal(bench.count('register'), 3, 'changes close together are told once');
    t.match(bench.last('register'), { registration: { cpuLoad: 0.2 } });
    t.end();
  },
);

t.test('a ping every 20 to 25 s measures the round trip', t => {
  const bench = connected();
  bench.clock.advance(19_999);
  t.equal(bench.count('ping'), 0);
  bench.clock.advance(5_001);
  t.equal(bench.count('ping'), 1);
  const bench2 = connected();
  bench2.clock.advance(bench2.machine.rttMs ?? 0);
  while (bench2.count('ping') === 0) bench2.clock.advance(1);
  bench2.clock.advance(40);
  bench2.done('ping');
  t.equal(bench2.machine.rttMs, 40);
  t.equal(bench2.machine.lastHeardAt, bench2.clock.monotonicMs());
  t.end();
});

t.test('an unanswered ping ends the connection within 8 s and it is dialled anew', t => {
  const bench = connected();
  bench.machine.register(registration);
  bench.clock.advance(25_000);
  t.equal(bench.machine.state, 'connected');
  bench.clock.advance(8_000);
  t.equal(bench.machine.state, 'away');
  t.match(bench.machine.problem, { code: 'SERVER_AWAY' });
  bench.clock.advance(2_000);
  t.equal(bench.dials, 2);
  bench.logIn();
  t.equal(bench.machine.state, 'connected');
  t.equal(bench.machine.problem, null);
  t.equal(bench.welcomes, 2);
  t.end();
});

t.test('a ping that could not be asked, or was refused, says nothing against the connection', t => {
  const bench = connected();
  bench.clock.advance(19_000);
  for (let question = 0; question < MAX_PENDING; question++) asked(bench);
  bench.clock.advance(2_000);
  bench.machine.kick();
  t.equal(bench.machine.state, 'connected', 'too many questions of our own were waiting');
  bench.clock.advance(6_000);
  bench.machine.kick();
  const re = bench.last('ping').id;
  bench.machine.heard({ type: 'failure', re, code: 'RATE_LIMITED', message: 'Too many messages.' });
  bench.clock.advance(4_000);
  t.equal(bench.machine.state, 'connected', 'the server answered, if only to refuse');
  t.end();
});

t.test('what else is heard proves the connection as well as the answer to a ping', t => {
  const bench = connected();
  while (bench.count('ping') === 0) bench.clock.advance(100);
  bench.clock.advance(1_000);
  bench.machine.heard({ type: 'seen', endpoint: server });
  bench.clock.advance(8_000);
  t.equal(bench.machine.state, 'connected');
  t.same(bench.tolds, ['seen']);
  t.end();
});

t.test(
  'V10: a question that is not answered is rejected after 5 s, an answer or failure ends it before',
  t => {
    const bench = connected();
    const late = asked(bench);
    bench.clock.advance(4_999);
    t.equal(late.outcome, null);
    bench.clock.advance(1);
    t.equal(codeOf(late.outcome), 'SERVER_AWAY');
    bench.machine.heard({ type: 'done', re: bench.last('lookup').id });
    t.equal(bench.counters.snapshot()['requests.stray-answer'], 1, 'the late answer is counted');
    const failed = asked(bench);
    bench.machine.heard({
      type: 'failure',
      re: bench.last('lookup').id,
      code: 'NODE_UNKNOWN',
      message: 'No such box.',
    });
    t.match(
      failed.outcome,
      { code: 'NODE_UNKNOWN', message: 'No such box.' },
      "the server's words are shown",
    );
    t.equal(bench.machine.state, 'connected', 'a failed question does not end the connection');
    t.end();
  },
);

t.test('questions are rejected at once while the server is away, those under way when it goes', t => {
  const bench = connected();
  const underway = asked(bench);
  bench.machine.lost('the connection broke');
  t.equal(codeOf(underway.outcome), 'SERVER_AWAY');
  t.equal(codeOf(asked(bench).outcome), 'SERVER_AWAY');
  t.equal(bench.count('lookup'), 1);
  t.end();
});

t.test('at most 48 questions wait at once', t => {
  const bench = connected();
  for (let i = 0; i < MAX_PENDING; i++) asked(bench);
  t.equal(codeOf(asked(bench).outcome), 'CONTROL_BUSY');
  t.equal(bench.count('lookup'), MAX_PENDING);
  t.end();
});

t.test('retries come ever more slowly, up to a minute, and the first ones of a herd are spread', t => {
  const backoff = new Backoff(seededRandom(3));
  const delays = Array.from({ length: 12 }, () => backoff.next());
  t.ok(delays[0]! < 2_000);
  delays.slice(1).forEach((delay, i) => {
    const ceiling = Math.min(60_000, 2_000 * 2 ** (i + 1));
    t.ok(delay >= ceiling / 2 && delay <= ceiling, `retry ${i + 2}: ${delay}`);
  });
  const firsts = Array.from({ length: 200 }, (_, seed) => new Backoff(seededRandom(seed)).next());
  t.ok(new Set(firsts.map(ms => Math.floor(ms / 200))).size === 10, 'every fifth of a second has its share');
  t.end();
});

t.test(
  'a server that fails each log-in is not hammered; one that held a minute is tried again at once',
  t => {
    const bench = new Bench();
    bench.machine.start();
    for (let i = 0; i < 8; i++) {
      bench.logIn();
      bench.machine.lost('broke at once');
      bench.clock.advance(60_000);
    }
    t.equal(bench.dials, 9);
    bench.logIn();
    bench.machine.lost('broke at once');
    bench.clock.advance(29_000);
    t.equal(bench.dials, 9, 'by now it waits for half a minute at least');
    bench.clock.advance(31_000);
    bench.logIn();
    bench.run(61_000);
    bench.machine.lost('broke after a good while');
    bench.clock.advance(2_000);
    t.equal(bench.dials, 11);
    t.end();
  },
);

t.test('a change of the network retries at once, and doubts a connection for 3 s', t => {
  const bench = connected();
  bench.run(5_000);
  bench.machine.lost('the cable was pulled');
  t.equal(bench.machine.state, 'away');
  bench.machine.kick();
  t.equal(bench.dials, 2);
  bench.machine.kick();
  t.equal(bench.dials, 2, 'a dial under way goes on');
  bench.machine.failed(controlErrors('SERVER_UNREACHABLE', { tried: '' }));
  for (let i = 0; i < 20; i++) bench.machine.kick();
  t.equal(bench.dials, 2, 'a flapping network dials every 2 s at most');
  bench.clock.advance(2_000);
  t.equal(bench.dials, 3);
  bench.logIn();
  bench.machine.kick();
  t.equal(bench.count('ping'), 1);
  bench.clock.advance(3_000);
  t.equal(bench.machine.state, 'away');
  t.end();
});

t.test('a record that is refused is told once, and tried again at the pace of registrations', t => {
  const bench = new Bench();
  bench.record = record;
  bench.machine.start();
  bench.logIn();
  const refuse = (): void =>
    bench.machine.heard({
      type: 'failure',
      re: bench.last('publish').id,
      code: 'PREFIX_CLASH',
      message: 'No.',
    });
  refuse();
  while (bench.count('publish') < 2) bench.run(500);
  refuse();
  t.same(bench.tolds, ['publish: PREFIX_CLASH']);
  t.match(bench.machine.unpublished, { code: 'PREFIX_CLASH' }, 'nobody waited for the answer: it is kept');
  t.ok(bench.clock.monotonicMs() >= 54_000);
  while (bench.count('publish') < 3) bench.run(500);
  bench.done('publish');
  t.equal(bench.machine.unpublished, null);
  bench.machine.publish(problem => t.match(problem, { code: 'PREFIX_CLASH' }));
  refuse();
  t.equal(bench.machine.unpublished, null, 'whoever waited was told');
  bench.record = null;
  bench.run(70_000);
  t.equal(bench.count('publish'), 4);
  t.end();
});

t.test('a used invite stops it for good, with the words of the server', t => {
  const bench = new Bench();
  bench.member = false;
  bench.machine.start();
  bench.machine.opened(server, new Uint8Array(32));
  const words = 'This invite has been used already (INVITE_USED).';
  bench.machine.heard({ type: 'failure', re: bench.last('login').id, code: 'INVITE_USED', message: words });
  t.equal(bench.machine.state, 'refused');
  t.equal(bench.states.at(-1), `refused: ${words}`);
  bench.machine.kick();
  bench.clock.advance(86_400_000);
  t.equal(bench.dials, 1);
  bench.machine.stop();
  t.equal(bench.machine.state, 'stopped');
  t.end();
});

t.test('a member that was refused asks again every hour: someone may have mended it', t => {
  const bench = new Bench();
  bench.machine.start();
  bench.machine.opened(server, new Uint8Array(32));
  bench.machine.heard({ type: 'failure', re: 0, code: 'VERSION', message: 'Too old.' });
  t.equal(bench.machine.state, 'refused');
  t.equal(bench.hangUps, 1);
  bench.clock.advance(3_599_000);
  t.equal(bench.dials, 1);
  bench.clock.advance(1_000);
  t.equal(bench.dials, 2);
  t.end();
});

t.test('a server with another key is refused, and looked for again', t => {
  const bench = new Bench();
  bench.machine.start();
  bench.machine.failed(controlErrors('SERVER_KEY_WRONG', { tried: '192.0.2.1:7443: another key' }));
  t.equal(bench.machine.state, 'refused');
  bench.clock.advance(2_000);
  t.equal(bench.dials, 2);
  bench.logIn();
  t.equal(bench.machine.state, 'connected');
  t.end();
});

t.test('a welcome that does not hold ends the connection', t => {
  const bench = new Bench();
  bench.doubt = 'signed.signature';
  bench.machine.start();
  bench.logIn();
  t.equal(bench.machine.state, 'away');
  t.match(bench.machine.problem, { code: 'SERVER_WORD_WRONG' });
  t.equal(bench.welcomes, 0);
  t.equal(bench.count('register'), 0);
  t.end();
});

t.test('nothing is believed before the log-in is done, nothing happens after stop', t => {
  const bench = new Bench();
  bench.machine.start();
  bench.machine.opened(server, new Uint8Array(32));
  bench.machine.heard({ type: 'seen', endpoint: server });
  t.same(bench.tolds, []);
  bench.clock.advance(15_000);
  t.equal(bench.machine.state, 'away', 'a log-in without an answer ends after 15 s');
  bench.machine.stop();
  bench.clock.advance(600_000);
  t.equal(bench.dials, 1);
  bench.machine.start();
  t.equal(bench.dials, 2, 'it can be started again');
  t.end();
});
