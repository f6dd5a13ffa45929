// The page by keyboard alone, in a real browser: every control is come to, and is seen when it is; a window over the page
// keeps the keyboard and gives it back; what the map shows stands in words beside it.
import t from 'tap';
import { Household, whyNoBrowser, type Visit } from '../support/browser.ts';
import { household } from '../support/made-up-household.ts';
import { serveMadeUpPage } from '../support/made-up-page.ts';
import { enter, goTo, SCREENS, settled } from '../support/page-screens.ts';

const skip = whyNoBrowser();
const VISITED = [
  'overview',
  'peer',
  'plugin',
  'nodes',
  'invites',
  'relays',
  'rules',
  'box',
  'page-itself',
  'logs',
];
/** More than any screen has. */
const MOST_TABS = 120;

/** Run in the page: what the keyboard should come to, each marked with a number. */
const MARK = `(() => {
  const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]');
  const seen = [...all].filter(one => !one.disabled && one.checkVisibility({ visibilityProperty: true }));
  seen.forEach((one, i) => { one.dataset.mark = String(i); });
  return seen.map(one => one.outerHTML.slice(0, 120));
})()`;
/** Run in the page: which one the keyboard is at, and whether that can be seen: at it, or at the box around it. */
const AT = `(() => {
  const here = document.activeElement;
  const rings = [here, here.parentElement].map(one => getComputedStyle(one));
  const isSeen = rings.some(({ outlineStyle, outlineWidth }) => outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1);
  return { mark: here.dataset.mark ?? '', isSeen, inDialog: here.closest('dialog') !== null, isBody: here === document.body };
})()`;

interface At {
  readonly mark: string;
  readonly isSeen: boolean;
  readonly inDialog: boolean;
  readonly isBody: boolean;
}

const at = ({ page }: Visit): Promise<At> => page.evaluate<At>(AT);

/** Once around; what was met, by its mark. */
async function around(visit: Visit, wanted: number): Promise<ReadonlyMap<string, At>> {
  const met = new Map<string, At>();
  await visit.page.evaluate('document.activeElement.blur()');
  for (let i = 0; i < MOST_TABS && met.size < wanted; i++) {
    await visit.page.keyboard.press('Tab');
    const here = await at(visit);
    if (here.mark !== '') met.set(here.mark, here);
  }
  return met;
}

t.test('the page by keyboard alone', { skip, timeout: 240_000 }, async t => {
  const made = await serveMadeUpPage({ peers: household() });
  const browser = await Household.open();
  t.teardown(async () => {
    await browser.close();
    await made.close();
  });
  const visit = await browser.visit(made.address);
  await settled(visit.page);
  await enter(visit);
  await settled(visit.page);

  await t.test('every control is come to, and is seen then', { timeout: 180_000 }, async t => {
    for (const screen of VISITED) {
      await goTo(visit, SCREENS[screen]!);
      const controls = await visit.page.evaluate<readonly string[]>(MARK);
      const met = await around(visit, controls.length);
      t.same(
        controls.filter((_, i) => !met.has(String(i))),
        [],
        `${screen}: all ${controls.length} are reached`,
      );
      t.same(
        [...met].filter(([, { isSeen }]) => !isSeen).map(([mark]) => controls[Number(mark)]),
        [],
        `${screen}: each shows that it is reached`,
      );
    }
  });

  await t.test(
    'a window over the page keeps the keyboard, and gives it back',
    { timeout: 60_000 },
    async t => {
      await goTo(visit, SCREENS['invites']!);
      const opener = visit.page.getByRole('button', { name: 'New invite' });
      await opener.focus();
      await visit.page.keyboard.press('Enter');
      const dialog = visit.page.getByRole('dialog', { name: 'New invite' });
      await dialog.waitFor();
      for (let i = 0; i < 12; i++) {
        const here = await at(visit);
        // Between its last and its first control a browser has its own: that is the body to the page.
        t.ok(here.inDialog || here.isBody, `within it after ${i} times Tab`);
        await visit.page.keyboard.press('Tab');
      }
      await visit.page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      t.equal(
        await visit.page.evaluate<string>('document.activeElement.innerText'),
        'New invite',
        'the keyboard is back where it was',
      );
    },
  );

  await t.test(
    'the map in words: its counts as a name, its boxes as a table',
    { timeout: 60_000 },
    async t => {
      await goTo(visit, SCREENS['overview']!);
      const name = await visit.page.locator('canvas').getAttribute('aria-label');
      t.match(name, /attic-nas.*3.*2.*1/s, 'how many are direct, relayed, offline');
      t.equal(await visit.page.getByRole('row').count(), 1 + household().length);
    },
  );

  t.same(visit.complaints, []);
});
