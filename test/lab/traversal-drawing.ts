// The kinds of homes against each other as a drawing: how each pair meets, how often that worked, how fast.
import type { CellResult, Way } from './punch-words.ts';
import { middleOf } from './punch-words.ts';

const LABEL = 92;
const TOP = 104;
const CELL = { width: 70, height: 44 };
const MARGIN = 20;
/** For the words above. */
const LEAST_WIDTH = 760;
const INK = '#1f2933';
const FAINT = '#5f6b7a';
const COLOURS: Readonly<Record<Way, string>> = {
  plain: '#cfe8d5',
  predict: '#cfe0f5',
  birthday: '#fbe7c0',
  tcp: '#e2d6f3',
  relay: '#e4e7eb',
};
const WORDS: Readonly<Record<Way, string>> = {
  plain: 'plain probes',
  predict: 'predicted ports',
  birthday: 'many guesses',
  tcp: 'TCP from both ends',
  relay: 'by a relay',
};

/** A whole SVG document. */
export function traversalDrawing(
  part: 'udp' | 'tcp',
  results: readonly CellResult[],
  kinds: readonly string[],
): string {
  const width = Math.max(LEAST_WIDTH, LABEL + kinds.length * CELL.width + MARGIN);
  const height = TOP + kinds.length * CELL.height + MARGIN;
  const parts = [
    text(MARGIN, 30, part === 'udp' ? 'Who meets whom by UDP' : 'Who meets whom without UDP', {
      size: 18,
      isBold: true,
    }),
    text(
      MARGIN,
      50,
      'The first packet goes from the row to the column. How many tries went as expected; median time to the direct path.',
      {
        size: 12,
        colour: FAINT,
      },
    ),
    ...legend(results),
    ...kinds.map((kind, at) =>
      text(LABEL + (at + 0.5) * CELL.width, TOP - 8, kind, { size: 12, isMiddle: true }),
    ),
    ...kinds.map((kind, at) => text(MARGIN, TOP + (at + 0.5) * CELL.height + 4, kind, { size: 12 })),
    ...results.map(result => cellOf(result, kinds)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Kinds of homes against each other: how they meet, how often, how fast" font-family="sans-serif">
<rect width="100%" height="100%" fill="#ffffff"/>
${parts.join('\n')}
</svg>
`;
}

function legend(results: readonly CellResult[]): string[] {
  const ways = (Object.keys(COLOURS) as Way[]).filter(way => results.some(result => result.way === way));
  return ways.flatMap((way, at) => {
    const x = MARGIN + at * 150;
    return [
      `<rect x="${x}" y="62" width="14" height="14" rx="2" fill="${COLOURS[way]}"/>`,
      text(x + 20, 73, WORDS[way], { size: 12 }),
    ];
  });
}

function cellOf(result: CellResult, kinds: readonly string[]): string {
  const { cell, right, tries, times, way } = result;
  const [column, row] = [kinds.indexOf(cell.to), kinds.indexOf(cell.from)];
  const [x, y] = [LABEL + column * CELL.width, TOP + row * CELL.height];
  const middle = middleOf(times);
  const isWhole = right === tries;
  return [
    `<rect x="${x + 1}" y="${y + 1}" width="${CELL.width - 2}" height="${CELL.height - 2}" rx="3" fill="${COLOURS[way]}"/>`,
    text(x + CELL.width / 2, y + 19, `${right}/${tries}`, { size: 13, isMiddle: true, isBold: !isWhole }),
    text(x + CELL.width / 2, y + 35, middle === null ? WORDS[way] : `${(middle / 1000).toFixed(1)} s`, {
      size: 11,
      isMiddle: true,
      colour: FAINT,
    }),
  ].join('\n');
}

interface Look {
  readonly size: number;
  readonly isBold?: boolean;
  readonly isMiddle?: boolean;
  readonly colour?: string;
}

/** None of the words here needs escaping. */
function text(x: number, y: number, words: string, look: Look): string {
  const { size, isBold = false, isMiddle = false, colour = INK } = look;
  const weight = isBold ? ' font-weight="bold"' : '';
  const anchor = isMiddle ? ' text-anchor="middle"' : '';
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}"${weight}${anchor} fill="${colour}">${words}</text>`;
}
