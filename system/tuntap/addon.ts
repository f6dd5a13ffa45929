// The addon of tuntap2's maintained fork: the one call that only native code can make. The package lies in a folder of its
// own (optional/tuntap), installed only where it is wanted, or anywhere node finds it from there.
//
// Of the fork no more than this is used, for what its class does beyond it (read 2026-11, version 3.0.2): the constructor
// loses the descriptor where the kernel refuses the card; its read stream waits for a packet before it lets go, so that
// `release` leaves the card standing; a card that somebody deletes is an uncaught error; names cannot be chosen.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { systemErrors } from '../errors.ts';

export interface TuntapAddon {
  /** TUNSETIFF on an open /dev/net/tun; answers the name that the kernel gave. Throws an Error whose `errno` is positive. */
  tuntapInit(fd: number, isTap: boolean): string;
  tuntapGetIfIndex(name: string): number;
}

const ADDON = '@xiaobaidadada/node-tuntap2-wintun/dist/src/ts/linux/Tuntap2Addon.js';
/** From dist/system/tuntap. */
export const TUNTAP_FOLDER = fileURLToPath(new URL('../../../optional/tuntap', import.meta.url));

/** Throws TUNTAP_MISSING. */
export function loadTuntap(folder = TUNTAP_FOLDER): TuntapAddon {
  try {
    const loaded = createRequire(`${folder}/package.json`)(ADDON) as { default?: Partial<TuntapAddon> };
    const { tuntapInit, tuntapGetIfIndex } = loaded.default ?? {};
    if (typeof tuntapInit !== 'function' || typeof tuntapGetIfIndex !== 'function')
      throw new TypeError('it is another version of the package');
    return { tuntapInit, tuntapGetIfIndex };
  } catch (cause) {
    throw systemErrors('TUNTAP_MISSING', { folder }, cause);
  }
}
