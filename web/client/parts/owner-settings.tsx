// The settings of one owner (node, location server, daemon), or some of them, as a form of their own.
import type { JSX } from 'preact';
import type { SettingsOwner } from '../pure/box-words.ts';
import { fieldsOfSettings, type Change } from '../pure/form.ts';
import type { Setting } from '../pure/wire.ts';
import { useAction, useLoad } from '../state/action.ts';
import { announce } from '../state/announce.ts';
import { get, post } from '../state/api.ts';
import { boxFields } from '../state/box-fields.ts';
import { useWords } from '../state/language.ts';
import { Button, Card, Problem, Shown } from './basics.tsx';
import { SettingsForm } from './settings-form.tsx';

interface Answer {
  readonly settings: readonly Setting[];
}

export interface OwnerSettingsProps {
  readonly title: string;
  readonly owner: SettingsOwner;
  /** Only these; left out: all. */
  readonly keys?: readonly string[];
}

export function OwnerSettings({ title, owner, keys }: OwnerSettingsProps): JSX.Element {
  const { box } = useWords();
  const path = owner === 'daemon' ? '/v1/settings' : `/v1/${owner}/settings`;
  const loaded = useLoad(() => get<Answer>(path), path);
  const save = async (change: Change): Promise<void> => loaded.set(await post<Answer>(path, change));
  return (
    <Card title={title}>
      <Shown loaded={loaded}>
        {({ settings }) => (
          <>
            {settings.some(({ pending }) => pending) && <StartAnew />}
            <SettingsForm
              fields={boxFields(
                box,
                fieldsOfSettings(settings.filter(({ key }) => keys?.includes(key) ?? true)),
                key => box?.setting(owner, key),
              )}
              onSave={save}
              restarts="ginnel"
            />
          </>
        )}
      </Shown>
    </Card>
  );
}

/** What is set and does not hold yet. */
function StartAnew(): JSX.Element {
  const { t } = useWords();
  const action = useAction();
  const restart = async (): Promise<void> => {
    await post('/v1/restart');
    announce(t('restart.done'));
  };
  return (
    <div class="notice tone-fair">
      <div>
        <p>{t('restart.needed')}</p>
        <div class="row">
          <Button busy={action.busy} onClick={() => void action.run(restart)}>
            {t('restart.do')}
          </Button>
        </div>
        <Problem problem={action.problem} />
      </div>
    </div>
  );
}
