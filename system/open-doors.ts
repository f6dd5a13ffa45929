// Which doors a box uses: koffi's where it works, else the slower ones where they are installed.
import { GinnelError } from '../base/errors.ts';
import { openDoors, type DoorOptions } from './doors-linux.ts';
import type { DoorKind, Doors, Slowness } from './doors.ts';
import { systemErrors } from './errors.ts';
import { TUNTAP_FOLDER } from './tuntap/addon.ts';
import { openSlowerDoors } from './tuntap/doors.ts';

/** What is opened; handed in by tests. */
export interface DoorMakers {
  readonly koffi: (options: DoorOptions) => Doors;
  readonly tuntap: (slowness: Slowness, options: DoorOptions) => Doors;
}

const MAKERS: DoorMakers = { koffi: openDoors, tuntap: openSlowerDoors };

const ASKED_FOR: Slowness = {
  because: 'GINNEL_DOOR asks for it',
  todo: 'Start Ginnel without GINNEL_DOOR, and it takes the faster one.',
};
const NO_KOFFI: Slowness = {
  because: `koffi has no binary that works here (${process.platform} ${process.arch})`,
  todo: 'A newer koffi may have one: npm update koffi --include=optional.',
};

/**
 * `wanted`: what GINNEL_DOOR says; absent or empty: the fastest that works. Throws NO_DOOR, or where one was asked for
 * KOFFI_UNAVAILABLE or TUNTAP_MISSING; DOOR_UNKNOWN.
 */
export function openBestDoors(wanted = '', options: DoorOptions = {}, makers: DoorMakers = MAKERS): Doors {
  const wish = wishOf(wanted);
  if (wish === 'tuntap') return makers.tuntap(ASKED_FOR, options);
  try {
    return makers.koffi(options);
  } catch (error) {
    if (wish === 'koffi' || !isCode(error, 'KOFFI_UNAVAILABLE')) throw error;
    options.log?.warn('koffi does not work here', { reason: reasonOf(error) });
    return openSlower(options, makers);
  }
}

function wishOf(wanted: string): DoorKind | null {
  if (wanted === '') return null;
  if (wanted === 'koffi' || wanted === 'tuntap') return wanted;
  throw systemErrors('DOOR_UNKNOWN', { door: wanted });
}

function openSlower(options: DoorOptions, makers: DoorMakers): Doors {
  try {
    return makers.tuntap(NO_KOFFI, options);
  } catch (error) {
    if (!isCode(error, 'TUNTAP_MISSING')) throw error;
    const platform = `${process.platform} ${process.arch}`;
    throw systemErrors('NO_DOOR', { platform, folder: TUNTAP_FOLDER }, error);
  }
}

const isCode = (error: unknown, code: string): error is GinnelError =>
  error instanceof GinnelError && error.code === code;

const reasonOf = ({ cause, message }: GinnelError): string =>
  cause instanceof Error ? cause.message : message;
