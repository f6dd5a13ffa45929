// The page as a new household meets it, in a real browser on a device of its LAN: first visit, joining, the second home, a
// plugin off and on while packets pass, a path that moves, why it is as it is, a mistake in a form, a backup, and that
// backup on an empty box. Home 0: a public box that forwards. Home 1: the household, two devices. Home 2: the second home.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import t, { type Test } from 'tap';
import type { PluginDetail } from '../../core/admin.ts';
import { Household, whyNoBrowser } from '../support/browser.ts';
import { GinnelNode, startServer } from './ginnel.ts';
import { joinHome } from './homes.ts';
import { buildLab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab, LAB_FOLDER, skipFile } from './wrapper.ts';

const noBrowser = whyNoBrowser();
if (noBrowser !== false) skipFile(noBrowser);
enterLab(import.meta.url);

const BOUND_MS = 30_000;
const PASSWORD = 'a house with a blue door';
const PASSPHRASE = 'kept in the kitchen drawer';
const PAGE_PORT = 7080;
/** Left behind where something failed. */
const LOOKS = join(tmpdir(), 'ginnel-page-story.png');
const FILE = `${LAB_FOLDER}/downloaded.ginnel-backup`;

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
/** The one that is looked at now. */
let looked = visit;

/** What a person sees happens; and nothing went wrong behind it. */
function step(name: string, act: (t: Test) => Promise<void>): Promise<unknown> {
  return t.test(name, { timeout: 90_000 }, async t => {
    try {
      await box.explained(act(t));
    } catch (error) {
      t.comment(await looked.text().catch(() => 'the page shows nothing'));
      await looked.picture(LOOKS).then(
        () => t.comment(`as it looked: ${LOOKS}`),
        () => undefined,
      );
      throw error;
    }
    t.same(visit.complaints, [], 'no complaint in the browser');
  });
}

const { page: screen } = visit;
const open = (hash: string): Promise<unknown> => screen.evaluate(`location.hash = '${hash}'`);
const button = (name: string | RegExp): Locator => screen.getByRole('button', { name });
const row = (name: string): Locator => screen.getByRole('row').filter({ hasText: name });

await step('the first visit: a password of one’s own, the invite, and the box is in', async () => {
  await screen.getByRole('heading', { name: 'Welcome to Ginnel' }).waitFor();
  await screen.getByLabel('New password').fill(PASSWORD);
  await screen.getByLabel('Repeat the password').fill('something else entirely');
  await button('Next').click();
  await screen.getByText('The two are not the same.').waitFor();
  await screen.getByLabel('Repeat the password').fill(PASSWORD);
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

await step('the second home is there though nothing was sent, and is reached through the relay', async () => {
  await row('cellar-router').filter({ hasText: second.ip }).filter({ hasText: 'Not in use' }).waitFor();
  await box.choose(staysRelayed);
  const { ip4 } = await box.status();
  await until('the first answer', BOUND_MS, async () => {
    const { code } = await there.host.exec(`ping -q -c 1 -W 1 ${ip4}`, { mayFail: true });
    return code === 0;
  });
  await row('cellar-router').filter({ hasText: 'Through office-vps' }).waitFor();
  await screen.getByRole('img', { name: /Map of the network around attic-nas: \d other box/ }).waitFor();
});

await step('a plugin is switched off and on while pings pass', async t => {
  await open('#/plugins');
  const toggle = screen.getByRole('switch', { name: /nat-stun/ });
  await toggle.waitFor();
  const pings = here.host.exec(`ping -q -c 100 -i 0.05 -W 2 ${second.ip}`);
  for (const isOn of [false, true]) {
    await toggle.click();
    await until(`nat-stun to be ${isOn ? 'on' : 'off'}`, BOUND_MS, async () => {
      const { plugins } = await box.status();
      return plugins.find(({ name }) => name === 'nat-stun')?.enabled === isOn;
    });
    await screen.getByRole('switch', { name: /nat-stun/, checked: isOn }).waitFor();
  }
  t.match((await pings).stdout, / 0% packet loss/, 'no ping was lost');
});

await step('the path moves from the relay to a direct one, and the page says so and why', async t => {
  await open('#/');
  await row('cellar-router').getByRole('link', { name: 'cellar-router' }).click();
  await screen.getByRole('heading', { name: 'cellar-router', level: 1 }).waitFor();
  const why = screen.locator('#why');
  await why.getByText('cellar-router is reached through').waitFor();
  const before = await why.innerText();
  t.match(before, /office-vps/, 'which relay it is');
  await second.node.choose({ settings: { upgrade: true } });
  await open('#/settings/all');
  await screen.getByRole('switch', { name: 'Look for better ways' }).click();
  await button('Save').first().click();
  await open('#/');
  const pings = here.host.exec(`ping -q -c 100 -i 0.1 -W 2 ${second.ip}`);
  await row('cellar-router').filter({ hasText: 'Direct, UDP' }).waitFor({ timeout: BOUND_MS });
  t.match((await pings).stdout, / 0% packet loss/, 'no ping was lost on the way over');
  await row('cellar-router').getByRole('link').click();
  await screen.locator('#why').getByText('cellar-router is reached directly').waitFor();
  await screen.getByText('through office-vps').first().waitFor();
});

await step('a setting with a mistake in it is told at its field, and mended', async t => {
  await open('#/plugins/nat-portmap');
  const field = screen.getByLabel('Asked for');
  await field.fill('5');
  await button('Save').click();
  await screen.locator('[aria-invalid=true]').waitFor();
  const told = screen.locator('.field-error');
  t.match(await told.innerText(), /120/, 'the least that it may be');
  t.equal(await field.getAttribute('aria-invalid'), 'true', 'at the field itself');
  await field.fill('600');
  await button('Save').click();
  await until('the setting to be kept', BOUND_MS, async () => {
    const { settings } = await box.api<PluginDetail>('GET', '/v1/node/plugins/nat-portmap');
    return settings['lease'] === 600;
  });
  t.equal(await told.count(), 0, 'and nothing is wrong any more');
});

await step('a backup is downloaded, and an empty box that gets it is the same one', async t => {
  await open('#/settings/backup');
  await screen.getByLabel('Passphrase', { exact: true }).first().fill(PASSPHRASE);
  await screen.getByLabel('Repeat the passphrase').fill(PASSPHRASE);
  const downloading = screen.waitForEvent('download');
  await button('Make a backup').click();
  await (await downloading).saveAs(FILE);
  await screen.getByText('The backup of attic-nas was made').waitFor();
  const { id, ip4 } = await box.status();
  await visit.close();
  await box.stop();
  const empty = new GinnelNode(device, 'empty-box');
  await empty.start();
  const fresh = await household.visit(`http://127.0.0.1:${PAGE_PORT}/`, { screen: 'phone' });
  looked = fresh;
  const label = (name: string): Locator => fresh.page.getByLabel(name, { exact: true });
  const press = (name: string): Promise<void> =>
    fresh.page.getByRole('button', { name, exact: true }).click();
  await label('New password').fill('of no use in a moment');
  await label('Repeat the password').fill('of no use in a moment');
  await press('Next');
  await fresh.page.getByRole('link', { name: 'Restore a backup' }).click();
  await fresh.page.locator('input[type=file]').setInputFiles(FILE);
  await label('Passphrase').last().fill(PASSPHRASE);
  t.same(fresh.complaints, [], 'no complaint up to here');
  await press('Restore');
  await fresh.page.getByText('This box is attic-nas now').waitFor({ timeout: BOUND_MS });
  await empty.explained(
    // Its sockets are gone while it builds itself anew.
    until('the box to be back', BOUND_MS, async () => {
      const status = await empty.status().catch(() => null);
      return status?.server.state === 'connected';
    }),
  );
  t.match(await empty.status(), { id, ip4, name: 'attic-nas' }, 'the same box, at the same address');
  // The page may have noticed by itself that its session is over.
  if (!(await label('Password').isVisible())) await press('Sign in');
  await label('Password').fill(PASSWORD);
  await press('Sign in');
  await fresh.page.evaluate("location.hash = '#/'");
  await fresh.page.getByRole('heading', { name: 'attic-nas is on the network' }).waitFor();
  await until('an answer from the second home', BOUND_MS, async () => {
    const { code } = await device.exec(`ping -q -c 1 -W 1 ${second.ip}`, { mayFail: true });
    return code === 0;
  });
});
