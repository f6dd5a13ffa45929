// Paints the map on a canvas: rings, lines, boxes, names. Everything of one kind in one go, so that five hundred are no
// trouble. Knows nothing of where the boxes come from.
import { RINGS, widthOf, type MapNode } from '../pure/layout.ts';

export interface Colours {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly card: string;
  readonly accent: string;
  readonly good: string;
  readonly fair: string;
  readonly bad: string;
  readonly quiet: string;
  readonly font: string;
}

export interface View {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  readonly panX: number;
  readonly panY: number;
}

export interface Picture {
  readonly nodes: readonly MapNode[];
  readonly selfName: string;
  readonly view: View;
  readonly colours: Colours;
  readonly hovered: string | null;
  /** Those that are looked for; null: nobody looks for any. */
  readonly found: ReadonlySet<string> | null;
  /** The round trip of a ring, in words. */
  readonly ringWords: (ms: number) => string;
  readonly nodeWords: (node: MapNode) => string;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

const MARGIN_X = 0.11;
const MARGIN_Y = 36;
/** Names stand below their boxes. */
const LIFT = 10;
const FEW = 40;

export function pointOf({ x, y }: Point, view: View): Point {
  const rx = Math.max(40, view.width * (0.5 - MARGIN_X)) * view.scale;
  const ry = Math.max(40, view.height / 2 - MARGIN_Y) * view.scale;
  return { x: view.width / 2 + view.panX + x * rx, y: view.height / 2 - LIFT + view.panY + y * ry };
}

export function paint(context: CanvasRenderingContext2D, picture: Picture): void {
  const { view, nodes } = picture;
  context.clearRect(0, 0, view.width, view.height);
  const points = new Map(nodes.map(node => [node.id, pointOf(node, view)]));
  const free = freest([...points.values()], view);
  paintRings(context, picture);
  paintLines(context, picture, points);
  paintNodes(context, picture, points);
  const taken = [paintSelf(context, picture, free)];
  taken.push(...paintRingWords(context, picture, free, [...taken, ...boxesOf(points, nodes.length)]));
  paintNames(context, picture, points, taken);
}

/** The direction from the middle in which the fewest boxes stand: there is room for words. */
function freest(points: readonly Point[], view: View): number {
  const middle = pointOf({ x: 0, y: 0 }, view);
  const taken = points.slice(0, FEW).map(({ x, y }) => Math.atan2(y - middle.y, x - middle.x));
  const room = (angle: number): number =>
    Math.min(
      Math.PI,
      ...taken.map(other => Math.abs(Math.atan2(Math.sin(other - angle), Math.cos(other - angle)))),
    );
  const angles = Array.from({ length: 16 }, (_, i) => (i * Math.PI) / 8 + Math.PI / 16);
  return angles.reduce((best, angle) => (room(angle) > room(best) ? angle : best));
}

/** Left, top, right, bottom. */
type Box = readonly [number, number, number, number];

function paintRings(context: CanvasRenderingContext2D, { view, colours }: Picture): void {
  const middle = pointOf({ x: 0, y: 0 }, view);
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.setLineDash([2, 5]);
  for (const { radius } of RINGS) {
    const edge = pointOf({ x: radius, y: -radius }, view);
    context.beginPath();
    context.ellipse(middle.x, middle.y, edge.x - middle.x, middle.y - edge.y, 0, 0, 2 * Math.PI);
    context.stroke();
  }
  context.setLineDash([]);
}

/** Each where it covers nothing, as near as can be to the free direction; left out where there is no room at all. */
function paintRingWords(
  context: CanvasRenderingContext2D,
  picture: Picture,
  free: number,
  taken: readonly Box[],
): Box[] {
  const { view, colours, ringWords } = picture;
  const painted: Box[] = [];
  context.fillStyle = colours.muted;
  context.font = `11px ${colours.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const { ms, radius } of RINGS) {
    const words = ringWords(ms);
    const at = ASIDE.map(aside =>
      pointOf({ x: Math.cos(free + aside) * radius, y: Math.sin(free + aside) * radius }, view),
    ).find(({ x, y }) => {
      const box = boxOf(context, words, x, y);
      return !taken.some(other => overlaps(other, box)) && !painted.some(other => overlaps(other, box));
    });
    if (at !== undefined) painted.push(label(context, words, at.x, at.y, colours.card));
  }
  return painted;
}

/** Straight there, then ever further to both sides. */
const ASIDE = Array.from(
  { length: 24 },
  (_, i) => ((i % 2 === 0 ? 1 : -1) * Math.ceil(i / 2) * Math.PI) / 12,
);

function label(context: CanvasRenderingContext2D, words: string, x: number, y: number, behind: string): Box {
  const colour = context.fillStyle;
  const box = boxOf(context, words, x, y);
  context.fillStyle = behind;
  context.fillRect(box[0], box[1] + 1, box[2] - box[0], box[3] - box[1] - 2);
  context.fillStyle = colour;
  context.fillText(words, x, y);
  return box;
}

function boxOf(context: CanvasRenderingContext2D, words: string, x: number, y: number): Box {
  const half = context.measureText(words).width / 2 + 4;
  return [x - half, y - 8, x + half, y + 8];
}

/** The dots themselves; of a crowd they are no hindrance, or nothing had room. */
function boxesOf(points: Points, count: number): Box[] {
  if (count > FEW) return [];
  const size = sizeOf(count) + 2;
  return [...points.values()].map(({ x, y }): Box => [x - size, y - size, x + size, y + size]);
}

type Points = ReadonlyMap<string, Point>;

/** One path for all lines of a colour and width. */
function paintLines(context: CanvasRenderingContext2D, picture: Picture, points: Points): void {
  const { nodes, view, colours, hovered, found } = picture;
  const middle = pointOf({ x: 0, y: 0 }, view);
  // Hundreds of wide lines would be one blot.
  const thinner = Math.min(1, Math.sqrt(FEW / Math.max(1, nodes.length)));
  const groups = new Map<string, { colour: string; width: number; faint: boolean; path: Path2D }>();
  for (const node of nodes) {
    const isReached = node.state === 'direct' || node.state === 'relayed';
    const from = node.through === null ? middle : points.get(node.through);
    const to = points.get(node.id);
    if (!isReached || from === undefined || to === undefined) continue;
    const width =
      Math.max(1, Math.round(widthOf(node.rate) * thinner * 2) / 2) + (node.id === hovered ? 2 : 0);
    const faint = found !== null && !found.has(node.id);
    const colour = node.through === null ? colours.good : colours.fair;
    const key = `${colour} ${width} ${faint}`;
    const group = groups.get(key) ?? { colour, width, faint, path: new Path2D() };
    groups.set(key, group);
    group.path.moveTo(from.x, from.y);
    group.path.lineTo(to.x, to.y);
  }
  context.lineCap = 'round';
  for (const { colour, width, faint, path } of groups.values()) {
    context.globalAlpha = faint ? 0.12 : nodes.length > FEW ? Math.min(0.8, 0.15 + width * 0.14) : 0.8;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.setLineDash(colour === colours.fair && nodes.length <= 5 * FEW ? [7, 5] : []);
    context.stroke(path);
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

export const sizeOf = (count: number): number => (count > 200 ? 4 : count > FEW ? 5.5 : 8);

function paintNodes(context: CanvasRenderingContext2D, picture: Picture, points: Points): void {
  const { nodes, colours, hovered, found } = picture;
  const size = sizeOf(nodes.length);
  for (const node of nodes) {
    const point = points.get(node.id);
    if (point === undefined) continue;
    const away = node.state === 'offline' || node.state === 'idle';
    const radius = size + (node.relays ? 2 : 0) + (node.id === hovered ? 2 : 0);
    context.globalAlpha = found !== null && !found.has(node.id) ? 0.2 : away ? 0.7 : 1;
    context.beginPath();
    if (node.isHelper) context.roundRect(point.x - 6, point.y - 6, 12, 12, 3);
    else context.arc(point.x, point.y, radius, 0, 2 * Math.PI);
    context.fillStyle = away ? colours.card : colourOf(node, colours);
    context.fill();
    context.lineWidth = away ? 1.5 : 2;
    context.strokeStyle = away ? colours.quiet : colours.card;
    context.stroke();
  }
  context.globalAlpha = 1;
}

function colourOf(node: MapNode, colours: Colours): string {
  if (node.state === 'direct') return colours.good;
  return node.state === 'unreachable' ? colours.bad : colours.fair;
}

function paintSelf(
  context: CanvasRenderingContext2D,
  { view, colours, selfName }: Picture,
  free: number,
): Box {
  const { x, y } = pointOf({ x: 0, y: 0 }, view);
  context.beginPath();
  context.arc(x, y, 22, 0, 2 * Math.PI);
  context.fillStyle = colours.accent;
  context.globalAlpha = 0.16;
  context.fill();
  context.globalAlpha = 1;
  context.beginPath();
  context.arc(x, y, 12, 0, 2 * Math.PI);
  context.fill();
  context.lineWidth = 3;
  context.strokeStyle = colours.card;
  context.stroke();
  context.font = `600 13px ${colours.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillStyle = colours.text;
  const isBelow = Math.sin(free) > 0;
  return label(context, shortened(selfName), x, isBelow ? y + 33 : y - 33, colours.card);
}

/** As many as find room: those that matter first. */
function paintNames(context: CanvasRenderingContext2D, picture: Picture, points: Points, taken: Box[]): void {
  const { nodes, view, colours, hovered, found } = picture;
  const self = pointOf({ x: 0, y: 0 }, view);
  taken.push([self.x - 24, self.y - 24, self.x + 24, self.y + 24]);
  const weight = (node: MapNode): number =>
    (node.id === hovered ? 1e15 : 0) +
    (found?.has(node.id) ? 1e14 : 0) +
    (node.relays ? 1e13 : 0) +
    node.rate;
  const isMany = nodes.length > FEW;
  const most = isMany ? 24 : FEW;
  const chosen = [...nodes].sort((a, b) => weight(b) - weight(a)).slice(0, most);
  const size = sizeOf(nodes.length);
  taken.push(...boxesOf(points, nodes.length));
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  for (const node of chosen) {
    const point = points.get(node.id);
    if (point === undefined || (isMany && weight(node) === 0)) continue;
    const name = shortened(node.name);
    context.font = `${node.id === hovered ? 600 : 500} 12px ${colours.font}`;
    const half = Math.max(context.measureText(name).width / 2, 18) + 4;
    const boxes = [point.y + size + 2, point.y - size - 34].map((top): Box => [
      point.x - half,
      top,
      point.x + half,
      top + 32,
    ]);
    const box =
      boxes.find(one => !taken.some(other => overlaps(other, one))) ??
      (node.id === hovered ? boxes[0] : undefined);
    if (box === undefined) continue;
    taken.push(box);
    context.globalAlpha = found !== null && !found.has(node.id) ? 0.3 : 1;
    context.fillStyle = node.state === 'offline' || node.state === 'idle' ? colours.muted : colours.text;
    haloed(context, name, point.x, box[1] + 14, colours.card);
    context.font = `11px ${colours.font}`;
    context.fillStyle = colours.muted;
    haloed(context, picture.nodeWords(node), point.x, box[1] + 28, colours.card);
  }
  context.globalAlpha = 1;
}

/** Words that are read over lines and boxes. */
function haloed(
  context: CanvasRenderingContext2D,
  words: string,
  x: number,
  y: number,
  behind: string,
): void {
  context.strokeStyle = behind;
  context.lineWidth = 4;
  context.lineJoin = 'round';
  context.strokeText(words, x, y);
  context.fillText(words, x, y);
}

const overlaps = (a: Box, b: Box): boolean => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

const shortened = (name: string): string => (name.length > 20 ? `${name.slice(0, 19)}…` : name);
