// The relays of the network, how they fare, and why a box has the ones it has.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { NodesShown, Relays, RelaysWhy } from '../pure/wire-server.ts';
import { useLoad } from '../state/action.ts';
import { get } from '../state/api.ts';
import { useWords, type Words } from '../state/language.ts';
import { Badge, Card, Shown, State } from '../parts/basics.tsx';
import { Choice } from '../parts/field.tsx';
import { Bar } from '../parts/ping.tsx';
import { OwnerSettings } from '../parts/owner-settings.tsx';
import { BoxPhrase } from '../parts/pieces.tsx';

export function RelayScreen(): JSX.Element {
  const { t } = useWords();
  const loaded = useLoad(() => get<Relays>('/v1/server/relays'));
  return (
    <>
      <Card title={t('relays.title')}>
        <Shown loaded={loaded}>
          {({ relays }) => (
            <>
              <p class="hint">{t('relays.what')}</p>
              <RelayLines relays={relays.filter(({ usable }) => usable)} />
              <CannotServe relays={relays.filter(({ usable }) => !usable)} />
            </>
          )}
        </Shown>
      </Card>
      <div class="halves">
        <Why />
        <OwnerSettings title={t('relays.choice')} owner="server" keys={['relay-choice']} />
      </div>
    </>
  );
}

type Relay = Relays['relays'][number];

function RelayLines({ relays }: { readonly relays: readonly Relay[] }): JSX.Element {
  const { t } = useWords();
  if (relays.length === 0) return <p class="notice tone-fair">{t('relays.none')}</p>;
  return (
    <ul class="items">
      {relays.map(relay => (
        <RelayLine key={relay.id} relay={relay} />
      ))}
    </ul>
  );
}

/** Most boxes stand behind routers that let nobody in: no trouble, and nothing to look at each day. */
function CannotServe({ relays }: { readonly relays: readonly Relay[] }): JSX.Element | null {
  const { t } = useWords();
  if (relays.length === 0) return null;
  // Who turned it off tells no bounds of what it would do.
  const isOff = ({ mostNodes }: Relay): boolean => mostNodes === 0;
  const groups = [
    { words: t('relays.noDoor'), those: relays.filter(relay => !isOff(relay)) },
    { words: t('relays.off'), those: relays.filter(isOff) },
  ];
  return (
    <details class="fold">
      <summary>{t('relays.cannot', { count: relays.length })}</summary>
      {groups.map(
        ({ words, those }) =>
          those.length > 0 && (
            <div key={words} class="stack-tight">
              <ul class="names">
                {those.map(({ id, name }) => (
                  <li key={id}>{name}</li>
                ))}
              </ul>
              <p class="hint">{words}</p>
            </div>
          ),
      )}
    </details>
  );
}

function RelayLine({ relay }: { readonly relay: Relay }): JSX.Element {
  const words = useWords();
  const { t, f } = words;
  return (
    <li>
      <div>
        <p class="strong row">
          {relay.name} {relay.region !== '' && <Badge>{relay.region}</Badge>}
        </p>
        <p class="hint">
          <State tone={relay.nodes < relay.mostNodes ? 'good' : 'fair'}>
            {t(relay.nodes < relay.mostNodes ? 'relays.usable' : 'relays.full')}
          </State>{' '}
          · {bandwidthWords(relay, words)}
          {relay.door.length > 0 && ` · ${relay.door.join(', ')}`}
        </p>
      </div>
      <div class="relay-load">
        <p class="hint row row-ends">
          <span>{t('relays.boxes', { count: relay.nodes, most: relay.mostNodes })}</span>
          {relay.load !== null && <span>{t('relays.load', { share: f.percent(relay.load) })}</span>}
        </p>
        <Bar share={relay.load ?? 0} />
      </div>
    </li>
  );
}

function bandwidthWords({ limit, spare }: Relay, { t, f }: Words): string {
  if (limit === null) return t('relays.noLimit');
  return spare === null ? f.rate(limit) : t('relays.spare', { spare: f.rate(spare), limit: f.rate(limit) });
}

function Why(): JSX.Element {
  const { t } = useWords();
  const nodes = useLoad(() => get<NodesShown>('/v1/server/nodes'));
  const [chosen, setChosen] = useState('');
  return (
    <Card title={t('relays.why')}>
      <Shown loaded={nodes}>
        {({ nodes: all }) => (
          <Choice
            label={t('relays.whyOf')}
            value={chosen}
            options={[{ value: '', label: '–' }, ...all.map(({ id, name }) => ({ value: id, label: name }))]}
            onChange={setChosen}
          />
        )}
      </Shown>
      {chosen !== '' && <WhyOf node={chosen} />}
    </Card>
  );
}

const TONES = { first: 'good', second: 'good', 'not used': 'quiet', 'not usable': 'bad' } as const;

function WhyOf({ node }: { readonly node: string }): JSX.Element {
  const { t } = useWords();
  const loaded = useLoad(() => get<RelaysWhy>(`/v1/server/relays/why/${encodeURIComponent(node)}`), node);
  return (
    <Shown loaded={loaded}>
      {({ need, ranking }) => (
        <>
          <p>
            <BoxPhrase>{need}</BoxPhrase>
          </p>
          <ol class="items">
            {ranking.map(({ id, name, use, words }) => (
              <li key={id}>
                <div>
                  <p class="strong row">
                    {name} <Badge tone={TONES[use]}>{t(`relays.use.${use}`)}</Badge>
                  </p>
                  <p class="hint">
                    <BoxPhrase>{words}</BoxPhrase>
                  </p>
                </div>
              </li>
            ))}
          </ol>
        </>
      )}
    </Shown>
  );
}
