// Runs a grid in one lab: all nodes idle, then one cold packet per pair, and, once the pair has settled, the kernel says
// which way it goes.
import type { ChildProcess } from 'node:child_process';
import type { PeerStatus } from '../../core/admin.ts';
import { whoCarries } from './carried.ts';
import type { Carrier } from './carried.ts';
import { startTurn } from './coturn.ts';
import { startNode, startServer } from './ginnel.ts';
import type { Chosen, LocationServer } from './ginnel.ts';
import type { BoxPlan, GridPlan, Trial } from './grid-plan.ts';
import type { Box } from './homes.ts';
import { endOf } from './place.ts';
import { buildLab } from './topology.ts';
import type { Home, Lab } from './topology.ts';
import { inTurns } from './turns.ts';
import { until } from './waiting.ts';

const ONE_WAY_MS = 20;
const FIRST_REPLY_MS = 3000;
/** By then a pair that begins by a relay goes directly, where it can. */
const SETTLED_MS = 10_000;
const STARTED_AT_ONCE = 2;
const WEB = 443;
const TURN_PORT = 3481;
const TURN_USER = { user: 'anna', password: 'a-password' };
/** A data channel takes ICE, DTLS and SCTP before the first packet goes. */
const FIRST_CHANNEL_MS = 8000;

export interface Outcome extends Trial {
  /** From the first packet to its reply; null: none came. */
  readonly firstReplyMs: number | null;
  /** From then on to the path that was expected; null: it was not seen in time. */
  readonly settledMs: number | null;
  readonly carriedBy: Carrier;
  /** The relays that forwarded, of both ways. */
  readonly through: readonly string[];
  readonly family: 4 | 6 | null;
  /** What Ginnel says, at the end that began: `direct`, `relayed`, `unreachable`, …, the path and the reason. */
  readonly state: string;
  readonly transport: string;
  readonly path: string | null;
  readonly reason: string;
  /** What does not fit; empty: all is as expected. */
  readonly wrong: readonly string[];
}

interface Grid {
  readonly lab: Lab;
  readonly boxes: ReadonlyMap<string, Box>;
  readonly relays: ReadonlyMap<Home, string>;
  /** How long the first reply may take, in ms. */
  readonly patience: number;
}

/** `tell` hears of each outcome as it comes; those that change their mind later are told again. */
export async function runGrid(
  plan: GridPlan,
  tell: (outcome: Outcome) => void = () => undefined,
): Promise<Outcome[]> {
  const lab = await buildLab({ homes: plan.homes, delayMs: ONE_WAY_MS, server: { addresses: 2 } });
  try {
    if (plan.isWebrtcAlone) await startTurn(lab.server, { port: TURN_PORT, ...TURN_USER });
    const grid = await startGrid(lab, plan);
    const outcomes: Outcome[] = [];
    // One by one: the counters must not see two pairs at once.
    for (const trial of plan.trials) {
      const outcome = await tryToMeet(grid, trial);
      tell(outcome);
      outcomes.push(outcome);
    }
    return await Promise.all(outcomes.map(outcome => lookAgain(grid, outcome, tell)));
  } finally {
    await lab.stop();
  }
}

async function startGrid(lab: Lab, { boxes: plans, isWebrtcAlone }: GridPlan): Promise<Grid> {
  const server = await startServer(lab, { webPort: WEB });
  const chosen = isWebrtcAlone ? webrtcAlone(lab.server.address) : {};
  const start = (plan: BoxPlan): Promise<Box> => startBox(lab, server, plan, chosen);
  // Relays first: when the others come, there is something to choose.
  const ordered = [...plans].sort((one, other) => Number(other.mayForward) - Number(one.mayForward));
  const boxes = await inTurns(ordered, STARTED_AT_ONCE, start);
  const forwarding = boxes.filter((_, index) => ordered[index]?.mayForward === true);
  return {
    lab,
    boxes: new Map(boxes.map(box => [box.node.name, box])),
    relays: new Map(forwarding.map(({ home, node }) => [home, node.name])),
    patience: isWebrtcAlone ? FIRST_CHANNEL_MS : FIRST_REPLY_MS,
  };
}

const webrtcAlone = (server: string): Chosen => ({
  on: ['webrtc'],
  off: ['nat-stun', 'nat-portmap', 'nat-portpredict', 'relay-tcp'],
  plugins: {
    webrtc: {
      turn: [`${server}:${TURN_PORT}`],
      'turn-user': TURN_USER.user,
      'turn-password': TURN_USER.password,
    },
  },
});

async function startBox(lab: Lab, server: LocationServer, plan: BoxPlan, chosen: Chosen): Promise<Box> {
  const home = lab.homes[plan.home];
  const place = plan.host === 0 ? home?.host : home?.hosts[plan.host];
  if (home === undefined || place === undefined) throw new TypeError(`no home for ${plan.name}`);
  const settings = plan.mayForward ? { 'web-port': WEB } : {};
  const node = await startNode(server, place, plan.name, { ...chosen, settings });
  const { ip4 } = await node.status();
  return { node, home, ip: ip4 };
}

async function tryToMeet(grid: Grid, trial: Trial): Promise<Outcome> {
  const [from, to] = [boxOf(grid.boxes, trial.from), boxOf(grid.boxes, trial.to)];
  const firstReplyMs = await coldPing(from, to, grid.patience);
  const settledMs = firstReplyMs === null ? null : await settle(trial, from, to);
  const outcome = await look(grid, trial, { firstReplyMs, settledMs });
  // A pair may change its relay between what the kernel saw and what Ginnel says.
  return outcome.wrong.length === 0 ? outcome : look(grid, trial, { firstReplyMs, settledMs });
}

/** A burst, seen by the kernel, and what both ends say of it. */
async function look(
  { lab, boxes, relays, patience }: Grid,
  trial: Trial,
  times: Pick<Outcome, 'firstReplyMs' | 'settledMs'>,
): Promise<Outcome> {
  const [from, to] = [boxOf(boxes, trial.from), boxOf(boxes, trial.to)];
  const carried = await whoCarries(lab, { place: from.node.place, home: from.home }, to, relays);
  const [there, back] = await Promise.all([from.node.peer(trial.to), to.node.peer(trial.from)]);
  const seen = {
    ...trial,
    ...times,
    ...{ carriedBy: carried.by, through: carried.through, family: carried.family },
    state: there?.state ?? 'unknown',
    transport: there?.path?.transport ?? '',
    path: there?.path?.label ?? null,
    reason: there?.reason ?? '',
  };
  return { ...seen, wrong: wrongOf(seen, [there, back], patience) };
}

const STATES: Readonly<Record<Trial['expects'], readonly PeerStatus['state'][]>> = {
  direct: ['direct'],
  direct6: ['direct'],
  tcp: ['direct'],
  lan: ['direct'],
  relay: ['relayed'],
  turn: ['relayed'],
  none: ['unreachable', 'trying'],
};

const CARRIERS: Readonly<Record<Trial['expects'], Carrier>> = {
  direct: 'direct',
  direct6: 'direct',
  tcp: 'direct',
  lan: 'lan',
  relay: 'relay',
  turn: 'server',
  none: 'nobody',
};

/** Keeps some packets going until both ends say what is expected of the pair. */
async function settle({ expects, from, to }: Trial, one: Box, other: Box): Promise<number | null> {
  const before = performance.now();
  const trickle = startPings(one, other);
  try {
    await until('the path', SETTLED_MS, async () => {
      const ends = await Promise.all([one.node.peer(to), other.node.peer(from)]);
      return ends.every(end => end !== null && STATES[expects].includes(end.state));
    });
    return Math.round(performance.now() - before);
  } catch {
    // Its outcome says what there is instead.
    return null;
  } finally {
    trickle.kill('SIGKILL');
    await endOf(trickle);
  }
}

function startPings(from: Box, to: Box): ChildProcess {
  return from.node.place.spawn('ping', ['-q', '-i', '0.25', to.ip], { stdio: 'ignore' });
}

function wrongOf(
  outcome: Omit<Outcome, 'wrong'>,
  ends: readonly (PeerStatus | null)[],
  patience: number,
): string[] {
  const { expects, firstReplyMs, carriedBy, family, through, transport } = outcome;
  const known = ends.every(end => end !== null && STATES[expects].includes(end.state));
  const isLate = firstReplyMs === null || firstReplyMs > patience;
  const named = ends.map(end => end?.path?.label ?? '').filter(label => label.startsWith('via '));
  return [
    ...(isLate === (expects === 'none') ? [] : ['the first reply']),
    ...(carriedBy === CARRIERS[expects] ? [] : ['who carried it, by the kernel']),
    ...(expects === 'direct6' && family !== 6 ? ['the IP version'] : []),
    ...(known ? [] : ['what Ginnel says of it']),
    ...(expects === 'tcp' && transport !== 'tcp' ? ['the transport'] : []),
    // Each end names the relay that it sends to.
    ...(named.every(label => through.includes(label.slice(4))) ? [] : ["Ginnel's word on the relay"]),
  ];
}

/** At the end of all: a pair that was said to have no direct way has found none since. */
async function lookAgain(
  { boxes }: Grid,
  outcome: Outcome,
  tell: (outcome: Outcome) => void,
): Promise<Outcome> {
  if (outcome.expects !== 'relay') return outcome;
  const peer = await boxOf(boxes, outcome.from).node.peer(outcome.to);
  if (peer?.state !== 'direct') return outcome;
  const { state, path, reason } = peer;
  const changed = {
    ...outcome,
    ...{ state, reason, path: path?.label ?? null, transport: path?.transport ?? '' },
    wrong: [...outcome.wrong, 'a direct way was found later'],
  };
  tell(changed);
  return changed;
}

/** With a deadline, ping counts replies: it ends at the first one. */
async function coldPing(from: Box, to: Box, patience: number): Promise<number | null> {
  const before = performance.now();
  const seconds = Math.ceil(patience / 1000) + 1;
  const { code } = await from.node.place.exec(`ping -q -c 1 -i 0.1 -w ${seconds} ${to.ip}`, {
    mayFail: true,
  });
  return code === 0 ? Math.round(performance.now() - before) : null;
}

function boxOf(boxes: ReadonlyMap<string, Box>, name: string): Box {
  const box = boxes.get(name);
  if (box === undefined) throw new TypeError(`no box ${name}`);
  return box;
}
