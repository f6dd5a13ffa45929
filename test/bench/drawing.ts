// The comparison as a drawing: bars of TCP rate and of CPU time for each contender, with its version and date.
import { samplesOf } from './figures.ts';
import type { Measured, Report } from './figures.ts';
import { median, spread } from './statistics.ts';

interface Chart {
  readonly title: string;
  readonly figure: string;
  readonly digits: number;
}

const CHARTS: readonly Chart[] = [
  { title: 'TCP, one stream: Gbit/s (longer is better)', figure: 'gigabitsPerSecond', digits: 2 },
  {
    title: 'CPU seconds for a gigabyte, both ends (shorter is better)',
    figure: 'cpuSecondsPerGigabyte',
    digits: 1,
  },
];

const WIDTH = 860;
const LABEL = 280;
const VALUE = 150;
const ROW = 34;
const BAR = 20;
const MARGIN = 20;
const HEAD = 62;
const TITLE = 40;
const INK = '#1f2933';
const FAINT = '#5f6b7a';
const COLOURS = { ours: '#1769aa', peer: '#9aa5b1', cable: '#d5dae0' };

/** A whole SVG document; contenders without TCP figures are left out. */
export function drawing(report: Report): string {
  let top = HEAD;
  const parts: string[] = [];
  for (const chart of CHARTS) {
    const rows = report.contenders
      .map(contender => ({ contender, values: samplesOf(report, 'tcp', contender.name, chart.figure) }))
      .filter(({ values }) => values.length > 0);
    if (rows.length === 0) continue;
    parts.push(text(MARGIN, top + 22, chart.title, { size: 15, isBold: true }));
    top += TITLE;
    const most = Math.max(...rows.flatMap(({ values }) => values));
    for (const { contender, values } of rows) {
      parts.push(row(contender, values, top, most, chart.digits));
      top += ROW;
    }
    top += MARGIN;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img" aria-label="Speed of Ginnel beside other VPNs" font-family="sans-serif">
<rect width="100%" height="100%" fill="#ffffff"/>
${text(MARGIN, 28, 'Ginnel beside others, in one run', { size: 19, isBold: true })}
${text(MARGIN, 48, underline(report), { size: 12, colour: FAINT })}
${parts.join('\n')}
</svg>
`;
}

function underline({ startedAt, machine }: Report): string {
  return `${startedAt.slice(0, 10)}, ${machine.model}, ${machine.cpus} processors shared by both ends and iperf3, Linux ${machine.kernel}, Node ${machine.node}. Bars: medians; lines: least to most.`;
}

function row(
  contender: Measured,
  values: readonly number[],
  top: number,
  most: number,
  digits: number,
): string {
  const scale = (WIDTH - LABEL - VALUE - MARGIN) / most;
  const [middle, ends] = [median(values), spread(values)];
  const y = top + (ROW - BAR) / 2;
  const colour = contender.name.startsWith('ginnel')
    ? COLOURS.ours
    : contender.name === 'veth'
      ? COLOURS.cable
      : COLOURS.peer;
  const [least, furthest] = [ends?.least ?? middle, ends?.most ?? middle].map(value => LABEL + value * scale);
  const version = `${contender.version}${contender.date === '' ? '' : `, ${contender.date}`}`;
  return [
    text(MARGIN, top + 15, contender.label, { size: 13 }),
    text(MARGIN, top + 29, version, { size: 10, colour: FAINT }),
    `<rect x="${LABEL}" y="${y}" width="${(middle * scale).toFixed(1)}" height="${BAR}" rx="2" fill="${colour}"/>`,
    `<path d="M${least!.toFixed(1)} ${y + BAR / 2}H${furthest!.toFixed(1)}" stroke="${INK}" stroke-width="1.5"/>`,
    text(furthest! + 8, top + 22, middle.toFixed(digits), { size: 13 }),
  ].join('\n');
}

interface Look {
  readonly size: number;
  readonly isBold?: boolean;
  readonly colour?: string;
}

function text(x: number, y: number, words: string, { size, isBold = false, colour = INK }: Look): string {
  const weight = isBold ? ' font-weight="bold"' : '';
  return `<text x="${x.toFixed(1)}" y="${y}" font-size="${size}"${weight} fill="${colour}">${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
