// Everything that can be set, by its owner.
import type { JSX } from 'preact';
import type { Live } from '../pure/wire.ts';
import { useWords } from '../state/language.ts';
import { OwnerSettings } from '../parts/owner-settings.tsx';

export function AllSettings({ now }: { readonly now: Live }): JSX.Element {
  const { t } = useWords();
  const hasNode = now.health.roles.node !== 'absent';
  // Before there is a network here, its server has nothing that could be set.
  const hasServer = (now.server?.network ?? '') !== '';
  return (
    <>
      {hasNode && <OwnerSettings title={t('settings.node')} owner="node" />}
      {hasServer && <OwnerSettings title={t('settings.server')} owner="server" />}
      <OwnerSettings title={t('settings.daemon')} owner="daemon" />
    </>
  );
}
