// Run by store.test.ts inside a mount namespace of its own: fills a tiny disk through the store and prints what was kept.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Counters } from '../../base/counters.ts';
import { GinnelError } from '../../base/errors.ts';
import { openStore } from '../../base/store.ts';
import type { Store } from '../../base/store.ts';

const place = process.argv[2]!;
const counters = new Counters();
const open = (firstSetUp: boolean): Promise<Store> =>
  openStore({ path: join(place, 'state'), firstSetUp, counters, keepFreeBytes: 0 });

const ballast = join(place, 'ballast');
writeFileSync(ballast, Buffer.alloc(400_000));
const store = await open(true);
const confirmed: string[] = [];
let code = '';
for (let index = 0; index < 5000 && code === ''; index++) {
  try {
    await store.put(`key/${index}`, 'y'.repeat(1000));
    confirmed.push(`key/${index}`);
  } catch (error) {
    code = error instanceof GinnelError ? error.code : String(error);
  }
}
rmSync(ballast);
const missing = async (from: Store): Promise<number> => {
  const found = await Promise.all(confirmed.map(key => from.get(key)));
  return found.filter(value => value === undefined).length;
};
const missingNow = await missing(store);
await store.put('afterwards', true);
await store.close();
const again = await open(false);
const report = {
  code,
  confirmed: confirmed.length,
  missingNow,
  wroteAfterwards: (await again.get('afterwards')) === true,
  missingAfterReopen: await missing(again),
  reopened: counters.snapshot()['store.reopened'] ?? 0,
};
await again.close();
console.log(JSON.stringify(report));
