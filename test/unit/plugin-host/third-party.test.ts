// Plugins from the owner's own folder: marked, off until the owner turns them on, used only where nobody else could
// change them, found while the daemon runs, and never in the place of one that came with Ginnel.
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bench, code, heardFrom, keptChoices, manifest, type Bench } from './made-up.ts';

type Folders = Record<string, Record<string, string>>;

const plugin = (name: string, changes: Record<string, unknown> = {}): Record<string, string> => ({
  'plugin.json': manifest(name, changes),
  'index.js': code(name),
});

function third(
  t: Test,
  thirdParty: Folders,
  shipped: Folders = {},
  choices = keptChoices(),
): Bench & { folder: string } {
  const folder = t.testdir({ shipped, thirdParty });
  const b = bench(t, {}, choices, [
    { path: join(folder, 'shipped'), isThirdParty: false },
    { path: join(folder, 'thirdParty'), isThirdParty: true },
  ]);
  return { ...b, folder: join(folder, 'thirdParty') };
}

const states = async ({ host }: Bench): Promise<Record<string, string>> =>
  Object.fromEntries((await host.list()).map(({ name, state, code }) => [name, `${state} ${code}`.trim()]));

t.test(
  'off by default whatever the manifest says, and marked; on by the word of the owner, over a restart',
  async t => {
    const choices = keptChoices();
    const b = third(t, { mine: plugin('mine', { enabled: true }) }, { own: plugin('own') }, choices);
    await b.start();
    t.same(await states(b), { mine: 'off', own: 'ready' });
    t.match(await b.host.list(), [
      { name: 'own', thirdParty: false },
      { name: 'mine', thirdParty: true, enabled: false },
    ]);
    t.same(heardFrom('mine'), []);
    t.match(await b.host.enable('mine'), { state: 'ready', enabled: true });
    const again = third(t, { mine: plugin('mine') }, {}, choices);
    await again.start();
    t.same(await states(again), { mine: 'ready' });
  },
);

t.test('the name of a plugin that came with Ginnel is not to be had, nor what that one keeps', async t => {
  const choices = keptChoices();
  choices.kept.set('own', { enabled: true, settings: {} });
  const b = third(t, { own: plugin('own', { version: '6.6.6' }) }, { own: plugin('own') }, choices);
  await b.start();
  t.same(await states(b), { own: 'ready', 'own@third-party': 'failed PLUGIN_NAME_TAKEN' });
  t.match((await b.host.detail('own')).version, '1.0.0');
  await t.rejects(b.host.enable('own@third-party'), { code: 'PLUGIN_NAME_TAKEN' });
  const bare = third(t, { own: plugin('own') }, {}, choices);
  await bare.start();
  t.same(
    await states(bare),
    { own: 'off' },
    'without the shipped one, its choice does not pass to the other',
  );
});

t.test(
  'a folder dropped in is seen without a restart, one taken out is gone, one changed is read anew',
  async t => {
    const b = third(t, {});
    await b.start();
    t.same(await states(b), {});
    mkdirSync(join(b.folder, 'dropped'));
    for (const [name, text] of Object.entries(plugin('dropped')))
      writeFileSync(join(b.folder, 'dropped', name), text);
    t.same(await states(b), { dropped: 'off' });
    writeFileSync(join(b.folder, 'dropped', 'plugin.json'), manifest('dropped', { version: '2.0.0' }));
    t.match(await b.host.detail('dropped'), { version: '2.0.0' });
    t.match(await b.host.enable('dropped'), { state: 'ready' });
    renameSync(join(b.folder, 'dropped'), join(b.folder, 'away'));
    t.match(await states(b), { dropped: 'ready' }, 'one that runs is left alone');
    t.match(await b.host.disable('dropped'), { state: 'off' });
    t.same(await states(b), { away: 'failed PLUGIN_MANIFEST' }, 'its folder has another name than it');
    renameSync(join(b.folder, 'away'), join(b.folder, 'dropped'));
    t.match(await b.host.enable('dropped'), { state: 'ready' });
    await b.host.disable('dropped');
    rmSync(join(b.folder, 'dropped'), { recursive: true });
    t.same(await states(b), {});
    await t.rejects(b.host.enable('dropped'), { code: 'PLUGIN_UNKNOWN' });
  },
);

t.test('put back while it is chosen to be on, it starts when it is seen', async t => {
  const choices = keptChoices();
  choices.kept.set('third-party/back', { enabled: true });
  const b = third(t, {}, {}, choices);
  await b.start();
  mkdirSync(join(b.folder, 'back'));
  for (const [name, text] of Object.entries(plugin('back')))
    writeFileSync(join(b.folder, 'back', name), text);
  await b.host.list();
  await b.host.enable('back');
  t.same(await states(b), { back: 'ready' });
});

const LOOSE: Readonly<Record<string, (folder: string) => void>> = {
  'the directory': folder => chmodSync(folder, 0o777),
  'its folder': folder => chmodSync(join(folder, 'loose'), 0o775),
  'its manifest': folder => chmodSync(join(folder, 'loose', 'plugin.json'), 0o664),
  'its folder, a link': folder => {
    renameSync(join(folder, 'loose'), join(folder, '..', 'elsewhere'));
    symlinkSync(join(folder, '..', 'elsewhere'), join(folder, 'loose'));
  },
};

for (const [what, loosen] of Object.entries(LOOSE))
  t.test(`others could change ${what}: seen at once, not used, and none of its code is loaded`, async t => {
    const b = third(t, { loose: plugin('loose') });
    loosen(b.folder);
    await b.start();
    t.same(await states(b), { loose: 'failed PLUGIN_UNSAFE' });
    await t.rejects(b.host.enable('loose'), { code: 'PLUGIN_UNSAFE' });
    t.same(heardFrom('loose'), []);
  });

const LOOSE_INSIDE: Readonly<Record<string, (folder: string) => void>> = {
  'its entry': folder => chmodSync(join(folder, 'index.js'), 0o666),
  'a folder inside': folder => {
    mkdirSync(join(folder, 'lib'));
    chmodSync(join(folder, 'lib'), 0o777);
  },
  'a file deep inside': folder => {
    mkdirSync(join(folder, 'lib', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'lib', 'deep', 'part.js'), '');
    chmodSync(join(folder, 'lib', 'deep', 'part.js'), 0o602);
  },
  'what a link leads out to': folder => symlinkSync('/etc/hostname', join(folder, 'out')),
  'a link to nothing': folder => symlinkSync('/nonexistent', join(folder, 'nothing')),
};

for (const [what, loosen] of Object.entries(LOOSE_INSIDE))
  t.test(`others could change ${what}: it does not start, and starts once that is mended`, async t => {
    const b = third(t, { inner: plugin('inner') });
    const folder = join(b.folder, 'inner');
    const whole = join(b.folder, '..', 'whole');
    cpSync(folder, whole, { recursive: true });
    loosen(folder);
    await b.start();
    const loads = heardFrom('inner').length;
    t.match(await b.host.enable('inner'), { state: 'failed', code: 'PLUGIN_UNSAFE' });
    t.equal(heardFrom('inner').length, loads, 'none of its code is run');
    rmSync(folder, { recursive: true });
    renameSync(whole, folder);
    t.match(await b.host.retry('inner'), { state: 'ready' });
  });

t.test('links inside its own folder are its own business', async t => {
  const b = third(t, { linked: plugin('linked') });
  symlinkSync('index.js', join(b.folder, 'linked', 'also.js'));
  await b.start();
  t.match(await b.host.enable('linked'), { state: 'ready' });
});

t.test(
  'a plugin that belongs to another user is not used',
  { skip: process.getuid?.() === 0 ? false : 'only root can give a file away' },
  async t => {
    const b = third(t, { given: plugin('given') });
    chownSync(join(b.folder, 'given', 'plugin.json'), 65_534, 65_534);
    await b.start();
    t.same(await states(b), { given: 'failed PLUGIN_UNSAFE' });
    t.match((await b.host.detail('given')).facts['message'], /belongs to user 65534.*chown -R root/);
  },
);

t.test('more folders than anybody has are not all looked at', async t => {
  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, at) => [`many-${at}`, plugin(`many-${at}`)]),
  );
  const b = third(t, many);
  await b.start();
  t.equal((await b.host.list()).length, 64);
});
