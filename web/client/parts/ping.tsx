// A ping through the network, answer by answer.
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { Peer, PingEvent } from '../pure/wire.ts';
import { reasonOf } from '../pure/said.ts';
import { useWords, type Words } from '../state/language.ts';
import { useStream } from '../state/stream.ts';
import { Button, Card, Problem } from './basics.tsx';
import { pathWords } from './path.tsx';

const COUNT = 5;

export function Ping({ peer }: { readonly peer: Peer }): JSX.Element {
  const words = useWords();
  const { t } = words;
  const ping = useStream<PingEvent>(COUNT * 3);
  // The first path that is told is the one in use, unless there was none.
  const hadPath = useRef(false);
  const start = (): void => {
    hadPath.current = peer.path !== null;
    ping.start('/v1/node/ping', { peer: peer.id, count: COUNT });
  };
  const longest = Math.max(1, ...ping.lines.map(line => (line.type === 'reply' ? line.ms : 0)));
  return (
    <Card
      title={t('ping.title')}
      actions={
        ping.busy ? (
          <Button onClick={ping.stop}>{t('stop')}</Button>
        ) : (
          <Button onClick={start}>{t('ping.do')}</Button>
        )
      }
    >
      {ping.lines.length === 0 && !ping.busy && <p class="hint">{t('ping.what')}</p>}
      <ol class="bars" aria-live="polite">
        {ping.lines.map((line, i) => (
          <li key={i}>
            <PingLine line={line} longest={longest} isInUse={i === 0 && hadPath.current} words={words} />
          </li>
        ))}
      </ol>
      {ping.busy && (
        <p class="loading">
          <span class="spinner" aria-hidden="true" /> {t('ping.busy')}
        </p>
      )}
      <Problem problem={ping.problem} />
    </Card>
  );
}

interface LineProps {
  readonly line: PingEvent;
  readonly longest: number;
  /** Of a path: no new one. */
  readonly isInUse: boolean;
  readonly words: Words;
}

function PingLine({ line, longest, isInUse, words: { t, f, said } }: LineProps): JSX.Element {
  switch (line.type) {
    case 'reply':
      return (
        <>
          <span class="row row-ends">
            <span class="hint">{line.path === null ? '' : pathWords(line.path, t)}</span>
            <span class="figure">{f.ms(line.ms)}</span>
          </span>
          <Bar share={line.ms / longest} />
        </>
      );
    case 'lost':
      return <span class="tone-bad toned">{t('ping.lost', { reason: said(reasonOf(line)) })}</span>;
    case 'path':
      if (isInUse && line.path !== null)
        return <span class="hint">{t('ping.by', { path: pathWords(line.path, t) })}</span>;
      return (
        <span class="tone-good toned">
          {line.path === null
            ? t('ping.noPath')
            : t('ping.path', { path: pathWords(line.path, t), after: f.ms(line.afterMs) })}
        </span>
      );
    default:
      return <span class="strong">{t('ping.done', { sent: line.sent, received: line.received })}</span>;
  }
}

/** Its width is a part of a drawing, not of a style. */
export function Bar({ share }: { readonly share: number }): JSX.Element {
  const width = share <= 0 ? 0 : Math.max(1, Math.min(100, share * 100));
  return (
    <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="bar-all" width="100" height="4" />
      <rect class="bar-part" width={width} height="4" />
    </svg>
  );
}
