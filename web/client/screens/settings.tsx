// The settings of this box, in parts.
import type { JSX } from 'preact';
import { hashOf, SETTINGS_PARTS, type SettingsPart } from '../pure/route.ts';
import type { Live } from '../pure/wire.ts';
import { useWords } from '../state/language.ts';
import { Tabs } from '../parts/tabs.tsx';
import { Title } from '../parts/title.tsx';
import { AllSettings } from './settings-all.tsx';
import { BackupSettings } from './settings-backup.tsx';
import { BoxSettings } from './settings-box.tsx';
import { Logs } from './settings-logs.tsx';
import { PageSettings } from './settings-page.tsx';

export function SettingsScreen({
  part,
  now,
}: {
  readonly part: SettingsPart;
  readonly now: Live;
}): JSX.Element {
  const { t } = useWords();
  const tabs = SETTINGS_PARTS.map(id => ({ id, label: t(`settings.${id}`), href: hashOf('settings', id) }));
  return (
    <>
      <Title>{t('settings')}</Title>
      <Tabs label={t('settings')} tabs={tabs} here={part} />
      {part === 'box' && <BoxSettings now={now} />}
      {part === 'page' && <PageSettings />}
      {part === 'backup' && <BackupSettings now={now} />}
      {part === 'logs' && <Logs />}
      {part === 'all' && <AllSettings now={now} />}
    </>
  );
}
