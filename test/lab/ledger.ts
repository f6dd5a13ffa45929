// Where every datagram between two boxes went, by counters alone: those of both daemons, of the kernel on the way, and of the
// lab's delay. What no counter explains is what a test is to find.
import type { DelayReport } from './delay.ts';
import { DELAY_DEVICE } from './delay.ts';
import type { Box } from './homes.ts';
import type { InterfaceCounters, Place } from './place.ts';
import type { Lab } from './topology.ts';

export type Counters = Readonly<Record<string, number>>;

/** One end, by names: the daemon's counters, and `kernel.…` of its namespace. */
export interface End {
  readonly address: string;
  readonly counters: Counters;
}

/** Everything at one moment. */
export interface Account {
  readonly ends: readonly [End, End];
  /** Dropped by the interfaces between the two. */
  readonly between: number;
  readonly delay: DelayReport | null;
}

export async function account(lab: Lab, one: Box, other: Box): Promise<Account> {
  const [first, second, core, delay] = await Promise.all([
    endOf(one),
    endOf(other),
    lab.core.counters(),
    lab.delay?.report() ?? null,
  ]);
  const cables = Object.entries(core).filter(([name]) => name.startsWith('home') || name === DELAY_DEVICE);
  const between = sum(cables.map(([, { receivedDropped, sentDropped }]) => receivedDropped + sentDropped));
  return { ends: [first, second], between, delay };
}

/** What grew from one moment to another. The delay's own begins anew with each `set`. */
export function since(before: Account, after: Account): Account {
  const end = (index: 0 | 1): End => ({
    address: after.ends[index].address,
    counters: grown(before.ends[index].counters, after.ends[index].counters),
  });
  return {
    ends: [end(0), end(1)],
    between: after.between - before.between,
    delay: after.delay === null ? null : delaySince(before.delay, after.delay),
  };
}

/** Data messages from one end to the other, and what became of them. */
export interface Wire {
  readonly left: number;
  readonly dropped: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Counted drops that nobody asked for, by name; those of zero are left out. */
  readonly elsewhere: Counters;
  readonly arrived: number;
  /** `left − dropped + duplicated − elsewhere − arrived`: 0 where all is told. */
  readonly unexplained: number;
}

const MESSAGES = ['packets', 'keepalives', 'words'] as const;
/** Ways in which a data message ends at the engine, but by being taken. */
const REFUSED = ['malformed', 'unknown-index', 'expired', 'tag', 'not-ip', 'too-long', 'source'] as const;
/** Inner packets that never became a message. */
const UNSENT = [
  'route-unknown',
  'malformed',
  'too-long',
  'held-dropped',
  'busy',
  'closed',
  'no-room',
] as const;

/** `from`: which of the two ends sends. */
export function wireOf({ ends, between, delay }: Account, from: 0 | 1): Wire {
  const [sender, receiver] = [ends[from].counters, ends[from === 0 ? 1 : 0].counters];
  const none = { dropped: 0, duplicated: 0, reordered: 0 };
  const { dropped, duplicated, reordered } = delay?.data[ends[from].address] ?? none;
  const left = sum(MESSAGES.map(name => at(sender, `dataplane.out.${name}`)));
  // A duplicate ends as a replay.
  const arrived = sum([...MESSAGES, ...REFUSED, 'replay'].map(name => at(receiver, `dataplane.in.${name}`)));
  const missing = left - dropped + duplicated - arrived;
  // These count probes of paths too, so each explains no more than what is missing.
  const elsewhere = shares(missing, {
    'not taken by the sending socket': sum(
      ['busy', 'too-large', 'refused'].map(name => at(sender, `system.udp.dropped.${name}`)),
    ),
    'interfaces on the way': between,
    'the line of the sender': at(sender, 'kernel.line-dropped'),
    'the line of the receiver': at(receiver, 'kernel.line-dropped'),
    'no room in the delay': delay?.full ?? 0,
    'refused by the kernel behind the delay': delay?.refused ?? 0,
    'no room in the receiving socket': at(receiver, 'kernel.udp-buffer'),
    'cut off at the receiving socket': at(receiver, 'system.udp.dropped.truncated'),
  });
  const unexplained = missing - sum(Object.values(elsewhere));
  return { left, dropped, duplicated, reordered, elsewhere, arrived, unexplained };
}

/** Of so many that are lost, those that these counters can account for, in turn. */
function shares(lost: number, counters: Counters): Counters {
  let left = Math.max(0, lost);
  const taken = Object.entries(counters).map(([name, count]): [string, number] => {
    const share = Math.min(left, count);
    left -= share;
    return [name, share];
  });
  return nonZero(Object.fromEntries(taken));
}

/** Of the messages that arrived, those that led to no packet for the card: refused ones, and what is not for it. */
export const withoutPacket = (receiver: Counters): Counters =>
  nonZero(
    Object.fromEntries(
      [...REFUSED, 'replay'].map(name => [`in.${name}`, at(receiver, `dataplane.in.${name}`)]),
    ),
  );

/** Inner packets that the sending box lost before they were sealed. */
export const unsent = (sender: Counters): Counters =>
  nonZero({
    ...Object.fromEntries(UNSENT.map(name => [`out.${name}`, at(sender, `dataplane.out.${name}`)])),
    'no room in the card': at(sender, 'kernel.card-full'),
  });

/** Opened packets that did not get to whoever waits for them in the receiving box. */
export const undelivered = (receiver: Counters): Counters =>
  nonZero({
    'refused by the card': at(receiver, 'system.tun.dropped.refused'),
    'dropped by the card': at(receiver, 'kernel.card-dropped'),
  });

export const at = (counters: Counters, name: string): number => counters[name] ?? 0;

export const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

export const nonZero = (counters: Counters): Counters =>
  Object.fromEntries(Object.entries(counters).filter(([, value]) => value !== 0));

async function endOf({ node, home }: Box): Promise<End> {
  const [{ counters }, kernel] = await Promise.all([
    node.api<{ counters: Record<string, number> }>('GET', '/v1/counters'),
    kernelCounters(home.host),
  ]);
  return { address: home.outerAddress, counters: { ...counters, ...kernel } };
}

async function kernelCounters(place: Place): Promise<Record<string, number>> {
  const [interfaces, { stdout }] = await Promise.all([
    place.counters(),
    place.exec('cat /proc/net/snmp /proc/net/snmp6'),
  ]);
  const card = Object.entries(interfaces).find(([name]) => name.startsWith('ginnel'))?.[1];
  const line = interfaces['eth0'];
  return {
    'kernel.udp-buffer':
      udp4(stdout, 'RcvbufErrors') + Number(/^Udp6RcvbufErrors\s+(\d+)/m.exec(stdout)?.[1]),
    'kernel.card-full': card?.sentDropped ?? 0,
    'kernel.card-dropped': card?.receivedDropped ?? 0,
    'kernel.line-dropped': dropsOf(line),
  };
}

const dropsOf = (counters: InterfaceCounters | undefined): number =>
  counters === undefined ? 0 : counters.receivedDropped + counters.sentDropped;

function udp4(snmp: string, name: string): number {
  const [names = '', values = ''] = snmp.split('\n').filter(line => line.startsWith('Udp:'));
  return Number(values.split(' ')[names.split(' ').indexOf(name)]);
}

const grown = (before: Counters, after: Counters): Counters =>
  Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - at(before, name)]));

function delaySince(before: DelayReport | null, after: DelayReport): DelayReport {
  const none = { seen: 0, dropped: 0, duplicated: 0, reordered: 0 };
  const data = Object.entries(after.data).map(([address, done]) => {
    const was = before?.data[address] ?? none;
    return [
      address,
      {
        seen: done.seen - was.seen,
        dropped: done.dropped - was.dropped,
        duplicated: done.duplicated - was.duplicated,
        reordered: done.reordered - was.reordered,
      },
    ] as const;
  });
  return {
    ...{ data: Object.fromEntries(data), other: after.other },
    full: after.full - (before?.full ?? 0),
    refused: after.refused - (before?.refused ?? 0),
  };
}
