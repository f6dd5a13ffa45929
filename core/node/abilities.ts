// What the data plane can do beyond one stock packet at a time: which of it is wanted, and which is in use.
import type { AbilitiesStatus, AbilityUse } from '../admin.ts';
import type { Aead, AeadName } from '../dataplane/aead.ts';
import type { DoorKind, TunOffloads, UdpDoor } from '../../system/doors.ts';

/**
 * `card`: super-packets from and to the virtual card. `cut`: the kernel cuts what is sent (UDP GSO). `coalesce`: it puts
 * together what came (UDP GRO). `fast`: the fast profile between Ginnel nodes. `aes`: AES-256-GCM in it.
 */
export const ABILITIES = ['card', 'cut', 'coalesce', 'fast', 'aes'] as const;
export type Ability = (typeof ABILITIES)[number];

/** The ciphers that the fast profile may be agreed on with; empty: not at all. */
export const fastCiphersOf = (
  { fastCiphers }: Pick<Aead, 'fastCiphers'>,
  without: ReadonlySet<Ability>,
): readonly AeadName[] => {
  if (without.has('fast')) return [];
  return without.has('aes') ? fastCiphers.filter(cipher => cipher !== 'aes-256-gcm') : fastCiphers;
};

export interface AbilitiesInUse {
  readonly without: ReadonlySet<Ability>;
  readonly door: DoorKind;
  readonly aead: Pick<Aead, 'fastCiphers'>;
  /** Null: there is no card yet. */
  readonly card: TunOffloads | null;
  readonly udp: readonly Pick<UdpDoor, 'offloads'>[];
}

export function abilitiesStatus({ without, door, aead, card, udp }: AbilitiesInUse): AbilitiesStatus {
  const lacking = door === 'koffi' ? 'no: the kernel lacks it' : 'no: this door lacks it';
  const use = (ability: Ability, has: boolean | null, lack: AbilityUse = lacking): AbilityUse => {
    if (without.has(ability)) return 'off by GINNEL_WITHOUT';
    return has === null ? 'not known yet' : has ? 'yes' : lack;
  };
  return {
    tso: use('card', card?.tcp ?? null),
    uso: use('card', card?.udp ?? null),
    gso: use(
      'cut',
      udp.every(({ offloads }) => offloads.cut),
    ),
    gro: use(
      'coalesce',
      udp.every(({ offloads }) => offloads.coalesce),
    ),
    fast: use('fast', true),
    aes: without.has('fast')
      ? 'off by GINNEL_WITHOUT'
      : use('aes', aead.fastCiphers.includes('aes-256-gcm'), 'no: it is not fast here'),
  };
}
