// Every screen of the page in a real browser: nothing in the way of people that axe-core knows of, nothing wider than the
// screen, nothing that the browser complains of. Twice here, in all looks where there is time.
import t from 'tap';
import { Household, whyNoBrowser, type Look } from '../support/browser.ts';
import { household } from '../support/made-up-household.ts';
import { serveMadeUpPage } from '../support/made-up-page.ts';
import { enter, goTo, SCREENS, settled } from '../support/page-screens.ts';

const skip = whyNoBrowser();
const LONG = process.env['GINNEL_LONG'] === '1';
const TWO: readonly Look[] = [
  { screen: 'desk', scheme: 'light', language: 'en' },
  { screen: 'phone', scheme: 'dark', language: 'zh-CN' },
];
const ALL: readonly Look[] = (['desk', 'phone'] as const).flatMap(screen =>
  (['light', 'dark'] as const).flatMap(scheme =>
    (['en', 'zh-CN'] as const).map(language => ({ screen, scheme, language })),
  ),
);

t.test('no screen of the page has barriers, overhang or complaints', { skip, timeout: 240_000 }, async t => {
  const made = await serveMadeUpPage({ peers: household() });
  const browser = await Household.open();
  t.teardown(async () => {
    await browser.close();
    await made.close();
  });
  for (const look of LONG ? ALL : TWO) {
    const visit = await browser.visit(made.address, look);
    const words = Object.values(look).join(', ');
    const good = async (screen: string): Promise<void> => {
      t.same(await visit.barriers(), [], `${screen}, ${words}: no barriers`);
      t.ok((await visit.overhang()) <= 0, `${screen}, ${words}: as wide as the screen`);
    };
    await settled(visit.page);
    await good('the door');
    await enter(visit);
    const headings = new Map<string, string>();
    for (const [screen, hash] of Object.entries(SCREENS)) {
      await goTo(visit, hash);
      await good(screen);
      headings.set(screen, await visit.page.locator('h1').first().innerText());
    }
    for (const [screen, heading] of headings)
      t.equal(heading === headings.get('nowhere'), screen === 'nowhere', `${screen}, ${words}: ${heading}`);
    t.same(visit.complaints, [], `${words}: no complaints`);
    await visit.close();
  }
});
