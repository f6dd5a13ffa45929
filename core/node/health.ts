// What is not well with a node, and what a person could do about it.
import { GinnelError } from '../../base/errors.ts';
import { defineHealth, worstFirst, type HealthLine } from '../../base/health.ts';
import type { PluginStatus, ServerStatus } from '../admin.ts';
import type { NatReport } from '../contract/nat-report.ts';
import { nodeErrors } from './errors.ts';

export const nodeHealth = defineHealth({
  SERVER_AWAY: {
    severity: 'warning',
    what: 'Location server: not reached. Boxes that met before stay connected; new ones cannot join until it is back.',
    why: '{reason}',
    todo: 'Look whether the server is up and its address still right.',
  },
  SERVER_REFUSED: {
    severity: 'problem',
    what: 'The location server refuses this box.',
    why: '{reason}',
    todo: 'Ask whoever runs the network.',
  },
  PENDING_APPROVAL: {
    severity: 'note',
    what: 'This box waits to be let in.',
    why: '{reason}',
    todo: '',
  },
  NAME_TAKEN: {
    severity: 'warning',
    what: 'The name {name} was not given to this box: it is taken in this network.',
    why: 'Another box bears it; the others know this one by its name of before.',
    todo: 'Choose another: sudo ginnel set name NAME.',
  },
  PEER_KEY_CHANGED: {
    severity: 'problem',
    what: 'A box that is known shows other keys, and is refused.',
    why: '{words}',
    todo: '',
  },
  TUN_LOST: {
    severity: 'problem',
    what: 'There is no virtual network card.',
    why: '{words}',
    todo: 'It is opened again by itself.',
  },
  DOOR_SLOWER: {
    severity: 'note',
    what: 'Packets go by the slower door.',
    why: '{because}.',
    todo: '{todo}',
  },
  PLUGIN_NOT_WELL: {
    severity: 'warning',
    what: 'The {kind} {name} is {state} ({code}).',
    why: '',
    todo: 'See why: ginnel plugins show {name}.',
  },
  TCP_DOOR: {
    severity: 'warning',
    what: 'A TCP port of this box is not the wanted one, or is closed.',
    why: '{words}',
    todo: '',
  },
  CLOCK_WRONG: {
    severity: 'warning',
    what: "This box's clock is {skew}.",
    why: '',
    todo: 'Set it, or let NTP do so.',
  },
  UDP_BLOCKED: {
    severity: 'warning',
    what: 'UDP does not get out of the network that this box is in.',
    why: 'A firewall or the provider blocks it. Direct paths need it, or luck with TCP.',
    todo: 'Let UDP out in the router or firewall; ginnel netcheck looks again.',
  },
});

/** What the lines are made of. */
export interface NodeState {
  readonly server: ServerStatus;
  /** By the server's signed word. */
  readonly out: 'removed' | 'disabled' | null;
  /** What the server, or the way to it, said. */
  readonly problem: Error | null;
  /** Why the network did not take this box's record; null: it did. */
  readonly unpublished: { readonly code: string } | null;
  readonly name: string;
  readonly cardProblem: Error | null;
  /** Why packets go by the slower door; null: they do not. */
  readonly slowness: { readonly because: string; readonly todo: string } | null;
  readonly keyChanges: readonly Error[];
  /** Of the TCP door. */
  readonly portProblems: readonly Error[];
  readonly plugins: readonly PluginStatus[];
  readonly nat: NatReport;
  readonly skew: string | null;
}

/** Worst first. A line that tells of an error carries that error's code (docs/errors.md). */
export function healthOf(state: NodeState): HealthLine[] {
  const {
    server,
    out,
    problem,
    unpublished,
    name: own,
    cardProblem,
    slowness,
    keyChanges,
    portProblems,
    plugins,
    nat,
    skew,
  } = state;
  const lines: HealthLine[] = [];
  if (out !== null) lines.push(told(nodeErrors(out === 'removed' ? 'NODE_REMOVED' : 'NODE_DISABLED')));
  else if (server.state === 'refused') lines.push(refusal(problem, server.reason));
  else if (server.state === 'waiting') lines.push(waiting(problem, server.reason));
  else if (server.state === 'away')
    lines.push(nodeHealth('SERVER_AWAY', { reason: reasonOf(problem, server.reason) }));
  if (unpublished?.code === 'NAME_TAKEN') lines.push(nodeHealth('NAME_TAKEN', { name: own }));
  if (cardProblem !== null) {
    const line = nodeHealth('TUN_LOST', { words: cardProblem });
    lines.push(
      cardProblem instanceof GinnelError
        ? { ...line, code: cardProblem.code, facts: cardProblem.facts }
        : line,
    );
  }
  if (slowness !== null) lines.push(nodeHealth('DOOR_SLOWER', { ...slowness }));
  for (const words of keyChanges) lines.push(nodeHealth('PEER_KEY_CHANGED', { words }));
  for (const words of portProblems) lines.push(nodeHealth('TCP_DOOR', { words }));
  for (const { name, state: how, code, thirdParty } of plugins)
    if (how === 'failed' || how === 'unavailable')
      lines.push(
        nodeHealth('PLUGIN_NOT_WELL', {
          ...{ kind: thirdParty ? 'third-party plugin' : 'plugin', name, state: how, code },
        }),
      );
  if (skew !== null) lines.push(nodeHealth('CLOCK_WRONG', { skew }));
  if (nat.udp === 'no') lines.push(nodeHealth('UDP_BLOCKED'));
  return worstFirst(lines);
}

const waiting = (problem: Error | null, reason: string): HealthLine =>
  problem instanceof GinnelError && problem.code === 'NODE_DISABLED'
    ? told(problem)
    : nodeHealth('PENDING_APPROVAL', { reason: reasonOf(problem, reason) });

/** As the error itself, where it is what the words were taken from: its facts go along. */
const reasonOf = (problem: Error | null, reason: string): Error | string =>
  problem !== null && problem.message === reason ? problem : reason;

/** The server's own words say what to do. */
function refusal(problem: Error | null, reason: string): HealthLine {
  if (!(problem instanceof GinnelError)) return nodeHealth('SERVER_REFUSED', { reason });
  return { ...told(problem), words: reason };
}

const told = ({ code, message, facts }: GinnelError): HealthLine => ({
  code,
  severity: 'problem',
  words: message,
  todo: '',
  facts,
});
