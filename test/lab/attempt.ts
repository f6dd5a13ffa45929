// What a person tries with the command in a lab, in a state folder of its own, with rights, clock or invite as they
// should not be.
import { decodeInvite, encodeInvite } from '../../protocol/location/invite.ts';
import type { Invite } from '../../protocol/location/invite.ts';
import { GINNEL } from './ginnel.ts';
import type { ExecResult, Place } from './place.ts';
import { LAB_FOLDER } from './wrapper.ts';

const COMMAND_MS = 40_000;
/** What a test runner loads into all it spawns is none of a person's command; it sets this behind our back. */
const nodeOptions = (options = ''): string => `export NODE_OPTIONS='${options}';`;

export interface Attempt {
  readonly folder: string;
  readonly args?: readonly string[];
  readonly invite?: string;
  /** A command that runs the rest of its line. */
  readonly before?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** `ginnel up` as a person runs it, in a state folder of its own. */
export function up(place: Place, attempt: Attempt, more: readonly string[] = []): Promise<ExecResult> {
  const { folder, args = [], before = '', env = {}, invite = '' } = attempt;
  const line = [
    nodeOptions(env['NODE_OPTIONS']),
    before,
    `'${process.execPath}' '${GINNEL}' up --name ${folder}`,
    ...args,
    ...more,
  ].join(' ');
  const all = { GINNEL_STATE: `${LAB_FOLDER}/${folder}`, ...env };
  return place.exec(line, { env: all, input: `${invite}\n`, mayFail: true, timeoutMs: COMMAND_MS });
}

export function asked(place: Place, folder: string, args: readonly string[]): Promise<ExecResult> {
  const env = { GINNEL_STATE: `${LAB_FOLDER}/${folder}` };
  return place.exec(`${nodeOptions()} '${process.execPath}' '${GINNEL}' ${args.join(' ')}`, {
    env,
    mayFail: true,
  });
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // No such process.
    return false;
  }
}

/** The same invite with a part of it made another. */
export function altered(invite: string, change: (parts: Invite) => Partial<Invite>): string {
  const parts = decodeInvite(invite);
  if (!parts.ok) throw new TypeError(parts.code);
  return encodeInvite({ ...parts.value, ...change(parts.value) });
}

/** In a Node process, before anything else. */
export function preload(code: string): string {
  return `--import=data:text/javascript,${encodeURIComponent(code)}`;
}
