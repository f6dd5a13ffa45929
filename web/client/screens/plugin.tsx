// One plugin: what it is for, how it fares, what it tells, and its settings.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { fieldsOfPlugin, type Change } from '../pure/form.ts';
import { pluginFacts } from '../pure/plugin-facts.ts';
import type { Live, Plugin, PluginDetail } from '../pure/wire.ts';
import { useAction, useLoad } from '../state/action.ts';
import { get, post } from '../state/api.ts';
import { pluginFields, pluginPurpose } from '../state/box-fields.ts';
import { useWords } from '../state/language.ts';
import { Badge, Card, Facts, Problem, Shown } from '../parts/basics.tsx';
import { Switch } from '../parts/field.tsx';
import { Icon } from '../parts/icon.tsx';
import { memoryWords, PluginStateWords, PluginTrouble } from '../parts/plugin-state.tsx';
import { SettingsForm } from '../parts/settings-form.tsx';
import { Title } from '../parts/title.tsx';

export function PluginScreen({ name, now }: { readonly name: string; readonly now: Live }): JSX.Element {
  const { t } = useWords();
  const path = `/v1/node/plugins/${encodeURIComponent(name)}`;
  const loaded = useLoad(() => get<PluginDetail>(path), name);
  const live = now.node?.plugins.find(plugin => plugin.name === name);
  const back = (
    <a class="back" href="#/plugins">
      <Icon name="back" /> {t('plugins')}
    </a>
  );
  return (
    <>
      <Title back={back}>{name}</Title>
      <Shown loaded={loaded}>
        {detail => <Detail detail={detail} plugin={live ?? detail} path={path} onChanged={loaded.set} />}
      </Shown>
    </>
  );
}

interface DetailProps {
  readonly detail: PluginDetail;
  readonly plugin: Plugin;
  readonly path: string;
  readonly onChanged: (detail: PluginDetail) => void;
}

function Detail({ detail, plugin, path, onChanged }: DetailProps): JSX.Element {
  const words = useWords();
  const { t, box } = words;
  const memory = memoryWords(plugin, words);
  const { told, inner } = pluginFacts(plugin, t, words.f);
  const action = useAction();
  const [turned, setTurned] = useState<boolean | null>(null);
  const fields = pluginFields(box, detail, fieldsOfPlugin(detail));
  const turn = (on: boolean): void =>
    void action
      .run(async () => {
        setTurned(on);
        await post(`${path}/${on ? 'enable' : 'disable'}`);
        onChanged(await get<PluginDetail>(path));
      })
      .then(() => setTurned(null));
  const save = async (change: Change): Promise<void> =>
    onChanged(await post<PluginDetail>(`${path}/settings`, change));
  return (
    <>
      <p class="lead">{pluginPurpose(box, detail) ?? detail.purpose}</p>
      <div class="columns">
        <Card title={t('plugins.settings')}>
          {fields.length === 0 ? (
            <p class="hint">{t('plugins.noSettings')}</p>
          ) : (
            <SettingsForm fields={fields} onSave={save} restarts="plugin" />
          )}
        </Card>
        <Card title={t('plugins.state')}>
          <Switch
            label={t('plugins.isOn')}
            hint={t('plugins.atOnce')}
            on={turned ?? plugin.enabled}
            busy={action.busy}
            onChange={turn}
          />
          <Problem problem={action.problem} />
          <PluginTrouble plugin={plugin} />
          <Facts
            facts={[
              { name: t('plugins.state'), value: <PluginStateWords plugin={plugin} /> },
              { name: t('plugins.version'), value: plugin.version },
              ...(plugin.thirdParty
                ? [{ name: t('plugins.from'), value: <Badge tone="fair">{t('plugins.thirdParty')}</Badge> }]
                : []),
              ...(memory === '' ? [] : [{ name: t('told.memory'), value: memory }]),
              ...told,
            ]}
          />
          {inner.length > 0 &&
            (plugin.thirdParty ? (
              <Facts facts={inner} />
            ) : (
              <details>
                <summary>{t('told.more')}</summary>
                <Facts facts={inner} />
              </details>
            ))}
        </Card>
      </div>
    </>
  );
}
