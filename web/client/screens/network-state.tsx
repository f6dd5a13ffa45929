// How the location server fares: its health, how it is reached, and its counters.
import type { JSX } from 'preact';
import type { Forwarding, Live } from '../pure/wire.ts';
import { useWords, type Say } from '../state/language.ts';
import { Card, Facts, type Fact } from '../parts/basics.tsx';
import { HealthCard } from '../parts/health.tsx';

export function NetworkState({ now: { server } }: { readonly now: Live }): JSX.Element {
  const { t, f } = useWords();
  if (server === null) return <p>{t('network.none')}</p>;
  return (
    <div class="halves">
      <div class="stack">
        <HealthCard lines={server.health} />
        <Card title={t('state.reached')}>
          <Facts
            facts={[
              { name: t('state.port'), value: String(server.port) },
              { name: t('state.addresses'), value: server.addresses.join(', ') },
              {
                name: t('state.outside'),
                value:
                  server.seenFromOutside.length === 0 ? t('state.notYet') : server.seenFromOutside.join(', '),
              },
              ...(server.forwarding === null ? [] : forwardingFacts(server.forwarding, t)),
            ]}
          />
        </Card>
      </div>
      <Card title={t('state.counters')}>
        <Facts
          facts={Object.entries(server.counters)
            .sort(([a], [b]) => a.localeCompare(b))
            .map(([name, value]) => ({ name, value: <span class="figure">{f.number(value)}</span> }))}
        />
      </Card>
    </div>
  );
}

function forwardingFacts({ to, tcp, udp, reachedAs, mapped }: Forwarding, t: Say): readonly Fact[] {
  return [
    {
      name: t('state.forward'),
      value: t('state.forwardWords', { to, tcp: tcp.join(', '), udp: udp.join(', ') }),
    },
    { name: t('state.reachedAs'), value: reachedAs ?? t('state.notYet') },
    ...(mapped === null
      ? []
      : [{ name: t('state.mapped'), value: mapped.length === 0 ? t('none') : mapped.join(', ') }]),
  ];
}
