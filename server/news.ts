// What everyone who is connected hears when the owner of the network changed something: who is out or back, and rules.
import { CHANNEL_CLOSE } from '../protocol/location/channel.ts';
import type { ServerMessage, Standing } from '../protocol/location/messages.ts';
import { serverErrors } from './errors.ts';
import type { Presence } from './presence.ts';
import { isMember } from './registry-entries.ts';
import type { Registry } from './registry.ts';
import type { Relays } from './relays/relays.ts';
import type { Session } from './session.ts';
import type { Waiting } from './waiting.ts';

export interface Newsroom {
  readonly registry: Registry;
  readonly presence: Presence<Session>;
  readonly waiting: Waiting<Session>;
  readonly relays: Pick<Relays, 'forget'>;
}

/** The others first: by the time the node itself hears of it, nobody listens to it any more. */
export function tellStanding({ registry, presence, waiting, relays }: Newsroom, standing: Standing): void {
  const { id, state } = standing;
  const own = presence.session(id);
  for (const session of presence.sessions.values())
    if (session !== own) session.send({ type: 'standing', standing });
  const entry = registry.nodes.get(id);
  if (entry !== undefined && isMember(entry)) {
    own?.send({ type: 'standing', standing });
    waiting.end(id);
    return;
  }
  if (entry === undefined) {
    presence.forget(id);
    relays.forget(id);
    waiting.end(id);
  }
  own?.end(CHANNEL_CLOSE.refused, serverErrors(state === 'removed' ? 'NODE_REMOVED' : 'NODE_DISABLED'));
}

export function tellAll({ presence }: Pick<Newsroom, 'presence'>, message: ServerMessage): void {
  for (const session of presence.sessions.values()) session.send(message);
}
