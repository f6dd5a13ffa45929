// An invite shown as a QR code on one box, read by the camera of another's visitor: a real browser whose camera sees a film.
import { rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { encode } from 'uqr';
import { Household, whyNoBrowser } from '../support/browser.ts';
import { serveMadeUpPage } from '../support/made-up-page.ts';

const skip = whyNoBrowser();
const INVITE = `ginnel:${'Qk'.repeat(90)}`;
const [WIDTH, HEIGHT] = [640, 480];
const [DARK, LIGHT, GREY] = [40, 200, 128];

/** Some seconds of one picture: the code in the middle of it, as grey as a screen in the evening. */
function film(text: string): Buffer {
  const { data, size } = encode(text, { ecc: 'M', border: 3 });
  const cell = Math.floor(HEIGHT / size);
  const [left, top] = [Math.floor((WIDTH - cell * size) / 2), Math.floor((HEIGHT - cell * size) / 2)];
  const luma = Buffer.alloc(WIDTH * HEIGHT, GREY);
  for (let y = 0; y < cell * size; y++)
    for (let x = 0; x < cell * size; x++) {
      const isDark = data[Math.floor(y / cell)]?.[Math.floor(x / cell)] === true;
      luma[(top + y) * WIDTH + left + x] = isDark ? DARK : LIGHT;
    }
  const colours = Buffer.alloc((WIDTH * HEIGHT) / 2, GREY);
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, colours]);
  const head = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`);
  return Buffer.concat([head, ...Array.from({ length: 10 }, () => frame)]);
}

t.test('an invite is scanned by the camera, and the box joins by it', { skip, timeout: 60_000 }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'ginnel-film-'));
  const camera = join(folder, 'invite.y4m');
  writeFileSync(camera, film(INVITE));
  const made = await serveMadeUpPage({ peers: [], isUp: false });
  const browser = await Household.open({ camera });
  t.teardown(async () => {
    await browser.close();
    await made.close();
    rmSync(folder, { recursive: true });
  });
  const visit = await browser.visit(made.address, { screen: 'phone' });
  const { page } = visit;
  const button = (name: string | RegExp) => page.getByRole('button', { name });
  for (const label of ['New password', 'Repeat the password'])
    await page.getByLabel(label, { exact: true }).fill('four words of mine');
  await button('Next').click();
  await button(/Join with an invite/).click();
  await button('Scan with the camera').click();
  await page.getByText('The invite was read.').waitFor({ state: 'attached' });
  t.equal(await page.getByLabel('Invite').inputValue(), INVITE);
  t.same(await visit.barriers(), []);
  await button(/^Join$/).click();
  await page.getByText(/is on the network as/).waitFor();
  t.same(visit.complaints, []);
});
