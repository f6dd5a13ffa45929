// Runs bulks of data between two boxes for each mix of abilities and each sort of trouble on the way, and judges every row:
// what arrived is what was sent, each loss is explained by a counter, and the mix was really in use.
import type { NodeStatus } from '../../core/admin.ts';
import { moveDatagrams, moveStream, type BulkOptions } from './bulk-move.ts';
import { snapshot } from './carried.ts';
import type { Trouble } from './delay.ts';
import { startServer } from './ginnel.ts';
import { joinHome, meet, movedSince, type Box } from './homes.ts';
import { account, at, since, sum, undelivered, unsent, wireOf, withoutPacket } from './ledger.ts';
import type { Account, Counters, Wire } from './ledger.ts';
import { buildLab, type Lab } from './topology.ts';
import { until } from './waiting.ts';

/** What GINNEL_WITHOUT is at both ends, with `+` between; `whole`: nothing. */
export const MIXES = ['whole', 'card', 'cut', 'coalesce', 'fast'] as const;
/** Loss in per cent, with re-ordering and duplicates beside it; `clean`: nothing at all. */
export const LOSSES = ['clean', '0', '1', '5'] as const;
export const FAMILIES = [4, 6] as const;
export const PROTOCOLS = ['tcp', 'udp'] as const;

export type Protocol = (typeof PROTOCOLS)[number];

export interface MixesPlan {
  readonly mixes: readonly string[];
  readonly losses: readonly string[];
  readonly families: readonly number[];
  readonly protocols: readonly Protocol[];
  readonly bytes: number;
  readonly rowMs: number;
}

export interface Row {
  readonly mix: string;
  readonly loss: string;
  readonly family: number;
  readonly protocol: Protocol;
  readonly bytes: number;
  readonly seconds: number;
  /** By the kernel's counters at both lines and at the server. */
  readonly carriedBy: string;
  /** As both ends tell: `fast aes-256-gcm`. */
  readonly session: string;
  /** From the sending box to the receiving one. */
  readonly wire: Wire | null;
  /** What the abilities were used for, in events. */
  readonly used: Counters;
  /** Empty: the row is as it should be. */
  readonly problems: readonly string[];
}

const ONE_WAY_MS = 2;
const REORDER_RATE = 0.01;
const DUPLICATE_RATE = 0.01;
const SETTLE_MS = 10_000;
const OFF = 'off by GINNEL_WITHOUT';
/** Bundles of a stream that is carried whole stand clear of a few by chance. */
const MANY = 20;

export async function runMixes(plan: MixesPlan, tell: (row: Row) => void = () => undefined): Promise<Row[]> {
  const rows: Row[] = [];
  for (const mix of plan.mixes) {
    const lab = await buildLab({ homes: [{ kind: 'public' }, { kind: 'public' }], delayMs: ONE_WAY_MS });
    try {
      const [one, other] = await startPair(lab, mix);
      for (const loss of plan.losses) {
        await makeTrouble(lab, [one, other], loss);
        for (const family of plan.families) {
          for (const protocol of plan.protocols) {
            const row = await runRow({ lab, one, other, mix, loss, family, protocol, plan });
            rows.push(row);
            tell(row);
          }
        }
      }
    } finally {
      await lab.stop();
    }
  }
  return rows;
}

async function startPair(lab: Lab, mix: string): Promise<[Box, Box]> {
  const server = await startServer(lab);
  const environment = { GINNEL_WITHOUT: withoutOf(mix).join(',') };
  const boxes = await Promise.all(
    lab.homes.map((home, index) => joinHome(server, home, `box${index}`, { environment })),
  );
  const [one, other] = boxes;
  if (one === undefined || other === undefined) throw new TypeError('two homes were asked for');
  await meet(one, other);
  // What a sender without patience lays before the card is not the product's to carry.
  for (const { home, node } of [one, other])
    await home.host.exec(`ip link set ${(await node.status()).tun} txqueuelen 5000`);
  return [one, other];
}

const withoutOf = (mix: string): readonly string[] => (mix === 'whole' ? [] : mix.split('+'));

async function makeTrouble(lab: Lab, boxes: readonly Box[], loss: string): Promise<void> {
  const isClean = loss === 'clean';
  const rates = isClean ? {} : { reorderRate: REORDER_RATE, duplicateRate: DUPLICATE_RATE };
  const trouble: Trouble = { delayMs: ONE_WAY_MS, jitterMs: 0, lossRate: isClean ? 0 : Number(loss) / 100 };
  await lab.delay?.set({ ...trouble, ...rates, seed: 7 });
  const wanted = isClean ? 'cubic' : 'bbr';
  const path = '/proc/sys/net/ipv4';
  for (const { home } of boxes)
    await home.host.exec(
      `grep -qw ${wanted} ${path}/tcp_available_congestion_control && echo ${wanted} > ${path}/tcp_congestion_control || true`,
    );
}

interface RowSetting {
  readonly lab: Lab;
  readonly one: Box;
  readonly other: Box;
  readonly mix: string;
  readonly loss: string;
  readonly family: number;
  readonly protocol: Protocol;
  readonly plan: MixesPlan;
}

async function runRow(setting: RowSetting): Promise<Row> {
  const { lab, one, other, mix, loss, family, protocol, plan } = setting;
  const problems: string[] = [];
  const status = await other.node.status();
  const [before, lines] = [await settled(lab, one, other), await snapshot(lab)];
  const begun = performance.now();
  const options: BulkOptions = {
    ...{ from: one.home.host, to: other.home.host, bytes: plan.bytes, timeoutMs: plan.rowMs, seed: family },
    ip: family === 4 ? status.ip4 : status.ip6,
  };
  const moved = await (
    protocol === 'tcp' ? moveStream(options) : moveDatagrams({ ...options, mtu: await mtuOf(one) })
  ).catch((error: unknown) => void problems.push(error instanceof Error ? error.message : String(error)));
  const seconds = (performance.now() - begun) / 1000;
  const grown = since(before, await settled(lab, one, other, before));
  const wires = [wireOf(grown, 0), wireOf(grown, 1)] as const;
  problems.push(...wires.flatMap(wireProblems), ...(await mixProblems(mix, [one, other])));
  if (moved !== undefined) {
    problems.push(...moved.problems);
    if (moved.sent !== null) problems.push(...datagramProblems(grown, wires[0], moved.sent, moved.received));
  }
  if (loss !== 'clean' && loss !== '0') problems.push(...lossProblems(wires[0], Number(loss) / 100));
  const { lines: carried, server } = await movedSince(lab, lines, one.home, other.home);
  const carriedBy = carried > plan.bytes * 0.9 && server < plan.bytes * 0.05 ? 'direct' : 'not direct';
  if (carriedBy !== 'direct') problems.push(`the lines carried ${carried} bytes, the server ${server}`);
  const used = usedOf(grown);
  problems.push(...useProblems(mix, loss, protocol, used));
  const peer = await one.node.peer(other.node.name);
  const session = `${peer?.profile ?? 'no'} ${peer?.cipher ?? 'session'}`;
  return {
    ...{ mix, loss, family, protocol, bytes: plan.bytes, seconds, carriedBy, session },
    ...{ wire: wires[0], used, problems },
  };
}

async function mtuOf({ home, node }: Box): Promise<number> {
  const { stdout } = await home.host.exec(`ip -o link show ${(await node.status()).tun}`);
  return Number(/ mtu (\d+) /.exec(stdout)?.[1]);
}

/** The account once nothing is on the way any more: two alike, and nothing unexplained where that can be. */
async function settled(lab: Lab, one: Box, other: Box, before?: Account): Promise<Account> {
  let last = await account(lab, one, other);
  const isQuiet = (now: Account): boolean => {
    const grown = since(last, now);
    return [0, 1].every(from => wireOf(grown, from as 0 | 1).arrived === 0);
  };
  const isWhole = (now: Account): boolean =>
    before === undefined || [0, 1].every(from => wireOf(since(before, now), from as 0 | 1).unexplained === 0);
  await until('the last datagram', SETTLE_MS, async () => {
    const now = await account(lab, one, other);
    const isDone = isQuiet(now) && isWhole(now);
    last = now;
    return isDone;
  }).catch(() => undefined);
  return last;
}

function wireProblems(wire: Wire, from: number): string[] {
  const ways = ['to the other end', 'back'];
  return wire.unexplained === 0
    ? []
    : [`${wire.unexplained} of ${wire.left} datagrams ${ways[from] ?? ''} are gone and nobody counted them`];
}

/** Every inner datagram that did not arrive is one that a counter tells of. */
function datagramProblems(grown: Account, wire: Wire, sent: number, received: number): string[] {
  const [sender, receiver] = [grown.ends[0].counters, grown.ends[1].counters];
  const before = sum(Object.values(unsent(sender)));
  const refused = sum(Object.values(withoutPacket(receiver)));
  // Not every message carries a packet: keep-alives and words of the nodes may be among those that were dropped.
  const others = ['keepalives', 'words'].map(
    name => at(sender, `dataplane.out.${name}`) - at(receiver, `dataplane.in.${name}`),
  );
  const inside = sum(Object.values(undelivered(receiver)));
  const onTheWay = wire.dropped - wire.duplicated + sum(Object.values(wire.elsewhere)) - sum(others);
  const unexplained = sent - received - before - onTheWay - refused - inside;
  return unexplained === 0
    ? []
    : [`${unexplained} of ${sent} inner datagrams are gone and nobody counted them`];
}

/** Five standard deviations: one run in a million is told wrongly. */
function lossProblems({ left, dropped }: Wire, rate: number): string[] {
  const [expected, deviation] = [left * rate, Math.sqrt(left * rate * (1 - rate))];
  return Math.abs(dropped - expected) <= 5 * deviation
    ? []
    : [`${dropped} of ${left} datagrams were dropped, not ${Math.round(expected)}`];
}

async function mixProblems(mix: string, boxes: readonly Box[]): Promise<string[]> {
  const all = await Promise.all(boxes.map(({ node }) => node.status()));
  return all.flatMap(status => statusProblems(withoutOf(mix), status));
}

function statusProblems(without: readonly string[], { name, abilities, peers }: NodeStatus): string[] {
  const [card, cut, coalesce, fast] = ['card', 'cut', 'coalesce', 'fast'].map(each => without.includes(each));
  const wanted = { tso: card, uso: card, gso: cut, gro: coalesce, fast };
  const wrong = Object.entries(wanted).flatMap(([ability, isOff]) => {
    const told = abilities?.[ability as keyof typeof wanted] ?? 'nothing';
    return told === (isOff === true ? OFF : 'yes') ? [] : [`${name} says of ${ability}: ${told}`];
  });
  const profile = fast === true ? 'stock' : 'fast';
  return peers[0]?.profile === profile
    ? wrong
    : [...wrong, `${name} has a ${peers[0]?.profile ?? 'lost'} session`];
}

function usedOf({ ends: [sender, receiver] }: Account): Counters {
  const out = sender.counters;
  return {
    readFromCard: at(out, 'system.tun.read'),
    packets: at(out, 'dataplane.out.packets'),
    fast: at(out, 'dataplane.out.fast'),
    cutByKernel: at(out, 'system.udp.cut-by-kernel'),
    putTogether: at(receiver.counters, 'system.udp.put-together-by-kernel'),
    writtenToCard: at(receiver.counters, 'system.tun.written'),
  };
}

/** What was switched off was not used, and what is on was. */
function useProblems(mix: string, loss: string, protocol: Protocol, used: Counters): string[] {
  const without = withoutOf(mix);
  const bundled = at(used, 'packets') - at(used, 'readFromCard');
  const checks: [ability: string, count: number, isMet: boolean][] = [
    ['card', bundled, true],
    ['fast', at(used, 'fast'), true],
    // One at a time through the lab's trouble, datagrams come in no runs; and single packets of a stream make few batches.
    ['cut', at(used, 'cutByKernel'), true],
    ['coalesce', at(used, 'putTogether'), loss === 'clean' && !without.includes('cut')],
  ];
  return checks.flatMap(([ability, count, isMet]) => {
    const isOff = without.includes(ability);
    if (isOff && count > 0 && !(ability === 'card' && count < MANY))
      return [`${ability} is off and was used: ${count}`];
    return !isOff && isMet && count < MANY ? [`${ability} was hardly used for ${protocol}: ${count}`] : [];
  });
}
