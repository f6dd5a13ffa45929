// What every command shares: the client, `--json`, and the way to the daemon.
import type { Command } from 'commander';
import type { GinnelError } from '../../base/errors.ts';
import { clientOf, type Client } from '../client.ts';
import { ensureDaemon } from '../launch.ts';
import { placesOf, type Places } from '../places.ts';
import { isService, startService } from '../service/systemd.ts';
import type { Surroundings } from '../surroundings.ts';
import { paint, type Paint } from '../words.ts';

export interface Kit {
  readonly around: Surroundings;
  readonly places: Places;
  readonly client: Client;
  readonly colours: Paint;
  /** How wide the terminal is; infinite where there is none. */
  readonly columns: number;
  /** One JSON document with `--json`, else the words. */
  show(json: boolean, value: unknown, words: () => string): void;
  /** Starts the daemon where none answers, and says so. */
  ensureDaemon(json: boolean): Promise<void>;
}

export function kitOf(around: Surroundings): Kit {
  const places = placesOf(around.environment);
  const client = clientOf(places);
  return {
    around,
    places,
    client,
    colours: paint(isColoured(around, 'out')),
    columns: around.columns,
    show: (json, value, words) => around.out(`${json ? JSON.stringify(value, null, 2) : words()}\n`),
    async ensureDaemon(json) {
      const { environment, daemonCommand } = around;
      const service = { isOurs: () => isServiceHere(environment), start: startService };
      const came = await ensureDaemon({ places, client, command: daemonCommand, environment, service });
      if (came === 'started' && !json) around.err(`Started Ginnel in the background (log: ${places.log}).\n`);
    },
  };
}

/** On a terminal only, and not where NO_COLOR is set. */
export const isColoured = ({ isTerminal, environment }: Surroundings, stream: 'out' | 'err'): boolean =>
  isTerminal[stream] && (environment['NO_COLOR'] ?? '') === '';

export const withJson = (command: Command): Command => command.option('--json', 'answer in JSON, errors too');

export const inJson = ({ code, message, retry, details }: GinnelError): string =>
  JSON.stringify({ error: { code, message, retry, details } });

/** The unit is for the usual state folder, or names another itself: a command with a folder of its own does not mean it. */
const isServiceHere = (environment: NodeJS.ProcessEnv): boolean =>
  (environment['GINNEL_STATE'] ?? '') === '' && isService();
