// Installs and removes the unit, through systemctl; each step says what it did, and doing it again changes nothing.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandErrors } from '../errors.ts';
import { UNIT } from './unit.ts';

/** systemd runs here (man 3 sd_booted). */
const BOOTED = '/run/systemd/system';
const FOLDER = '/etc/systemd/system';

export interface ServiceState {
  /** Does systemd run on this box? */
  readonly systemd: boolean;
  readonly unit: string;
  readonly installed: boolean;
  /** Is it the unit that this install would write? */
  readonly current: boolean;
  readonly atBoot: boolean;
  readonly running: boolean;
}

export const unitPath = (): string => join(FOLDER, UNIT);

export function serviceState(text: string): ServiceState {
  const unit = unitPath();
  const systemd = existsSync(BOOTED);
  const installed = existsSync(unit);
  return {
    ...{ systemd, unit, installed },
    current: installed && readFileSync(unit, 'utf8') === text,
    atBoot: systemd && installed && says('is-enabled') === 'enabled',
    running: systemd && installed && says('is-active') === 'active',
  };
}

/** Errors: SERVICE_NO_SYSTEMD, SERVICE_FAILED. `endOther` ends a daemon that was started otherwise. */
export async function installService(
  text: string,
  endOther: () => Promise<boolean>,
): Promise<readonly string[]> {
  needSystemd();
  const before = serviceState(text);
  const done: string[] = [];
  if (!before.current) {
    write(text);
    systemctl('daemon-reload');
    done.push(`${before.installed ? 'Renewed' : 'Written'}: ${before.unit}`);
  }
  if (!before.atBoot) {
    systemctl('enable', UNIT);
    done.push('It starts at boot.');
  }
  if (!before.running && (await endOther())) done.push('The Ginnel that ran in the background has ended.');
  if (!before.running || !before.current) {
    systemctl(before.running ? 'restart' : 'start', UNIT);
    done.push(before.running ? 'Restarted with the new unit.' : 'Started.');
  }
  return done;
}

export function removeService(): readonly string[] {
  needSystemd();
  if (!existsSync(unitPath())) return [];
  systemctl('disable', '--now', UNIT);
  rmSync(unitPath(), { force: true });
  systemctl('daemon-reload');
  return ['Stopped.', 'It starts at boot no more.', `Removed: ${unitPath()}`];
}

/** Is this box's daemon systemd's to start? */
export const isService = (): boolean => existsSync(BOOTED) && existsSync(unitPath());

/** Errors: SERVICE_FAILED. */
export const startService = (): void => systemctl('start', UNIT);

function needSystemd(): void {
  if (!existsSync(BOOTED)) throw commandErrors('SERVICE_NO_SYSTEMD');
}

function write(text: string): void {
  try {
    writeFileSync(unitPath(), text, { mode: 0o644 });
  } catch (cause) {
    throw commandErrors('SERVICE_FAILED', { action: `write ${unitPath()}`, problem: wordsOf(cause) }, cause);
  }
}

function systemctl(...args: string[]): void {
  try {
    execFileSync('systemctl', args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
  } catch (cause) {
    throw commandErrors(
      'SERVICE_FAILED',
      { action: `systemctl ${args.join(' ')}`, problem: wordsOf(cause) },
      cause,
    );
  }
}

/** Its one word: `active`, `enabled`, whatever the exit code. */
function says(question: string): string {
  try {
    return execFileSync('systemctl', [question, UNIT], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch (error) {
    const { stdout } = error as { stdout?: unknown };
    return typeof stdout === 'string' ? stdout.trim() : '';
  }
}

function wordsOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: unknown; message?: string };
  const told = stderr instanceof Buffer ? stderr.toString('utf8').trim() : '';
  return told === '' ? (message ?? String(error)) : told;
}
