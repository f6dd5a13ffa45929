// The real nat-portpredict, handed out as the plugin host does it, for nodes on the simulated network.
import { silentLog } from '../../../base/log.ts';
import type { Traversal } from '../../../core/contract/plugin.ts';
import { AnswerChecks } from '../../../core/plugin-host/answers.ts';
import { Blame } from '../../../core/plugin-host/blame.ts';
import { guardedStun } from '../../../core/plugin-host/doors.ts';
import { Guard } from '../../../core/plugin-host/guard.ts';
import { GuardedTraversal } from '../../../core/plugin-host/traversal.ts';
import { createPlugin } from '../../../plugins/nat-portpredict/index.ts';
import { primitives } from '../../../system/crypto.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { noHome, noLinks, noNetwork, noSignals, noStreams } from '../../support/no-streams.ts';
import type { SimNode, SimWorld } from './sim-node.ts';

/** For `home`'s `further`. `settings`: those that differ from what the plugin says itself. */
export const portPredict =
  (world: SimWorld, settings: Readonly<Record<string, unknown>> = {}) =>
  (node: SimNode): readonly Traversal[] => {
    const guard = new Guard({
      blame: new Blame(),
      scrub: text => text,
      wrong: fault => node.faults.push(`${fault.part}: ${fault.problem}`),
      crashed: (_guard, problem) => node.faults.push(problem),
    });
    const ended = new AbortController();
    const { clock, random } = world;
    const plugin = createPlugin({
      ...{ settings, clock, random, primitives, log: silentLog, signal: ended.signal },
      ...{
        store: memoryStore(),
        streams: noStreams,
        network: { ...noNetwork, tell() {} },
        home: { ...noHome, tell() {} },
        signals: noSignals,
        links: noLinks,
      },
      counters: node.counters.scope('plugins.nat-portpredict'),
      stun: guardedStun(node.paths.stun, guard).door,
    });
    void plugin.start(ended.signal);
    const around = { name: 'nat-portpredict', guard, clock, checks: new AnswerChecks(), log: silentLog };
    return [new GuardedTraversal(plugin, around)];
  };
