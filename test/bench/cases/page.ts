// The page: what it costs the box that serves it, whether packets feel who looks at it, and what a browser makes of it with
// five hundred boxes.
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Household, whyNoBrowser, type Visit } from '../../support/browser.ts';
import { enter } from '../../support/page-screens.ts';
import { preload } from '../../lab/attempt.ts';
import { startNode, type GinnelNode } from '../../lab/ginnel.ts';
import { PAGE_PORT } from '../../lab/page-door.ts';
import { NotYet, type Case, type Measuring } from '../case.ts';
import type { Ground } from '../contender.ts';
import { pidOf } from '../contenders/ginnel.ts';
import type { Figures } from '../figures.ts';
import { pings } from '../measures.ts';
import { crowdFigures } from '../page-figures.ts';
import { median } from '../statistics.ts';

const NODES = 500;
const WINDOWS = 3;
const PINGS = 500;
const PING_TURNS = 4;
const STARTS = 3;
const SETTLE_MS = 4000;
const PAGE_OF_IDLE = '127.0.0.1:7098';
/** On SIGUSR2 the daemon clears away what it does not use. */
const CLEARS = `
  import v8 from 'node:v8'; import vm from 'node:vm';
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc');
  process.on('SIGUSR2', () => { gc(); setImmediate(gc); });`;

export const page: Pick<Case, 'name' | 'says' | 'each'> = {
  name: 'page',
  says: `the page: memory that it adds, ping with ${WINDOWS} windows open, first view and frames per second with ${NODES} boxes`,
  each: measure,
};

async function measure(measuring: Measuring): Promise<Figures> {
  const noBrowser = whyNoBrowser();
  if (noBrowser !== false) throw new NotYet(noBrowser);
  const { ground } = measuring;
  const household = await Household.open({ namespace: ground.one.name });
  try {
    const crowd = await crowdFigures(ground.one, household, NODES);
    const beside = await pingsBesideWindows(measuring, household);
    return { ...crowd, ...beside, ...(await addedMemory(ground)) };
  } finally {
    await household.close();
  }
}

/** Turn by turn, so that what else the machine does hits both alike. */
async function pingsBesideWindows({ ground, running }: Measuring, household: Household): Promise<Figures> {
  const address = `http://127.0.0.1:${PAGE_PORT}/`;
  const alone: number[] = [];
  const beside: number[] = [];
  const p99 = async (): Promise<number> => (await pings(ground, running.target, PINGS))['p99Ms'] ?? 0;
  for (let turn = 0; turn < PING_TURNS; turn++) {
    alone.push(await p99());
    const windows: Visit[] = [];
    for (let window = 0; window < WINDOWS; window++) windows.push(await household.visit(address));
    for (const window of windows) await enter(window);
    await pause(SETTLE_MS);
    beside.push(await p99());
    for (const window of windows) await window.close();
  }
  const [p99AloneMs, p99BesideMs] = [median(alone), median(beside)];
  return { p99AloneMs, p99BesideMs, p99Ratio: p99BesideMs / p99AloneMs };
}

/** Resident memory of one idle box, started again and again with the page off and on. */
async function addedMemory(ground: Ground): Promise<Figures> {
  const server = await ground.locationServer();
  const environment = { NODE_OPTIONS: preload(CLEARS) };
  // Neither of the two places: those are in the network already.
  const { core } = ground.lab;
  const node = await startNode(server, core, 'idle-box', { environment });
  const household = await Household.open({ namespace: core.name });
  const sizes: Record<'off' | 'on' | 'visited', number[]> = { off: [], on: [], visited: [] };
  for (let start = 0; start < STARTS; start++) {
    await startedWith(node, 'off');
    sizes.off.push(await settledMb(node));
    await startedWith(node, PAGE_OF_IDLE);
    sizes.on.push(await settledMb(node));
    const visit = await household.visit(`http://${PAGE_OF_IDLE}/`);
    await enter(visit);
    await pause(SETTLE_MS);
    await visit.close();
    sizes.visited.push(await settledMb(node));
  }
  await household.close();
  await node.stop();
  const off = median(sizes.off);
  return {
    withoutPageMb: off,
    addedMb: median(sizes.on) - off,
    addedVisitedMb: median(sizes.visited) - off,
  };
}

async function startedWith(node: GinnelNode, page: string): Promise<void> {
  await node.api('POST', '/v1/settings', { set: { page } });
  await node.stop();
  await node.start();
  await node.up();
}

async function settledMb(node: GinnelNode): Promise<number> {
  const pid = pidOf(node);
  const looks: number[] = [];
  for (let look = 0; look < 3; look++) {
    await pause(SETTLE_MS);
    process.kill(pid, 'SIGUSR2');
    await pause(500);
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    looks.push(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1000);
  }
  return Math.min(...looks);
}
