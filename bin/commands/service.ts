// `ginnel service`: whether Ginnel runs as a service of this box, and making it one.
import type { Command } from 'commander';
import { openLibc } from '../../system/libc.ts';
import type { Health } from '../../web/api.ts';
import { EXIT } from '../exit-codes.ts';
import { serviceState, installService, removeService, type ServiceState } from '../service/systemd.ts';
import { unitText } from '../service/unit.ts';
import { withJson, type Kit } from './command.ts';

const END_MS = 20_000;
const LOOK_EVERY_MS = 50;

export function serviceCommands(program: Command, kit: () => Kit, exit: (code: number) => void): void {
  const service = program.command('service').summary('run Ginnel as a service that starts at boot (systemd)');
  withJson(service.command('status', { isDefault: true }))
    .summary('is it installed, does it run, does it start at boot')
    .action((flags: { json?: boolean }) => {
      const tools = kit();
      const state = serviceState(unitOf(tools));
      tools.show(flags.json === true, state, () => stateInWords(state));
      exit(state.running ? EXIT.ok : EXIT.failed);
    });
  withJson(service.command('install'))
    .summary('write the unit, start it, and start it at boot; changes nothing where all is so')
    .action(async (flags: { json?: boolean }) => {
      const tools = kit();
      const text = unitOf(tools);
      const done = await installService(text, () => endDaemon(tools));
      tools.show(flags.json === true, { done, ...serviceState(text) }, () =>
        wordsOf(done, 'It is installed as it should be.'),
      );
    });
  withJson(service.command('remove'))
    .summary('stop it and remove the unit; what Ginnel knows is kept')
    .action((flags: { json?: boolean }) => {
      const tools = kit();
      const done = removeService();
      tools.show(flags.json === true, { done, ...serviceState(unitOf(tools)) }, () =>
        wordsOf(done, 'It is not installed.', `Kept: ${tools.places.state}`),
      );
    });
}

const wordsOf = (done: readonly string[], nothing: string, last?: string): string =>
  [...(done.length === 0 ? [nothing] : done), ...(last === undefined ? [] : [last])].join('\n');

function unitOf({ around }: Kit): string {
  const [node, script = ''] = around.daemonCommand;
  const state = around.environment['GINNEL_STATE'] ?? '';
  return unitText({ node, script, state: state === '' ? null : state, canNotify: hasLibc() });
}

function hasLibc(): boolean {
  try {
    openLibc();
    return true;
  } catch {
    return false;
  }
}

function stateInWords({ systemd, unit, installed, current, atBoot, running }: ServiceState): string {
  if (!systemd)
    return 'systemd does not run on this box. Let whatever starts programs here run `ginnel run` as root.';
  if (!installed) return 'Ginnel is no service on this box. Make it one with: sudo ginnel service install';
  return [
    `Unit:            ${unit}${current ? '' : ' (of another install, or changed; renew it with: sudo ginnel service install)'}`,
    `Runs:            ${running ? 'yes' : 'no'}`,
    `Starts at boot:  ${atBoot ? 'yes' : 'no'}`,
  ].join('\n');
}

/** Ends a daemon that was started for a command, so that systemd's can take the state folder; false: none ran. */
async function endDaemon({ client }: Kit): Promise<boolean> {
  const health = await client.get<Health>('/v1/health').catch(() => null);
  if (health === null) return false;
  process.kill(health.pid, 'SIGTERM');
  for (let waited = 0; waited < END_MS; waited += LOOK_EVERY_MS) {
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));
    try {
      process.kill(health.pid, 0);
    } catch {
      return true;
    }
  }
  return true;
}
