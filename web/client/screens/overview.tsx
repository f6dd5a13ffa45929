// This box in one sentence, the map of the others, what is not well, and the table.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { found } from '../pure/peers.ts';
import { hashOf } from '../pure/route.ts';
import type { Live, NodeStatus, ServerLive } from '../pure/wire.ts';
import { useAction } from '../state/action.ts';
import { post } from '../state/api.ts';
import { useWords, type Words } from '../state/language.ts';
import { useIsPhone } from '../state/phone.ts';
import { Button, Card, Facts, Problem, State } from '../parts/basics.tsx';
import { Copied } from '../parts/copy.tsx';
import { HealthCard, healthOf } from '../parts/health.tsx';
import { Icon } from '../parts/icon.tsx';
import { Map } from '../parts/map.tsx';
import { natFacts } from '../parts/nat.tsx';
import { PeerTable } from '../parts/peer-table.tsx';
import { Sentence, summaryOf } from '../parts/sentence.tsx';
import { Title } from '../parts/title.tsx';

export function Overview({ now }: { readonly now: Live }): JSX.Element {
  const { t } = useWords();
  const { node } = now;
  if (node === null)
    return (
      <>
        <Title>{t('overview')}</Title>
        <Card>
          <p>{t('box.noNode')}</p>
        </Card>
        <HealthCard lines={healthOf(now)} />
      </>
    );
  if (node.state === 'down' && now.server?.state === 'up')
    return <ServerHere now={now} server={now.server} />;
  return (
    <>
      <Title>
        <Sentence node={node} />
      </Title>
      <p class="lead" role="status">
        {summaryOf(node, t)}
      </p>
      {node.state === 'down' && <BringUp />}
      <Boxes node={node} now={now} />
    </>
  );
}

/** A machine that is the network's server and no box of it. */
function ServerHere({ now, server }: { readonly now: Live; readonly server: ServerLive }): JSX.Element {
  const { t } = useWords();
  const { nodeCount: count, onlineCount: online } = server;
  return (
    <>
      <Title>
        <State tone="good">{t('box.serverHere')}</State>
      </Title>
      <p class="lead">{t('box.serverHereWords', { count, online })}</p>
      <p>
        <a href="#/network/nodes">{t('box.serverHereLink')}</a>
      </p>
      <HealthCard lines={healthOf(now)} />
    </>
  );
}

function Boxes({ node, now }: { readonly node: NodeStatus; readonly now: Live }): JSX.Element {
  const { t } = useWords();
  const [typed, setTyped] = useState('');
  const isAll = typed.trim() === '';
  const shown = found(node.peers, typed);
  const isPhone = useIsPhone();
  const health = <HealthCard lines={healthOf(now)}>{troubleOf(node, t)}</HealthCard>;
  const list = (
    <Card
      title={t('peers.title')}
      actions={node.peers.length > 1 && <Filter typed={typed} onType={setTyped} />}
    >
      {node.peers.length === 0 && <Nobody node={node} isServer={now.server?.state === 'up'} />}
      {!isAll && (
        <p class="hint" role="status">
          {t('peers.found', { count: shown.length, all: node.peers.length })}
        </p>
      )}
      {shown.length > 0 && <PeerTable peers={shown} rates={now.rates} />}
    </Card>
  );
  return (
    <>
      {isPhone && health}
      {isPhone && list}
      <div class="columns">
        <Card title={t('map.title')} actions={<Legend />}>
          <Map
            selfName={node.name}
            peers={node.peers}
            rates={now.rates}
            found={isAll ? null : new Set(shown.map(({ id }) => id))}
          />
          <p class="hint">{t('map.reading')}</p>
        </Card>
        <div class="stack">
          {!isPhone && health}
          <ThisBox node={node} />
        </div>
      </div>
      {!isPhone && list}
    </>
  );
}

/** The first box of a network, or one that was let in a moment ago. */
function Nobody({ node, isServer }: { readonly node: NodeStatus; readonly isServer: boolean }): JSX.Element {
  const { t } = useWords();
  if (node.state === 'down') return <p>{t('peers.noneDown')}</p>;
  return (
    <>
      <p>{t(isServer ? 'peers.noneHere' : 'peers.noneYet')}</p>
      {isServer && (
        <p>
          <a href={hashOf('network', 'invites')}>{t('peers.inviteOne')}</a>
        </p>
      )}
    </>
  );
}

function Filter({
  typed,
  onType,
}: {
  readonly typed: string;
  readonly onType: (typed: string) => void;
}): JSX.Element {
  const { t } = useWords();
  return (
    <label class="filter">
      <Icon name="search" />
      <span class="offscreen">{t('peers.filter')}</span>
      <input
        type="search"
        value={typed}
        placeholder={t('peers.filter')}
        onInput={event => onType(event.currentTarget.value)}
      />
    </label>
  );
}

function Legend(): JSX.Element {
  const { t } = useWords();
  return (
    <ul class="legend">
      <li class="tone-good">
        <span class="stroke" aria-hidden="true" /> {t('peer.direct')}
      </li>
      <li class="tone-fair">
        <span class="stroke stroke-dashed" aria-hidden="true" /> {t('peer.relayed')}
      </li>
      <li class="tone-quiet">
        <span class="ring" aria-hidden="true" /> {t('peer.offline')}
      </li>
    </ul>
  );
}

function ThisBox({ node }: { readonly node: NodeStatus }): JSX.Element {
  const { t, f } = useWords();
  const { server } = node;
  return (
    <Card title={t('box.title')}>
      <Facts
        facts={[
          ...(node.ip4 === '' ? [] : [{ name: 'IPv4', value: <Copied text={node.ip4} what="IPv4" /> }]),
          ...(node.ip6 === '' ? [] : [{ name: 'IPv6', value: <Copied text={node.ip6} what="IPv6" /> }]),
          {
            name: t('server'),
            value: (
              <>
                {t(`server.${server.state}`)}
                {server.address !== null && <span class="hint block">{server.address}</span>}
                {server.rttMs !== null && <span class="hint block">{f.ms(server.rttMs)}</span>}
              </>
            ),
          },
          ...natFacts(node.nat, t),
        ]}
      />
    </Card>
  );
}

/** What the sentence above says of this box is said of its health, too. */
function troubleOf(node: NodeStatus, t: Words['t']): JSX.Element | null {
  if (node.state === 'down')
    return (
      <div class="notice tone-fair">
        <Icon name="alert" />
        <p class="strong">{t('health.down')}</p>
      </div>
    );
  const isOnItsWay = node.state === 'starting' || node.server.state === 'connecting';
  return isOnItsWay ? <p class="hint">{t('health.notYet')}</p> : null;
}

function BringUp(): JSX.Element {
  const { t } = useWords();
  const action = useAction();
  return (
    <div class="stack-tight">
      <div>
        <Button kind="primary" busy={action.busy} onClick={() => void action.run(() => post('/v1/node/up'))}>
          {t('box.bringUp')}
        </Button>
      </div>
      <Problem problem={action.problem} />
    </div>
  );
}
