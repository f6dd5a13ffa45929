// Two boxes behind one host name, by two tunnels of one machine: browsers send a host's cookies to all of its ports.
import t from 'tap';
import { seededRandom } from '../../../base/random.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { pageBench, PASSWORD, type Answered, type PageBench } from '../../support/page-bench.ts';

/** As a browser keeps them: by name, whatever the port. */
class Jar {
  readonly #cookies = new Map<string, string>();

  async ask({ ask, port }: PageBench, method: string, path: string, body?: unknown): Promise<Answered> {
    const own = `localhost:${port}`;
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { Host: own, Origin: method === 'GET' ? undefined : `http://${own}` };
    const answer = await ask(method, path, { body, cookie, headers });
    const [name = '', value = ''] = answer.cookie.split('=');
    if (name !== '') this.#cookies.set(name, value);
    return answer;
  }
}

t.test('who is signed in at one stays so when they sign in, and out, at the other', async t => {
  const attic = await pageBench(t, { random: seededRandom(1) });
  const cellar = await pageBench(t, { random: seededRandom(2) });
  const jar = new Jar();
  const isIn = async (bench: PageBench): Promise<boolean> =>
    (await jar.ask(bench, 'GET', '/v1/health')).status === 200;
  for (const bench of [attic, cellar])
    t.equal((await jar.ask(bench, 'POST', '/v1/page/owner', { password: PASSWORD })).status, 200);
  t.ok(await isIn(attic));
  t.ok(await isIn(cellar));
  await jar.ask(cellar, 'POST', '/v1/page/sign-out', {});
  t.ok(await isIn(attic));
  t.notOk(await isIn(cellar));
});

t.test('its name stays over restarts; one that is kept and is none is made anew', async t => {
  const store = memoryStore();
  const { cookieName } = await pageBench(t, { store, random: seededRandom(1) });
  t.match(cookieName, /^ginnel-[a-z]{8}$/);
  t.equal((await pageBench(t, { store, random: seededRandom(2) })).cookieName, cookieName);
  await store.put('cookie-tag', 'x; Domain=example');
  t.match((await pageBench(t, { store })).cookieName, /^ginnel-[a-z]{8}$/);
});
