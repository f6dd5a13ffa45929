// One other box: how it is reached and why, what would make it better, how it was in the last hour, and trying it out.
import type { JSX } from 'preact';
import { counted } from '../pure/peers.ts';
import type { History, Live, Path, Peer } from '../pure/wire.ts';
import { useLoad } from '../state/action.ts';
import { get } from '../state/api.ts';
import { useWords, type Say } from '../state/language.ts';
import { Address } from '../parts/address.tsx';
import { Badge, Card, Facts, Shown } from '../parts/basics.tsx';
import { Copied } from '../parts/copy.tsx';
import { HistoryPlot } from '../parts/history-plot.tsx';
import { Icon } from '../parts/icon.tsx';
import { foundWords, PeerWay, pathWords } from '../parts/path.tsx';
import { seenWords } from '../parts/peer-table.tsx';
import { Ping } from '../parts/ping.tsx';
import { Reached } from '../parts/reached.tsx';
import { Speed } from '../parts/speed.tsx';
import { Title } from '../parts/title.tsx';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export function PeerScreen({ id, now }: { readonly id: string; readonly now: Live }): JSX.Element {
  const { t } = useWords();
  const peers = now.node?.peers ?? [];
  const peer = peers.find(one => one.id === id) ?? peers.find(one => one.name === id);
  const back = (
    <a class="back" href="#/">
      <Icon name="back" /> {t('overview')}
    </a>
  );
  if (peer === undefined)
    return (
      <>
        <Title back={back}>{t('peer.unknown')}</Title>
        <p class="lead">{t('peer.unknownWords', { ...counted(peers) })}</p>
      </>
    );
  return (
    <>
      <Title back={back}>{peer.name}</Title>
      <p class="lead">
        <PeerWay peer={peer} />
      </p>
      <div class="columns">
        <div class="stack">
          <Reached peer={peer} />
          <Past peer={peer} at={now.at} />
          <Paths peer={peer} />
        </div>
        <div class="stack">
          <About peer={peer} now={now} />
          <Ping peer={peer} />
          <Speed peer={peer} />
        </div>
      </div>
    </>
  );
}

function About({ peer, now }: { readonly peer: Peer; readonly now: Live }): JSX.Element {
  const words = useWords();
  const { t, f } = words;
  const rate = now.rates[peer.id];
  return (
    <Card title={t('peer.about')}>
      <Facts
        facts={[
          { name: 'IPv4', value: <Copied text={peer.ip4} what="IPv4" /> },
          ...(peer.ip6 === '' ? [] : [{ name: 'IPv6', value: <Copied text={peer.ip6} what="IPv6" /> }]),
          { name: t('peers.latency'), value: f.ms(peer.path?.rttMs ?? null) },
          { name: t('peer.in'), value: `${f.bytes(peer.bytesIn)}${rate ? ` · ${f.rate(rate.in)}` : ''}` },
          { name: t('peer.out'), value: `${f.bytes(peer.bytesOut)}${rate ? ` · ${f.rate(rate.out)}` : ''}` },
          { name: t('peers.seen'), value: seenWords(peer, words) },
          ...(peer.cipher === null ? [] : [{ name: t('peer.cipher'), value: peer.cipher }]),
        ]}
      />
    </Card>
  );
}

function Past({ peer, at }: { readonly peer: Peer; readonly at: number }): JSX.Element {
  const { t } = useWords();
  const path = `/v1/page/peers/${encodeURIComponent(peer.id)}/history`;
  // Asked again each minute, and at each change of the path.
  const turn = `${peer.id} ${Math.floor(at / MINUTE_MS)} ${peer.path?.label ?? ''}`;
  const loaded = useLoad(() => get<History>(path), turn);
  return (
    <Card title={loaded.value === null ? t('history.title') : spanWords(loaded.value, t)}>
      <Shown loaded={loaded}>{history => <HistoryPlot history={history} />}</Shown>
    </Card>
  );
}

/** A box that is new is not told an hour of. */
function spanWords({ samples, everyMs }: History, t: Say): string {
  const span = (samples.at(-1)?.at ?? 0) - (samples[0]?.at ?? 0);
  const minutes = Math.round(span / MINUTE_MS);
  const isHour = samples.length < 2 || HOUR_MS - span < Math.max(2 * everyMs, 2 * MINUTE_MS);
  return isHour ? t('history.title') : t('history.minutes', { count: Math.max(1, minutes) });
}

function Paths({ peer }: { readonly peer: Peer }): JSX.Element {
  const { t } = useWords();
  const inUse = (path: Path): boolean => path.label === peer.path?.label && path.remote === peer.path.remote;
  return (
    <Card title={t('paths.title')}>
      {peer.paths.length === 0 ? (
        <p class="hint">{t('paths.none')}</p>
      ) : (
        <ul class="paths">
          {peer.paths.map(path => (
            <PathLine key={`${path.label} ${path.remote ?? ''}`} path={path} isUsed={inUse(path)} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function PathLine({ path, isUsed }: { readonly path: Path; readonly isUsed: boolean }): JSX.Element {
  const { t, f } = useWords();
  return (
    <li>
      <div class="row row-ends">
        <span class="strong">{pathWords(path, t)}</span>
        <span class="row">
          {isUsed && <Badge tone="good">{t('paths.used')}</Badge>}
          <span class="figure">{f.ms(path.rttMs)}</span>
        </span>
      </div>
      <p class="hint">
        {path.remote !== null && <Address text={path.remote} />}{' '}
        {t('paths.foundBy', { how: foundWords(path.foundBy, t) })}
        {path.loss >= 0.01 && ` · ${t('peers.loss', { share: f.percent(path.loss) })}`}
        {path.mtu !== null && ` · ${t('paths.mtu', { bytes: path.mtu })}`}
      </p>
    </li>
  );
}
