// `ginnel logs`, `bugreport`, `metrics`: the daemon itself, for whoever looks for what is wrong.
import { writeFile } from 'node:fs/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { LogLine, LogsAsked, MetricsShown } from '../../web/daemon-admin.ts';
import { commandErrors } from '../errors.ts';
import { logLine, metricsScreen, reportScreen } from '../screens/daemon.ts';
import { count } from './arguments.ts';
import { withJson, type Kit } from './command.ts';

interface LogFlags {
  readonly follow?: boolean;
  readonly level: LogsAsked['level'];
  readonly lines: number;
  readonly part: string;
  readonly json?: boolean;
}

export function daemonCommands(program: Command, kit: () => Kit): void {
  withJson(program.command('logs'))
    .summary('what Ginnel wrote lately; --follow goes on')
    .option('-f, --follow', 'go on with what comes, until Ctrl-C')
    .addOption(
      new Option('--level <level>', 'the least that is shown')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('debug', 'all that is kept'),
    )
    .option('-n, --lines <number>', 'the last so many', count, 100)
    .option('--part <part>', 'of this part only: node.paths, server', part, '')
    .action((flags: LogFlags) => logs(kit(), flags));
  withJson(program.command('bugreport [file]'))
    .summary('write a report on this box, without secrets, for whoever helps')
    .description(
      'Writes one JSON file: version, machine, status, health, figures, settings and the last log lines.\nNo keys, invites, tokens or passwords are in it. - is standard output.',
    )
    .option('--mask', "make other boxes' names and all addresses unrecognisable")
    .action((file: string | undefined, flags: { mask?: boolean; json?: boolean }) =>
      bugReport(kit(), file ?? `ginnel-report-${Date.now()}.json`, flags),
    );
  withJson(program.command('metrics'))
    .summary('where figures are served for Prometheus (off by default)')
    .option('--token', 'show the token that opens them')
    .action(async (flags: { token?: boolean; json?: boolean }) => {
      const tools = kit();
      const { token, ...shown } = await tools.client.post<MetricsShown>('/v1/metrics', {});
      const whole = flags.token === true ? { ...shown, token } : shown;
      tools.show(flags.json === true, whole, () => (flags.token === true ? token : metricsScreen(shown)));
    });
}

async function logs(kit: Kit, { follow = false, level, lines, part: of, json }: LogFlags): Promise<void> {
  const asked = { level, lines, part: of, follow };
  for await (const line of kit.client.stream<LogLine>('/v1/logs', asked, kit.around.interrupted))
    kit.around.out(`${json === true ? JSON.stringify(line) : logLine(line, kit.colours)}\n`);
}

async function bugReport(kit: Kit, file: string, flags: { mask?: boolean; json?: boolean }): Promise<void> {
  const mask = flags.mask === true;
  const report = await kit.client.post<object>('/v1/bugreport', { mask });
  const text = `${JSON.stringify(report, null, 2)}\n`;
  if (file === '-') {
    kit.around.out(text);
    return;
  }
  try {
    await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw commandErrors('REPORT_FILE', { file, problem }, cause);
  }
  const shown = { file, bytes: Buffer.byteLength(text), masked: mask, parts: Object.keys(report) };
  kit.show(flags.json === true, shown, () => reportScreen(shown));
}

function part(text: string): string {
  if (!/^[a-z0-9.-]{0,64}$/.test(text))
    throw new InvalidArgumentError('A part such as node.paths or server.');
  return text;
}
