// What a browser makes of the page: how soon it shows what is asked for, and how steadily it draws.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endOf, type Place } from '../lab/place.ts';
import type { Household, Visit } from '../support/browser.ts';
import { enter } from '../support/page-screens.ts';
import type { Figures } from './figures.ts';
import { median } from './statistics.ts';

const CROWD = fileURLToPath(new URL('./page-crowd.js', import.meta.url));
const CROWD_PORT = 7099;
const LOADS = 9;
const DRAWING_MS = 6000;

/** Ms since the page was asked for when rows and map were on the screen. */
const SHOWN = `
  window.shown = new Promise(resolve => {
    const look = () => {
      const map = document.querySelector('.map canvas');
      if (map !== null && map.width > 100 && document.querySelectorAll('tbody tr').length >= 20)
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
      else requestAnimationFrame(look);
    };
    look();
  });`;

/** When each frame was drawn, in ms. */
const FRAMES = `new Promise(resolve => {
  const frames = [];
  const draw = now => {
    frames.push(now);
    if (now - frames[0] < ${DRAWING_MS}) requestAnimationFrame(draw);
    else resolve(frames);
  };
  requestAnimationFrame(draw);
})`;

/** With so many made-up boxes on the page, whose traffic changes each second. */
export async function crowdFigures(place: Place, household: Household, count: number): Promise<Figures> {
  const server = place.spawn(process.execPath, [CROWD, `${CROWD_PORT}`, `${count}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(server.stdout!, 'data');
    const visit = await household.visit(`http://127.0.0.1:${CROWD_PORT}/`, { motion: true });
    await enter(visit);
    const firstViewMs = await firstView(visit);
    const figures = { firstViewMs, ...(await drawing(visit)) };
    if (visit.complaints.length > 0) throw new Error(visit.complaints.join('\n'));
    return figures;
  } finally {
    server.kill('SIGKILL');
    await endOf(server);
  }
}

async function firstView({ page }: Visit): Promise<number> {
  await page.addInitScript(SHOWN);
  const times: number[] = [];
  for (let load = 0; load < LOADS; load++) {
    await page.reload();
    times.push(await page.evaluate<number>('window.shown'));
  }
  return median(times);
}

/** While a pointer goes over the map. */
async function drawing({ page }: Visit): Promise<Figures> {
  const map = await page.locator('.map canvas').boundingBox();
  if (map === null) throw new Error('there is no map');
  const frames = page.evaluate<number[]>(FRAMES);
  const end = performance.now() + DRAWING_MS;
  for (let step = 0; performance.now() < end; step++) {
    const [x, y] = [
      map.x + (map.width * ((step * 13) % 97)) / 97,
      map.y + (map.height * ((step * 7) % 89)) / 89,
    ];
    await page.mouse.move(x, y, { steps: 4 });
  }
  const drawn = await frames;
  const gaps = drawn.slice(1).map((at, index) => at - drawn[index]!);
  const seconds = (drawn.at(-1)! - drawn[0]!) / 1000;
  return { framesPerSecond: gaps.length / seconds, longestFrameMs: Math.max(...gaps) };
}
