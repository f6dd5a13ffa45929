// The process behind delay.ts: reads packets from a TUN card, holds each for its time, writes it back.
//   node delayer.js DEVICE '{"delayMs":20,"jitterMs":0,"lossRate":0}'
// A line of JSON on its standard input: {"trouble":{…}}, {"signalling":{…}} or {"report":true}; a line each in answer.
import { createInterface } from 'node:readline';
import { seededRandom } from '../../base/random.ts';
import { CARD_HEADER, CARD_ROOM, openCard } from './card.ts';
import type { DelayReport, Done, Trouble } from './delay.ts';
import { PacketQueue } from './packet-queue.ts';
import { SERVER_ADDRESSES } from './plan.ts';

const MEMORY_BYTES = 48 << 20;
const LATE_BYTES = 8 << 20;
const SHORTEST_WAIT_MS = 1;
/** By so much a packet that is to be overtaken comes later. */
const LATE_MS = 4;
const DICE = 2 ** 30;
const WIREGUARD_DATA = 4;
const UDP = 17;
const TCP = 6;

type Counts = { -readonly [Name in keyof Done]: Done[Name] };

const [device = '', options = ''] = process.argv.slice(2);
const memory = new Uint8Array(MEMORY_BYTES);
const view = new DataView(memory.buffer);
const lateFrom = MEMORY_BYTES - LATE_BYTES;
const queue = new PacketQueue(memory.subarray(0, lateFrom), (CARD_ROOM + 7) & ~7);
const late = new PacketQueue(memory, lateFrom);
/** What waits longer than all else; few packets, the first due first. */
const held: { readonly due: number; readonly bytes: Uint8Array }[] = [];
/** By destination. */
const signalling = new Map<number, { extraMs: number; lastDue: number }>();
const servers = new Set(SERVER_ADDRESSES.map(addressOf));
let trouble = JSON.parse(options) as Trouble;
let random = seededRandom(trouble.seed ?? 1);
let data = new Map<number, Counts>();
let other = nothing();
let refused = 0;
let fullBefore = 0;
const card = openCard(device, memory, comesWhole(trouble));
let lastDue = 0;
let timer: NodeJS.Timeout | null = null;

card.onPacket = (offset, length) => {
  const counts = countsFor(offset + CARD_HEADER);
  const datagrams = datagramsIn(offset, length);
  counts.seen += datagrams;
  if (happens(trouble.lossRate)) {
    counts.dropped += datagrams;
    return;
  }
  const due = performance.now() + trouble.delayMs + random.below(DICE) * (trouble.jitterMs / DICE);
  const slow = slowSignalling(offset + CARD_HEADER);
  if (slow !== null) {
    slow.lastDue = Math.max(slow.lastDue, due + slow.extraMs);
    hold(slow.lastDue, memory.slice(offset, offset + length));
    return;
  }
  // Homes seldom see packets overtake each other, so a late one holds back those behind it.
  lastDue = Math.max(lastDue, due);
  const isLate = happens(trouble.reorderRate);
  if (isLate) counts.reordered += datagrams;
  (isLate ? late : queue).push(offset, length, lastDue + (isLate ? LATE_MS : 0));
  if (happens(trouble.duplicateRate)) {
    counts.duplicated += datagrams;
    queue.push(offset, length, lastDue);
  }
  timer ??= setTimeout(release, trouble.delayMs);
};

createInterface({ input: process.stdin }).on('line', line => {
  const asked = JSON.parse(line) as { trouble?: Trouble; signalling?: Record<string, number>; report?: true };
  if (asked.trouble !== undefined) change(asked.trouble);
  for (const [address, extraMs] of Object.entries(asked.signalling ?? {}))
    signalling.set(addressOf(address), { extraMs, lastDue: 0 });
  process.stdout.write(asked.report === true ? `${JSON.stringify(report())}\n` : 'ready\n');
});
process.stdout.write('ready\n');

/** A super-packet would be lost, repeated or swapped whole: packets come one by one where that may happen. */
function comesWhole({ lossRate, reorderRate = 0, duplicateRate = 0 }: Trouble): boolean {
  return lossRate + reorderRate + duplicateRate === 0;
}

function happens(rate = 0): boolean {
  return rate > 0 && random.below(DICE) < rate * DICE;
}

function change(next: Trouble): void {
  trouble = next;
  random = seededRandom(next.seed ?? 1);
  data = new Map();
  other = nothing();
  refused = 0;
  fullBefore = queue.dropped + late.dropped;
  card.setOffload(comesWhole(next));
}

function report(): DelayReport {
  const named = [...data].map(([address, counts]) => [addressText(address), counts] as const);
  const full = queue.dropped + late.dropped - fullBefore;
  return { data: Object.fromEntries(named), other, full, refused };
}

function nothing(): Counts {
  return { seen: 0, dropped: 0, duplicated: 0, reordered: 0 };
}

/** Of WireGuard's data over IPv4, those of its source; of all else, the others. */
function countsFor(at: number): Counts {
  const isData =
    memory[at] === 0x45 &&
    memory[at + 9] === UDP &&
    memory[at + 28] === WIREGUARD_DATA &&
    view.getUint16(at + 29) === 0 &&
    memory[at + 31] === 0;
  if (!isData) return other;
  const source = view.getUint32(at + 12);
  let counts = data.get(source);
  if (counts === undefined) data.set(source, (counts = nothing()));
  return counts;
}

function slowSignalling(at: number): { extraMs: number; lastDue: number } | null {
  if (signalling.size === 0 || memory[at]! >> 4 !== 4 || memory[at + 9] !== TCP) return null;
  return servers.has(view.getUint32(at + 12)) ? (signalling.get(view.getUint32(at + 16)) ?? null) : null;
}

function hold(due: number, bytes: Uint8Array): void {
  const behind = held.findIndex(other => other.due > due);
  held.splice(behind < 0 ? held.length : behind, 0, { due, bytes });
  timer ??= setTimeout(release, trouble.delayMs);
}

/** What the kernel would cut this into: struct virtio_net_hdr has the segment size, where it is to be cut. */
function datagramsIn(offset: number, length: number): number {
  const at = offset + CARD_HEADER;
  const segment = memory[offset + 1] === 0 ? 0 : view.getUint16(offset + 4, true);
  if (segment === 0) return 1;
  const isFour = memory[at]! >> 4 === 4;
  const protocol = isFour ? memory[at + 9]! : memory[at + 6]!;
  const ip = isFour ? 20 : 40;
  const headers = ip + (protocol === UDP ? 8 : (memory[at + ip + 12]! >> 4) * 4);
  return Math.ceil((length - CARD_HEADER - headers) / segment);
}

function addressOf(text: string): number {
  return text.split('.').reduce((address, part) => address * 256 + Number(part), 0);
}

function addressText(address: number): string {
  return [24, 16, 8, 0].map(shift => (address >>> shift) & 0xff).join('.');
}

function release(): void {
  const now = performance.now();
  for (const each of [queue, late]) while (each.due() <= now) each.shift(giveBack);
  while ((held[0]?.due ?? Infinity) <= now) giveHeldBack(held.shift()!.bytes);
  const due = Math.min(queue.due(), late.due(), held[0]?.due ?? Infinity);
  timer = due === Infinity ? null : setTimeout(release, Math.max(SHORTEST_WAIT_MS, due - now));
}

function giveBack(offset: number, length: number): void {
  if (!card.write(offset, length)) refused++;
}

/** The room at the beginning is free: what was read into it was copied. */
function giveHeldBack(bytes: Uint8Array): void {
  memory.set(bytes, 0);
  giveBack(0, bytes.length);
}
