// The text of the systemd unit for this install: packaging/systemd/ginnel.service with its gaps filled.
import { readFileSync } from 'node:fs';

export const UNIT = 'ginnel.service';

export interface UnitFacts {
  readonly node: string;
  readonly script: string;
  /** A state folder of its own (GINNEL_STATE); null: the usual ones. */
  readonly state: string | null;
  /** Can this machine tell systemd that it is ready? It takes koffi to do so. */
  readonly canNotify: boolean;
}

const TEMPLATE = new URL('../../../packaging/systemd/ginnel.service', import.meta.url);

export function unitText(facts: UnitFacts, template = readFileSync(TEMPLATE, 'utf8')): string {
  const gaps = gapsOf(facts);
  return template
    .replaceAll(/@([A-Z_]+)@/g, (whole, name: string) => gaps[name] ?? whole)
    .replaceAll(/\n\n\n+/g, '\n\n');
}

function gapsOf({ node, script, state, canNotify }: UnitFacts): Readonly<Record<string, string>> {
  const paths = [node, script, state ?? ''];
  return {
    TYPE: canNotify ? 'notify' : 'exec',
    NODE: quoted(node),
    SCRIPT: quoted(script),
    WATCHDOG: canNotify ? 'WatchdogSec=60' : '',
    FOLDERS: foldersOf(state),
    // An install below a home folder has to be read from there.
    PROTECT_HOME: paths.some(path => /^\/(home|root|run\/user)\//.test(path)) ? 'read-only' : 'yes',
    PRIVATE_TMP: paths.some(path => /^\/(var\/)?tmp\//.test(path)) ? 'no' : 'yes',
  };
}

const foldersOf = (state: string | null): string =>
  state === null
    ? 'StateDirectory=ginnel\nStateDirectoryMode=0700\nRuntimeDirectory=ginnel\nRuntimeDirectoryMode=0755'
    : `Environment=${quoted(`GINNEL_STATE=${state}`)}\nReadWritePaths=${quoted(state)}`;

/** As systemd reads a word: quoted, its own percent and dollar signs doubled. */
function quoted(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$');
  return /^[\w./=:@+-]+$/.test(text) ? text : `"${escaped}"`;
}
