// The long-lived UDP sockets: one per family on one port, the same in every run, because peers and NATs remember it.
import { GinnelError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { Doors, UdpDoor } from '../../system/doors.ts';

const LOWEST = 20_000;
const HIGHEST = 60_000;
const TRIES = 20;

export interface MainSockets {
  readonly doors: readonly UdpDoor[];
  readonly port: number;
}

/** `wanted` 0: any free port. Throws PORT_TAKEN where a wanted one is somebody else's. */
export function openMainSockets(doors: Doors, random: Random, wanted: number): MainSockets {
  if (wanted !== 0) return openPair(doors, wanted);
  for (let tries = 1; ; tries++) {
    try {
      return openPair(doors, LOWEST + random.below(HIGHEST - LOWEST));
    } catch (error) {
      if (tries === TRIES || !(error instanceof GinnelError) || error.code !== 'PORT_TAKEN') throw error;
    }
  }
}

function openPair(doors: Doors, port: number): MainSockets {
  const four = doors.openUdp({ family: 4, port });
  try {
    return { doors: [four, doors.openUdp({ family: 6, port })], port };
  } catch (error) {
    if (error instanceof GinnelError && error.code !== 'PORT_TAKEN') return { doors: [four], port };
    four.close();
    throw error;
  }
}
