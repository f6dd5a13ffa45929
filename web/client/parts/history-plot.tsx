// The last hour of a path as a plot. The numbers and changes beside it tell the same in words.
import type { JSX } from 'preact';
import { HEIGHT, plotOf, WIDTH } from '../pure/plot.ts';
import type { History } from '../pure/wire.ts';
import { reasonOf } from '../pure/said.ts';
import { useWords } from '../state/language.ts';
import { labelWords } from './path.tsx';

export function HistoryPlot({ history }: { readonly history: History }): JSX.Element {
  const { t, f, said } = useWords();
  const plot = plotOf(history);
  if (plot === null) return <p class="hint">{t('history.none')}</p>;
  const { runs, losses, changes, ticks, from, to } = plot;
  const figures = { least: f.ms(plot.least), middle: f.ms(plot.middle), most: f.ms(plot.most) };
  return (
    <>
      <svg
        class="plot"
        viewBox={`-52 -12 ${WIDTH + 60} ${HEIGHT + 38}`}
        role="img"
        aria-label={t('history.label', { ...figures, count: history.changes.length })}
      >
        {ticks.map(({ y, ms }) => (
          <g key={ms}>
            <line class="plot-grid" x1="0" x2={WIDTH} y1={y} y2={y} />
            <text x="-8" y={y + 4} text-anchor="end">
              {f.ms(ms)}
            </text>
          </g>
        ))}
        {changes.map(({ x, at }) => (
          <line key={at} class="plot-change" x1={x} x2={x} y1="0" y2={HEIGHT} />
        ))}
        {losses.map(x => (
          <path key={x} class="plot-loss" d={`M${x - 3} ${HEIGHT - 3}l6 -6m-6 0l6 6`} />
        ))}
        {runs.map(({ d, isRelayed }, i) => (
          <path key={i} class={isRelayed ? 'plot-line plot-relayed' : 'plot-line'} d={d} />
        ))}
        <text x="0" y={HEIGHT + 20}>
          {f.time(from)}
        </text>
        <text x={WIDTH} y={HEIGHT + 20} text-anchor="end">
          {f.time(to)}
        </text>
      </svg>
      <p class="hint">
        {t('history.figures', figures)} {t('history.reading')}
      </p>
      {history.changes.length > 0 && (
        <>
          <h3>{t('history.changes')}</h3>
          <ul class="lines">
            {[...history.changes].reverse().map(change => (
              <li key={change.at}>
                <span class="hint">{f.time(change.at)}</span>{' '}
                {t('history.change', {
                  from: labelWords(change.from, t),
                  to: labelWords(change.to, t),
                })}
                {change.reason !== '' && <span class="hint"> · {said(reasonOf(change))}</span>}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
