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
      {node !== 'absent' && <OwnerSettings title={t('settings.node')} path="/v1/node/settings" />}
      {server !== 'absent' && <OwnerSettings title={t('settings.server')} path="/v1/server/settings" />}
      <OwnerSettings title={t('settings.daemon')} path="/v1/settings" />
    </>
  );
}
