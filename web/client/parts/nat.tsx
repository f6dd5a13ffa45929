// What stands between this box and the world, in words a household understands, with the field's terms behind them.
import type { NatReport } from '../pure/wire.ts';
import type { Say } from '../state/language.ts';
import type { Fact } from './basics.tsx';

const BEHAVIOURS = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const;

/** Only what was found out. */
export function natFacts(nat: NatReport, t: Say): readonly Fact[] {
  const mapping = BEHAVIOURS.find(one => one === nat.mapping);
  return [
    ...(nat.nat === 'no' ? [{ name: t('nat'), value: t('nat.none') }] : []),
    ...(nat.nat === 'yes' && mapping !== undefined ? [{ name: t('nat'), value: t(`nat.${mapping}`) }] : []),
    ...(nat.udp === 'no' ? [{ name: 'UDP', value: t('nat.noUdp') }] : []),
    ...(nat.ipv6 === 'not-checked' ? [] : [{ name: t('nat.ipv6'), value: t(`nat.ipv6.${nat.ipv6}`) }]),
    ...(nat.mapped.length === 0 ? [] : [{ name: t('nat.outside'), value: nat.mapped.join(', ') }]),
  ];
}
