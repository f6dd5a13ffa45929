// The page as a new household meets it, in a real browser on a device of its LAN: first visit, joining, the second home, a
// plugin off and on while packets pass, a path that moves, why it is as it is, a mistake in a form, a backup, and that
// backup on an empty box. Home 0: a public box that forwards. Home 1: the household, two devices. Home 2: the second home.
import type { Locator } from 'playwright-core';
import t, { type Test } from 'tap';
import { Household, whyNoBrowser } from '../support/browser.ts';
import { GinnelNode, startServer } from './ginnel.ts';
import { joinHome } from './homes.ts';
import { buildLab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab, skipFile } from './wrapper.ts';

const noBrowser = whyNoBrowser();
if (noBrowser !== false) skipFile(noBrowser);
enterLab(import.meta.url);

const BOUND_MS = 30_000;
const PASSWORD = 'a house with a blue door';
const PAGE_PORT = 7080;

const lab = await buildLab({
  homes: [{ kind: 'public' }, { kind: 'prc', hosts: 2 }, { kind: 'prcnp' }],
  delayMs: 10,
});
t.teardown(() => lab.stop());
const [public0, here, there] = lab.homes;
const device = here?.hosts[1];
if (public0 === undefined || here === undefined || there === undefined || device === undefined)
  throw new TypeError('three homes were asked for');
const server = await startServer(lab);
const staysRelayed = { settings: { upgrade: false } };
await joinHome(server, public0, 'office-vps');
const second = await joinHome(server, there, 'cellar-router', staysRelayed);
const box = new GinnelNode(here.host, 'attic-nas');
await box.start();

const household = await Household.open({ namespace: device.name });
t.teardown(() => household.close());
const page = `http://${here.host.address}:${PAGE_PORT}/`;
const visit = await household.visit(page);

/** What a person sees happens; and nothing went wrong behind it. */
function step(name: string, act: (t: Test) => Promise<void>): Promise<unknown> {
  return t.test(name, { timeout: 90_000 }, async t => {
    try {
      await box.explained(act(t));
    } catch (error) {
      t.comment(await visit.text().catch(() => 'the page shows nothing'));
      await visit.picture('/tmp/ginnel-page-story.png').catch(() => undefined);
      throw error;
    }
    t.same(visit.complaints, [], 'no complaint in the browser');
  });
}

const { page: screen } = visit;
const button = (name: string | RegExp): Locator => screen.getByRole('button', { name });
const row = (name: string): Locator => screen.getByRole('row').filter({ hasText: name });

await step('the first visit: a password of one’s own, the invite, and the box is in', async () => {
  await screen.getByRole('heading', { name: 'Welcome to Ginnel' }).waitFor();
  await screen.getByLabel('New password').fill(PASSWORD);
  await screen.getByLabel('The same once more').fill('something else entirely');
  await button('Next').click();
  await screen.getByText('The two are not the same.').waitFor();
  await screen.getByLabel('The same once more').fill(PASSWORD);
  await button('Next').click();
  await button(/Join with an invite/).click();
  await screen.getByLabel('Invite').fill('ginnel:this is none');
  await button(/^Join$/).click();
  await screen.getByText(/INVITE_/).waitFor();
  await screen.getByLabel('Invite').fill(await server.invite());
  await screen.getByLabel('Name of this box').fill('attic-nas');
  await button(/^Join$/).click();
  const { ip4 } = await until('the box to join', BOUND_MS, async () => {
    const status = await box.status();
    return status.ip4 === '' ? null : status;
  });
  await screen.getByText(`attic-nas is on the network as ${ip4}.`).waitFor();
  await button('To the overview').click();
  await screen.getByRole('heading', { name: 'attic-nas is on the network' }).waitFor();
});

await step('the second home appears in table and map by itself, through the relay', async t => {
  await box.choose(staysRelayed);
  const { ip4 } = await box.status();
  await until('the first answer', BOUND_MS, async () => {
    const { code } = await there.host.exec(`ping -q -c 1 -W 1 ${ip4}`, { mayFail: true });
    return code === 0;
  });
  await row('cellar-router').filter({ hasText: second.ip }).waitFor();
  await row('cellar-router').filter({ hasText: 'Through a relay' }).waitFor();
  await screen.getByRole('img', { name: /Map of the network around attic-nas: \d other box/ }).waitFor();
  t.match(await row('cellar-router').innerText(), /through office-vps/);
});
