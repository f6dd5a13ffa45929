// What this box can do beyond the plain: a card for each plugin, with a switch that works at once.
import type { JSX } from 'preact';
import type { Live, Plugin } from '../pure/wire.ts';
import { hashOf } from '../pure/route.ts';
import { useAction, useLoad } from '../state/action.ts';
import { announce } from '../state/announce.ts';
import { get, post } from '../state/api.ts';
import { pluginPurpose } from '../state/box-fields.ts';
import { useWords } from '../state/language.ts';
import { Badge, Problem, Shown } from '../parts/basics.tsx';
import { Switch } from '../parts/field.tsx';
import { memoryWords, PluginStateWords, PluginTrouble } from '../parts/plugin-state.tsx';
import { Title } from '../parts/title.tsx';

export function Plugins({ now }: { readonly now: Live }): JSX.Element {
  const { t } = useWords();
  // The folders are looked at when one comes here; what happens then, the live stream tells.
  const loaded = useLoad(() => get<{ readonly plugins: readonly Plugin[] }>('/v1/node/plugins'));
  const live = new Map(now.node?.plugins.map(plugin => [plugin.name, plugin]));
  return (
    <>
      <Title>{t('plugins')}</Title>
      <p class="lead">{t('plugins.what')}</p>
      <Shown loaded={loaded}>
        {({ plugins }) => (
          <div class="cards">
            {plugins.map(plugin => (
              <PluginCard
                key={plugin.name}
                plugin={live.get(plugin.name) ?? plugin}
                onTurned={loaded.reload}
              />
            ))}
          </div>
        )}
      </Shown>
    </>
  );
}

function PluginCard({
  plugin,
  onTurned,
}: {
  readonly plugin: Plugin;
  readonly onTurned: () => void;
}): JSX.Element {
  const words = useWords();
  const { t, box } = words;
  const memory = memoryWords(plugin, words);
  const action = useAction();
  const turn = (on: boolean): void =>
    void action
      .run(() => post(`/v1/node/plugins/${encodeURIComponent(plugin.name)}/${on ? 'enable' : 'disable'}`))
      .then(isDone => {
        if (isDone) announce(t(on ? 'plugins.turnedOn' : 'plugins.turnedOff', { name: plugin.name }));
        onTurned();
      });
  return (
    <section class="card plugin" aria-label={plugin.name}>
      <div class="card-head">
        <h2>
          <a href={hashOf('plugins', plugin.name)}>{plugin.name}</a>
        </h2>
        <Switch
          label={t('plugins.switch', { name: plugin.name })}
          on={plugin.enabled}
          busy={action.busy}
          onChange={turn}
          bare
        />
      </div>
      <p>{pluginPurpose(box, plugin) ?? plugin.purpose}</p>
      <PluginTrouble plugin={plugin} />
      <Problem problem={action.problem} />
      <div class="plugin-foot">
        {memory !== '' && <p class="hint">{t('told.memory.card', { memory })}</p>}
        <div class="row">
          <PluginStateWords plugin={plugin} />
          <Badge>{plugin.version}</Badge>
          {plugin.thirdParty && <Badge tone="fair">{t('plugins.thirdParty')}</Badge>}
          <a class="push" href={hashOf('plugins', plugin.name)}>
            {t('plugins.settings')}
            <span class="offscreen"> {plugin.name}</span>
          </a>
        </div>
      </div>
    </section>
  );
}
