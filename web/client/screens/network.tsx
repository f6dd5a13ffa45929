// The network that this box runs, for whoever runs it: in parts, each with an address.
import type { JSX } from 'preact';
import { hashOf, SECTIONS, type Section } from '../pure/route.ts';
import type { Live } from '../pure/wire.ts';
import { useAction } from '../state/action.ts';
import { post } from '../state/api.ts';
import { useWords } from '../state/language.ts';
import { Button, Problem, State } from '../parts/basics.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { Title } from '../parts/title.tsx';
import { Audit } from './network-audit.tsx';
import { Invites } from './network-invites.tsx';
import { LogIns } from './network-log-ins.tsx';
import { Nodes } from './network-nodes.tsx';
import { RelayScreen } from './network-relays.tsx';
import { Rules } from './network-rules.tsx';
import { NetworkState } from './network-state.tsx';

export function NetworkScreen({
  section,
  now,
}: {
  readonly section: Section;
  readonly now: Live;
}): JSX.Element {
  const { t } = useWords();
  const { server } = now;
  if (server === null) return <Title>{t('network.none')}</Title>;
  const tabs = SECTIONS.map(id => ({ id, label: t(`network.${id}`), href: hashOf('network', id) }));
  return (
    <>
      <Title>
        <State tone={server.state === 'up' ? 'good' : 'quiet'}>
          {t(server.state === 'up' ? 'network.up' : 'network.down', { name: server.networkName })}
        </State>
      </Title>
      <p class="lead">
        {t('network.counts', { count: server.nodeCount, online: server.onlineCount })} · {server.pool4}
      </p>
      {server.state === 'down' ? (
        <BringUp />
      ) : (
        <>
          <Tabs label={t('network')} tabs={tabs} here={section} />
          <Part section={section} now={now} />
        </>
      )}
    </>
  );
}

function Part({ section, now }: { readonly section: Section; readonly now: Live }): JSX.Element {
  const { server } = now;
  switch (section) {
    case 'invites':
      return <Invites address={server?.networkAddress ?? ''} />;
    case 'log-ins':
      return <LogIns />;
    case 'relays':
      return <RelayScreen />;
    case 'rules':
      return <Rules />;
    case 'audit':
      return <Audit />;
    case 'state':
      return <NetworkState now={now} />;
    default:
      return <Nodes selfId={now.node?.id ?? ''} counts={`${server?.nodeCount} ${server?.onlineCount}`} />;
  }
}

function BringUp(): JSX.Element {
  const { t } = useWords();
  const action = useAction();
  return (
    <div class="stack-tight">
      <div>
        <Button
          kind="primary"
          busy={action.busy}
          onClick={() => void action.run(() => post('/v1/server/up'))}
        >
          {t('network.start')}
        </Button>
      </div>
      <Problem problem={action.problem} />
    </div>
  );
}
