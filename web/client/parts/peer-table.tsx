// The other boxes as a table that can be sorted: the map in words. On a phone each row is a card.
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { NOTHING } from '../pure/format.ts';
import { ordered, rateOf, seenSecondsAgo, type Column, type Order } from '../pure/peers.ts';
import { hashOf } from '../pure/route.ts';
import type { Live, Peer } from '../pure/wire.ts';
import { useWords, type Words } from '../state/language.ts';
import { Button } from './basics.tsx';
import { PeerWay } from './path.tsx';
import { SortHead } from './sort-head.tsx';

const COLUMNS: readonly Column[] = ['name', 'ip', 'path', 'latency', 'bytes', 'seen'];
/** More rows are drawn when they are asked for: five hundred at once take their time on a phone. */
const AT_FIRST = 60;

export function PeerTable({
  peers,
  rates,
}: {
  readonly peers: readonly Peer[];
  readonly rates: Live['rates'];
}): JSX.Element {
  const words = useWords();
  const { t } = words;
  const [order, setOrder] = useState<Order>({ by: 'name', descending: false });
  const [isWhole, setWhole] = useState(false);
  const rows = ordered(peers, order);
  const drawn = isWhole ? rows : rows.slice(0, AT_FIRST);
  return (
    <>
      <div class="table-wrap">
        <table role="table" class="cards-on-phone">
          <caption class="offscreen">{t('peers.caption')}</caption>
          <thead role="rowgroup">
            <tr role="row" data-label={t('peers.sort')}>
              {COLUMNS.map(column => (
                <SortHead
                  key={column}
                  column={column}
                  label={t(`peers.${column}`)}
                  order={order}
                  onSort={setOrder}
                />
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {drawn.map(peer => (
              <Row key={peer.id} peer={peer} rate={rateOf(rates, peer.id)} words={words} />
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > drawn.length && (
        <div class="row row-middle">
          <Button onClick={() => setWhole(true)}>
            {t('peers.more', { count: rows.length - drawn.length })}
          </Button>
        </div>
      )}
    </>
  );
}

interface RowProps {
  readonly peer: Peer;
  readonly rate: number;
  readonly words: Words;
}

/** Drawn anew only when something in it is another. */
function Row({ peer, rate, words }: RowProps): JSX.Element {
  const { t, f } = words;
  const seen = seenWords(peer, words);
  const { state, path, bytesIn, bytesOut, name, ip4 } = peer;
  const of = [
    name,
    ip4,
    state,
    path?.label,
    path?.class,
    path?.rttMs,
    path?.loss,
    bytesIn,
    bytesOut,
    seen,
    rate,
    words,
  ];
  return useMemo(
    () => (
      <tr role="row">
        <th role="rowheader" scope="row">
          <a href={hashOf('peers', peer.id)}>{name}</a>
        </th>
        <td role="cell" data-label={t('peers.ip')} class="mono">
          {ip4}
        </td>
        <td role="cell" data-label={t('peers.path')} class="lead-cell">
          <PeerWay peer={peer} />
        </td>
        <td role="cell" data-label={t('peers.latency')} class={figure(path === null)}>
          {f.ms(path?.rttMs ?? null)}
          {path !== null && path.loss >= 0.01 && (
            <span class="hint block">{t('peers.loss', { share: f.percent(path.loss) })}</span>
          )}
        </td>
        <td role="cell" data-label={t('peers.bytes')} class={figure(bytesIn + bytesOut === 0)}>
          {bytesIn + bytesOut === 0
            ? NOTHING
            : t('peers.inOut', { in: f.bytes(bytesIn), out: f.bytes(bytesOut) })}
          {rate > 0 && <span class="hint block">{f.rate(rate)}</span>}
        </td>
        <td role="cell" data-label={t('peers.seen')} class={figure(seen === NOTHING)}>
          {seen}
        </td>
      </tr>
    ),
    of,
  );
}

/** On a phone, where each cell has a line of its own, nothing takes none. */
const figure = (isNone: boolean): string => (isNone ? 'figure is-none' : 'figure');

/** Somebody who answers all the time is there now: no counting of seconds. */
export function seenWords(peer: Peer, { t, f }: Words): string {
  const ago = seenSecondsAgo(peer, Date.now());
  if (ago === null) return NOTHING;
  return ago < 30 ? t('now') : f.ago(ago);
}
