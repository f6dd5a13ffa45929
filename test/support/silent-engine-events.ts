// For engines whose news nobody asks for.
import type { EngineEvents } from '../../core/dataplane/engine.ts';

export const silentEngineEvents: EngineEvents = {
  heard() {},
  needsPath() {},
  needsRoute() {},
  sessionChanged() {},
  unknownPeer() {},
  told() {},
  notMine() {},
};
