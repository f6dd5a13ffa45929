// A real browser opens the page over TLS by the certificate that a box made for itself, and signs in.
import { createHash, X509Certificate } from 'node:crypto';
import t from 'tap';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { PageCertificates } from '../../bin/daemon/page-certificate.ts';
import { Household, whyNoBrowser } from '../support/browser.ts';
import { household } from '../support/made-up-household.ts';
import { serveMadeUpPage } from '../support/made-up-page.ts';
import { memoryStore } from '../support/memory-store.ts';
import { enter, goTo, settled } from '../support/page-screens.ts';

const skip = whyNoBrowser();

/** As `--ignore-certificate-errors-spki-list` wants it. */
function keyDigest(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

t.test(
  'a browser that trusts its key: led from http, signed in, with a cookie of TLS',
  { skip, timeout: 120_000 },
  async t => {
    const options = { store: memoryStore(), clock: systemClock, random: systemRandom };
    const tls = await (await PageCertificates.open(options)).for(['localhost', '127.0.0.1']);
    const made = await serveMadeUpPage({ peers: household(), tls });
    const browser = await Household.open({ trusted: keyDigest(tls.pem) });
    t.teardown(async () => {
      await browser.close();
      await made.close();
    });
    const visit = await browser.visit(made.address);
    await settled(visit.page);
    await enter(visit);
    await settled(visit.page);
    t.match(await visit.text(), /attic-nas/);
    const [cookie] = await visit.page.context().cookies();
    t.match(cookie, { name: /^__Host-ginnel-[a-z]{8}$/, secure: true, httpOnly: true, sameSite: 'Strict' });
    t.same(visit.complaints, []);
    const answer = await visit.page.goto(made.address.replace('https:', 'http:'));
    t.equal(answer?.url(), made.address, 'plain HTTP leads to it');
    const stranger = await Household.open();
    t.teardown(() => stranger.close());
    await t.rejects(stranger.visit(made.address), /ERR_CERT_AUTHORITY_INVALID/, 'others are warned');
  },
);

t.test(
  'HTTPS turned on from the home network: one screen leads there, and nothing is asked any more',
  { skip, timeout: 60_000 },
  async t => {
    const made = await serveMadeUpPage({ peers: household() });
    const browser = await Household.open({ named: 'attic.lan' });
    t.teardown(async () => {
      await browser.close();
      await made.close();
    });
    await enter(await browser.visit(made.address));
    const visit = await browser.visit(made.address.replace('127.0.0.1', 'attic.lan'));
    const { page } = visit;
    await settled(page);
    await enter(visit);
    await goTo(visit, '#/settings/page');
    await page.getByRole('button', { name: 'Turn HTTPS on' }).click();
    await page.getByRole('heading', { name: 'The page goes by HTTPS now' }).waitFor();
    const { port } = new URL(made.address);
    const link = page.getByRole('link', { name: 'Open the page there' });
    t.equal(await link.getAttribute('href'), `https://attic.lan:${port}/#/settings/page`);
    const asked: string[] = [];
    page.on('request', request => asked.push(request.url()));
    // As the box does: what was open is closed, and there is no plain page behind it.
    await made.close();
    await page.waitForTimeout(3000);
    t.same(asked, []);
    t.same([await visit.barriers(), visit.complaints], [[], []]);
  },
);
