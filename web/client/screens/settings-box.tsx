// What a household sets: the name, whether the box is on the network, and what it does for others.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { fieldsOfPlugin, type Change } from '../pure/form.ts';
import type { Live, NodeStatus, PluginDetail } from '../pure/wire.ts';
import { useAction, useLoad } from '../state/action.ts';
import { get, post } from '../state/api.ts';
import { pluginFields } from '../state/box-fields.ts';
import { useWords } from '../state/language.ts';
import { Button, Card, Problem, Shown } from '../parts/basics.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { OwnerSettings } from '../parts/owner-settings.tsx';
import { Sentence } from '../parts/sentence.tsx';
import { SettingsForm } from '../parts/settings-form.tsx';

const RELAY = 'relay-tcp';

export function BoxSettings({ now: { node } }: { readonly now: Live }): JSX.Element {
  const { t } = useWords();
  if (node === null) return <p class="lead">{t('box.noNode')}</p>;
  return (
    <div class="halves">
      <div class="stack">
        <OwnerSettings title={t('peers.name')} owner="node" keys={['name']} />
        {node.network !== '' && <UpAndDown node={node} />}
      </div>
      <Relay />
    </div>
  );
}

function UpAndDown({ node }: { readonly node: NodeStatus }): JSX.Element {
  const { t } = useWords();
  const action = useAction();
  const [isAsking, setAsking] = useState(false);
  const isDown = node.state === 'down';
  const down = (): void =>
    void action
      .run(() => post('/v1/node/down'))
      .then(isDone => {
        if (isDone) setAsking(false);
      });
  return (
    <Card title={t('settings.network')}>
      <p>
        <Sentence node={node} />
      </p>
      <div class="row">
        {isDown ? (
          <Button
            kind="primary"
            busy={action.busy}
            onClick={() => void action.run(() => post('/v1/node/up'))}
          >
            {t('box.bringUp')}
          </Button>
        ) : (
          <Button onClick={() => setAsking(true)}>{t('box.takeDown')}</Button>
        )}
      </div>
      {!isAsking && <Problem problem={action.problem} />}
      {isAsking && (
        <Confirm
          title={t('box.takeDown')}
          words={t('box.takeDownWords')}
          doIt={t('box.takeDown')}
          action={action}
          onDo={down}
          onClose={() => setAsking(false)}
        />
      )}
    </Card>
  );
}

/** The relay plugin's settings, where a household looks for them. */
function Relay(): JSX.Element {
  const { t, box } = useWords();
  const path = `/v1/node/plugins/${RELAY}`;
  const loaded = useLoad(() => get<PluginDetail>(path), RELAY);
  const save = async (change: Change): Promise<void> =>
    loaded.set(await post<PluginDetail>(`${path}/settings`, change));
  return (
    <Card title={t('settings.relay')}>
      <p class="hint">{t('settings.relayWords')}</p>
      <Shown loaded={loaded}>
        {detail => (
          <>
            {!detail.enabled && <p class="notice tone-fair">{t('settings.relayOff')}</p>}
            <SettingsForm
              fields={pluginFields(box, detail, fieldsOfPlugin(detail))}
              onSave={save}
              restarts="plugin"
            />
          </>
        )}
      </Shown>
    </Card>
  );
}
