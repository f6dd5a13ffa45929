// Everything that can be set, by its owner.
import type { JSX } from 'preact';
import type { Live } from '../pure/wire.ts';
import { useWords } from '../state/language.ts';
import { OwnerSettings } from '../parts/owner-settings.tsx';

export function AllSettings({ now }: { readonly now: Live }): JSX.Element {
  const { t } = useWords();
  const { node, server } = now.health.roles;
  return (
    <>
      {node !== 'absent' && <OwnerSettings title={t('settings.node')} owner="node" />}
      {server !== 'absent' && <OwnerSettings title={t('settings.server')} owner="server" />}
      <OwnerSettings title={t('settings.daemon')} owner="daemon" />
    </>
  );
}
