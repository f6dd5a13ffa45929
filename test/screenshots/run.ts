// npm run screenshots: pictures of the page of a made-up household into docs/screenshots, by the page's own server in a real
// browser. Exit code 1: one of them is too large, or the browser complained.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Household, whyNoBrowser, type Look, type Visit } from '../support/browser.ts';
import { household } from '../support/made-up-household.ts';
import { serveMadeUpPage, type MadeUpPage } from '../support/made-up-page.ts';
import { enter, goTo, SCREENS, settled } from '../support/page-screens.ts';
import { repositoryRoot } from '../support/repository.ts';

interface Picture {
  readonly name: string;
  readonly look: Look;
  /** The page of which it is; default the household's. */
  readonly of?: 'first visit';
  /** One of the screens; empty: what a visitor sees at the door. */
  readonly screen?: keyof typeof SCREENS;
  /** What is done there first. */
  readonly act?: (visit: Visit) => Promise<void>;
}

const FOLDER = join(repositoryRoot, 'docs/screenshots');
const MOST_BYTES = 150_000;
/** Traffic shows after two looks at it. */
const TRAFFIC_MS = 3500;

const desk = (scheme: Look['scheme'] = 'light'): Look => ({ screen: 'desk', scheme });
const phone = (scheme: Look['scheme'] = 'light'): Look => ({ screen: 'phone', scheme, scale: 2 });
const traffic = ({ page }: Visit): Promise<void> => page.waitForTimeout(TRAFFIC_MS);
/** The form of this plugin with a mistake in it, sent off. */
async function mistaken({ page }: Visit): Promise<void> {
  await page.getByLabel('Measure again after').fill('100000');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.evaluate("document.querySelector('[aria-invalid=true]').scrollIntoView({ block: 'center' })");
}

const PICTURES: readonly Picture[] = [
  { name: 'first-visit-phone', look: phone(), of: 'first visit' },
  { name: 'welcome-phone', look: phone(), of: 'first visit', screen: 'welcome' },
  { name: 'overview-desk', look: desk(), screen: 'overview', act: traffic },
  { name: 'overview-desk-dark', look: desk('dark'), screen: 'overview', act: traffic },
  {
    name: 'overview-desk-chinese',
    look: { ...desk(), language: 'zh-CN' },
    screen: 'overview',
    act: traffic,
  },
  { name: 'overview-phone', look: phone(), screen: 'overview', act: traffic },
  { name: 'overview-phone-dark', look: { ...phone('dark'), scale: 1.75 }, screen: 'overview', act: traffic },
  { name: 'peer-desk', look: desk(), screen: 'peer', act: traffic },
  { name: 'peer-phone-dark', look: { ...phone('dark'), scale: 1.5 }, screen: 'peer', act: traffic },
  { name: 'plugins-desk', look: desk(), screen: 'plugins' },
  { name: 'plugin-mistake-phone', look: { ...phone(), scale: 1.5 }, screen: 'plugin', act: mistaken },
  { name: 'nodes-desk-dark', look: desk('dark'), screen: 'nodes' },
  { name: 'invites-phone', look: phone(), screen: 'invites' },
  { name: 'backup-desk', look: desk(), screen: 'backup' },
  { name: 'settings-phone-chinese', look: { ...phone(), language: 'zh-CN' }, screen: 'box' },
];

const noBrowser = whyNoBrowser();
if (noBrowser !== false) {
  process.stderr.write(`No pictures: ${noBrowser}.\n`);
  process.exit(1);
}
mkdirSync(FOLDER, { recursive: true });
for (const name of readdirSync(FOLDER)) rmSync(join(FOLDER, name));
const browser = await Household.open();
const pages: Record<'first visit' | 'household', MadeUpPage> = {
  'first visit': await serveMadeUpPage({ peers: [], isUp: false }),
  household: await serveMadeUpPage({ peers: household() }),
};
let problems = 0;
for (const picture of PICTURES) problems += await take(picture);
await browser.close();
for (const page of Object.values(pages)) await page.close();
process.exit(problems === 0 ? 0 : 1);

async function take({ name, look, of, screen, act }: Picture): Promise<number> {
  const visit = await browser.visit(pages[of ?? 'household'].address, look);
  if (screen !== undefined) {
    await enter(visit);
    await goTo(visit, SCREENS[screen]!);
  }
  await settled(visit.page);
  await act?.(visit);
  const { length } = await visit.picture(join(FOLDER, `${name}.png`));
  const complaints = [
    ...visit.complaints,
    ...(length > MOST_BYTES ? [`${length} bytes are more than ${MOST_BYTES}`] : []),
  ];
  await visit.close();
  process.stdout.write(`${name.padEnd(26)}${String(Math.round(length / 1000)).padStart(5)} KB\n`);
  for (const complaint of complaints) process.stdout.write(`  ${complaint}\n`);
  return complaints.length;
}
