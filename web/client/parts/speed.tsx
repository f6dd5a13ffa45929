// How fast data goes between the two boxes, measured while one looks.
import type { JSX } from 'preact';
import type { Peer, SpeedEvent } from '../pure/wire.ts';
import { useWords } from '../state/language.ts';
import { useStream } from '../state/stream.ts';
import { Button, Card, Problem } from './basics.tsx';
import { Bar } from './ping.tsx';

const MOST_SAMPLES = 400;
const DIRECTIONS = ['down', 'up'] as const;

export function Speed({ peer }: { readonly peer: Peer }): JSX.Element {
  const { t, f } = useWords();
  const test = useStream<SpeedEvent>(MOST_SAMPLES);
  const path = `/v1/page/peers/${encodeURIComponent(peer.id)}/speed`;
  const done = test.lines.find(line => line.type === 'done');
  const samples = test.lines.flatMap(line => (line.type === 'sample' ? [line] : []));
  const most = Math.max(1, ...samples.map(({ bitsPerSecond }) => bitsPerSecond));
  const rateOf = (direction: 'down' | 'up'): number | null =>
    done?.[direction] ?? samples.findLast(sample => sample.direction === direction)?.bitsPerSecond ?? null;
  return (
    <Card
      title={t('speed.title')}
      actions={
        test.busy ? (
          <Button onClick={test.stop}>{t('stop')}</Button>
        ) : (
          <Button onClick={() => test.start(path, {})}>{t('speed.do')}</Button>
        )
      }
    >
      {test.lines.length === 0 && !test.busy && <p class="hint">{t('speed.what')}</p>}
      {(test.busy || samples.length > 0) && (
        <ul class="bars">
          {DIRECTIONS.map(direction => {
            const rate = rateOf(direction);
            return (
              <li key={direction}>
                <span class="row row-ends">
                  <span>{t(`speed.${direction}`)}</span>
                  <span class="figure strong">{rate === null ? t('speed.waiting') : f.rate(rate)}</span>
                </span>
                <Bar share={(rate ?? 0) / most} />
              </li>
            );
          })}
        </ul>
      )}
      <p class="offscreen" role="status">
        {done !== undefined && t('speed.done', { down: f.rate(done.down), up: f.rate(done.up) })}
      </p>
      <Problem problem={test.problem} />
    </Card>
  );
}
