// `ginnel plugins` over the real plugin host, as whole processes, with the daemon running and without.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { code, manifest } from '../plugin-host/made-up.ts';
import { shell, type Shell } from './shell.ts';

const SETTINGS = {
  type: 'object',
  properties: {
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 7, 'x-restart': true },
    fast: { type: 'boolean', default: false },
    token: { type: 'string', maxLength: 64, writeOnly: true },
  },
};

function dropIn({ places }: Shell, name: string, changes: object, parts: Record<string, string> = {}): void {
  const folder = join(places.state, 'plugins', name);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeFileSync(join(folder, 'plugin.json'), manifest(name, { entry: 'index.mjs', ...changes }));
  writeFileSync(join(folder, 'index.mjs'), code(name, parts));
}

t.test(
  'without a daemon: looked at, switched and set all the same; none is started for it, none of their code runs',
  async t => {
    const s = shell(t);
    dropIn(s, 'mine', { settings: SETTINGS }, { start: `async start() { process.exit(9) }` });
    const list = await s.ginnel(['plugins']);
    t.equal(list.code, 0, list.err);
    t.match(
      list.out,
      /^nat-portmap +on with this box +Asks the home's router .*\nnat-portpredict +on with this box +Gets through NATs .*\nnat-stun +on with this box +Finds out by STUN .*\nrelay-tcp +on .*\nwebrtc +(?:on|off).*\nmine +off +third-party +Stands in a test\./,
    );
    const on = await s.ginnel(['plugins', 'enable', 'mine']);
    t.match(on, {
      code: 0,
      out: 'mine is on, and starts with this box: ginnel up\n',
      err: /has all rights that Ginnel has/,
    });
    const set = await s.ginnel(['plugins', 'set', 'mine', 'port=8', 'fast=on', 'token=-', '--json'], {
      input: 'hunter2\n',
    });
    t.match(JSON.parse(set.out), {
      state: 'waiting',
      settings: { port: 8, fast: true },
      secrets: { token: true },
    });
    t.notMatch(set.out, /hunter2/);
    t.match(await s.ginnel(['plugins', 'retry', 'mine']), { code: 1, err: /\(PLUGIN_AT_REST\)/ });
    t.match(await s.ginnel(['plugins', 'disable', 'nat-stun']), { code: 0, out: 'nat-stun is off.\n' });
    t.match(await s.ginnel(['plugins', 'disable', 'nobody', '--json']), { code: 1, err: /"PLUGIN_UNKNOWN"/ });
    t.equal(await s.health(), null, 'no daemon was started');
    t.notOk(existsSync(s.places.controlSocket));
  },
);

t.test(
  'with the daemon: at once, and told before where it restarts the plugin; kept for the next one',
  async t => {
    const s = shell(t);
    await s.ginnel(['up'], { input: 'ginnel:good' });
    dropIn(s, 'live', { settings: SETTINGS });
    t.match((await s.ginnel(['plugins', '--json'])).out, /"name": "live"/, 'dropped in, it is seen at once');
    t.match(await s.ginnel(['plugins', 'enable', 'live']), { code: 0, out: 'live is on.\n' });
    const set = await s.ginnel(['plugins', 'set', 'live', 'port=9']);
    t.match(set, {
      code: 0,
      out: /^port is 9, fast is off, token is not set\nlive is on\.\n$/,
      err: /^port: live is stopped and started/,
    });
    const shown = await s.ginnel(['plugins', 'show', 'live']);
    t.match(shown.out, /^live 1\.0\.0 \(third-party, put there by the owner\): on\nStands in a test\./);
    t.match(shown.out, /port +9 +a whole number from 1 to 65535; restarts the plugin\n/);
    t.match(shown.out, /token +\(secret, not set\) +text of up to 64 characters/);
    t.match((await s.ginnel(['plugins', 'set', 'live', '--unset', 'port'])).out, /^port is 7,/);
    t.match(await s.ginnel(['plugins', 'disable', 'live']), { code: 0, out: 'live is off.\n' });
  },
);

t.test(
  'secrets never stand in the arguments; what is not understood is told with what is wanted',
  async t => {
    const s = shell(t);
    dropIn(s, 'strict', { settings: SETTINGS });
    t.match(await s.ginnel(['plugins', 'set', 'strict', 'token=hunter2']), {
      code: 2,
      err: /\(SECRET_IN_ARGV\)/,
    });
    t.match(await s.ginnel(['plugins', 'set', 'strict', 'token=@/nonexistent']), {
      code: 1,
      err: /\(VALUE_FILE\)/,
    });
    t.match(await s.ginnel(['plugins', 'set', 'strict', 'port']), { code: 2, err: /KEY=VALUE/ });
    const wrong = await s.ginnel(['plugins', 'set', 'strict', 'port=many', '--json']);
    t.match(JSON.parse(wrong.err), { error: { code: 'PLUGIN_SETTINGS', details: { fields: ['port'] } } });
    t.equal(wrong.code, 1);
    const file = join(s.places.state, 'token');
    writeFileSync(file, 'hunter2\n');
    t.match((await s.ginnel(['plugins', 'set', 'strict', `token=@${file}`])).out, /token is set/);
  },
);

const ROUGH = {
  start: `async start() {
    say('start');
    Promise.reject(new Error('nobody listens'));
    setTimeout(() => { throw new Error('in a timer of its own') }, 20);
    queueMicrotask(() => { throw new Error('in a microtask') });
  }`,
};

t.test(
  'a plugin whose promises and timers fail with nobody listening: the daemon lives, and says so',
  async t => {
    const s = shell(t);
    dropIn(s, 'rough', {}, ROUGH);
    await s.ginnel(['up'], { input: 'ginnel:good' });
    const pid = (await s.health())?.pid;
    await s.ginnel(['plugins', 'enable', 'rough']);
    const stateOf = async (): Promise<string> => {
      const { state, code } = await s.client.get<{ state: string; code: string }>('/v1/node/plugins/rough');
      return `${state} ${code}`;
    };
    await s.until('it is said', async () => (await stateOf()) === 'failed PLUGIN_CRASHED');
    t.match(await s.ginnel(['plugins', 'retry', 'rough', '--json']), { out: /"name": "rough"/ });
    await new Promise(resolve => setTimeout(resolve, 300));
    t.equal((await s.health())?.pid, pid, 'the same process');
    const list = await s.ginnel(['plugins']);
    t.match(list.out, /rough +failed +third-party/);
    t.match(
      list.out,
      /^! The plugin rough failed while it ran, and was stopped\. It said: .*\(PLUGIN_CRASHED\)$/m,
    );
  },
);

t.test(
  'a plugin that ends the process: switched off while Ginnel is down, the box comes up again',
  async t => {
    const s = shell(t);
    dropIn(s, 'ends', {}, { start: `async start() { process.exit(9) }` });
    await s.ginnel(['plugins', 'enable', 'ends']);
    t.not((await s.ginnel(['up'], { input: 'ginnel:good' })).code, 0);
    t.equal((await s.ginnel(['plugins', 'disable', 'ends'])).code, 0);
    const up = await s.ginnel(['up'], { input: 'ginnel:good' });
    t.equal(up.code, 0, up.err);
  },
);

t.test('plugins list is plugins, in words and in JSON', async t => {
  const s = shell(t);
  const list = await s.ginnel(['plugins', 'list']);
  t.match(list, { code: 0, out: /^nat-/ });
  t.equal(list.out, (await s.ginnel(['plugins'])).out);
  t.match(JSON.parse((await s.ginnel(['plugins', 'list', '--json'])).out), { plugins: Array });
});
