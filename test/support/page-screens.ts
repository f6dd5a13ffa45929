// Every screen of the page, by its address within it, and how to have a made-up household on them.
import type { Page } from 'playwright-core';
import type { Visit } from './browser.ts';

export const SCREENS: Readonly<Record<string, string>> = {
  overview: '#/',
  peer: '#/peers/shop-till-id',
  plugins: '#/plugins',
  plugin: '#/plugins/nat-stun',
  nodes: '#/network/nodes',
  invites: '#/network/invites',
  'log-ins': '#/network/log-ins',
  relays: '#/network/relays',
  rules: '#/network/rules',
  audit: '#/network/audit',
  state: '#/network/state',
  box: '#/settings/box',
  'page-itself': '#/settings/page',
  backup: '#/settings/backup',
  logs: '#/settings/logs',
  all: '#/settings/all',
  welcome: '#/welcome',
  nowhere: '#/nowhere',
};

const PASSWORD = 'a house with a blue door';
const SETTLES_MS = 250;

/** Sets the owner's password as the page's own form does, or signs in where one is set; then shows the page. */
export async function enter({ page }: Visit): Promise<void> {
  const { owner } = await asked<{ owner: 'none' | 'set' }>(page, '/v1/page/session');
  await asked(page, owner === 'none' ? '/v1/page/owner' : '/v1/page/sign-in', { password: PASSWORD });
  await page.reload();
}

/** Goes there within the page, and waits until nothing is on its way any more. */
export async function goTo({ page }: Visit, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await settled(page);
}

const IS_SETTLED =
  "document.querySelector('h1') !== null && document.querySelector('[aria-busy=true], .spinner') === null";

/** Until nothing is busy. Asked from outside: the page's policy lets nobody wait inside by a text that is run as code. */
export async function settled(page: Page): Promise<void> {
  do await page.waitForTimeout(SETTLES_MS);
  while (!(await page.evaluate<boolean>(IS_SETTLED)));
}

async function asked<T>(page: Page, path: string, body?: object): Promise<T> {
  const request =
    body === undefined
      ? {}
      : {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(body),
        };
  const answer = await page.evaluate<{ status: number; text: string }>(
    `fetch('${path}', ${JSON.stringify(request)}).then(async answer => ({ status: answer.status, text: await answer.text() }))`,
  );
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as T;
}
