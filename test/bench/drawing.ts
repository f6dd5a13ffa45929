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
const HEAD = 78;
const TITLE = 40;
const INK = '#1f2933';
const FAINT = '#5f6b7a';
const OURS = '#1769aa';
const PEER = '#9aa5b1';
/** Told in words: its bar would leave no room for the others. */
const CABLE = 'veth';

/** A whole SVG document; contenders without TCP figures are left out, the bare cable is told in words. */
export function drawing(report: Report): string {
  let top = HEAD;
  const parts: string[] = [];
  for (const chart of CHARTS) {
    const rows = report.contenders
      .filter(({ name }) => name !== CABLE)
      .map(contender => ({ contender, values: samplesOf(report, 'tcp', contender.name, chart.figure) }))
      .filter(({ values }) => values.length > 0);
    if (rows.length === 0) continue;
    parts.push(text(MARGIN, top + 22, `${chart.title}${ofCable(report, chart)}`, { size: 15, isBold: true }));
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
${circumstances(report)
  .map((line, index) => text(MARGIN, 48 + 16 * index, line, { size: 12, colour: FAINT }))
  .join('\n')}
${parts.join('\n')}
</svg>
`;
}

function circumstances({ startedAt, machine }: Report): string[] {
  const { model, cpus, kernel, congestion, node } = machine;
  return [
    `${startedAt.slice(0, 10)}: ${model}, ${cpus} processors shared by both ends and iperf3, Linux ${kernel}, TCP by ${congestion}, Node ${node}.`,
    'Bars: medians; lines: least to most.',
  ];
}

function ofCable(report: Report, { figure, digits }: Chart): string {
  const values = samplesOf(report, 'tcp', CABLE, figure);
  return values.length === 0 ? '' : `; the bare cable: ${median(values).toFixed(digits)}`;
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
  const colour = contender.name.startsWith('ginnel') ? OURS : PEER;
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
