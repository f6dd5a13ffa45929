// How the location server fares: its health, how it is reached, and its counters.
import type { JSX } from 'preact';
import type { Live } from '../pure/wire.ts';
import { useWords } from '../state/language.ts';
import { Card, Facts } from '../parts/basics.tsx';
import { HealthCard } from '../parts/health.tsx';
import { Reach } from '../parts/reach.tsx';

export function NetworkState({ now: { server, node } }: { readonly now: Live }): JSX.Element {
  const { t, f } = useWords();
  if (server === null) return <p>{t('network.none')}</p>;
  return (
    <div class="halves">
      <div class="stack">
        <HealthCard lines={server.health} />
        <Card title={t('state.reached')}>
          <Reach server={server} plugins={node?.plugins ?? []} />
          <Facts
            facts={[
              { name: t('state.port'), value: String(server.port) },
              { name: t('state.addresses'), value: server.addresses.join(', ') },
              {
                name: t('state.outside'),
                value:
                  server.seenFromOutside.length === 0 ? t('state.notYet') : server.seenFromOutside.join(', '),
              },
              ...(server.forwarding === null
                ? []
                : [{ name: t('state.reachedAs'), value: server.forwarding.reachedAs ?? t('state.notYet') }]),
            ]}
          />
        </Card>
      </div>
      <Card>
        <details class="fold">
          <summary>{t('state.counters')}</summary>
          <Facts
            facts={Object.entries(server.counters)
              .sort(([a], [b]) => a.localeCompare(b))
              .map(([name, value]) => ({ name, value: <span class="figure">{f.number(value)}</span> }))}
          />
        </details>
      </Card>
    </div>
  );
}
