// A home router forgets all its mappings (a full table, a power cut) amid a transfer: the path is found again by itself.
import t from 'tap';
import { snapshot } from './carried.ts';
import { Flow, now } from './flow.ts';
import { startServer } from './ginnel.ts';
import { joinAll, meet, movedSince } from './homes.ts';
import { buildLab } from './topology.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const PROMISED_MS = 5000;
const BOUND_MS = 30_000;

t.test(
  'P5, V14: bytes flow again within 5 s after a NAT forgot, still direct',
  { timeout: 110_000 },
  async t => {
    const lab = await buildLab({ homes: [{ kind: 'prcnp' }, { kind: 'prcnp' }], delayMs: 20 });
    t.teardown(() => lab.stop());
    const [a, b] = await joinAll(lab, await startServer(lab));
    if (a === undefined || b === undefined) throw new TypeError('two homes were asked for');
    t.comment(`met after ${(await meet(a, b)).toFixed(0)} ms`);
    const flow = await Flow.start(a.home.host, b.home.host, b.ip);
    t.teardown(() => flow.stop());
    t.comment(`undisturbed: longest pause ${await flow.longestPause(now(), BOUND_MS)} ms`);

    for (const [who, box] of Object.entries({ sender: a, receiver: b })) {
      const before = await snapshot(lab);
      const bytesBefore = flow.bytes;
      const portBefore = (await a.node.peer(b.node.name))?.path?.remote;
      const since = now();
      await box.home.flushNat();
      const pause = await flow.longestPause(since, BOUND_MS);
      t.comment(`the ${who}'s NAT forgot: longest pause ${pause} ms`);
      t.ok(pause < PROMISED_MS, `the ${who}'s NAT forgot: bytes flow again within 5 s`, { pause });

      const moved = await movedSince(lab, before, a.home, b.home);
      const arrived = flow.bytes - bytesBefore;
      t.ok(moved.lines > arrived, `the homes' lines carried it`, { moved, arrived });
      t.ok(moved.server < arrived / 20, `the server did not`, { moved, arrived });
      const path = (await a.node.peer(b.node.name))?.path;
      t.match(path, { class: 'direct', transport: 'udp' }, 'Ginnel says direct UDP');
      t.comment(`path before ${portBefore ?? 'none'}, now ${path?.remote ?? 'none'}`);
    }
    t.ok(flow.isWhole, 'it is the same TCP connection all along');
  },
);
